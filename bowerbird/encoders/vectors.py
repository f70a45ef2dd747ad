"""Vectors made elsewhere: any encoder there is, run beforehand, its texts and vectors in one file."""

import hashlib
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bowerbird.encoders.interface import Encoder
from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["Vectors"]

SHOWN = 4


class Vectors(Encoder):
    """A NumPy .npz file with `texts` (V) and `vectors` (V, E); only those texts can be asked for."""

    def __init__(self, source: str) -> None:
        path = Path(source)
        if not path.is_file():
            raise UsageError(f"there is no file of text vectors {path}; BOWERBIRD_ENCODER=vectors:FILE says where it is")
        try:
            with np.load(path) as file:
                texts, vectors = [str(text) for text in file["texts"]], file["vectors"].astype(np.float32)
        except (OSError, TypeError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BowerbirdError(f"{path} holds no text vectors ({error}); it wants arrays texts and vectors") from None
        if vectors.ndim != 2 or len(vectors) != len(texts) or not len(texts) or not np.isfinite(vectors).all():
            raise BowerbirdError(f"{path}: {len(texts)} texts do not go with vectors of shape {vectors.shape}")
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise BowerbirdError(f'{path}: the vector of "{texts[int(lengths.argmin())]}" is all zeros, which tells nothing')
        self.vectors = vectors / lengths
        self.rows = {text: row for row, text in enumerate(texts)}
        self.width = vectors.shape[1]
        self.fingerprint = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        self.path = path

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        missing = [text for text in texts if text not in self.rows]
        if missing:
            listed = ", ".join(f'"{text}"' for text in missing[:SHOWN])
            more = f" and {len(missing) - SHOWN} more texts" if len(missing) > SHOWN else ""
            raise UsageError(
                f"{self.path} has no vector of {listed}{more}; make the file again with all texts of the dataset (the array "
                "texts of the captions.npz of one prepared without --encoder)"
            )
        return self.vectors[[self.rows[text] for text in texts]]
