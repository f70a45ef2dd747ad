"""Text encoders: words to vectors. An instrument names the one it was trained with, and its fingerprint."""

import os
from functools import lru_cache
from pathlib import Path

from bowerbird.encoders.interface import Encoder
from bowerbird.encoders.ngrams import NGrams
from bowerbird.encoders.sentence import Sentences
from bowerbird.encoders.vectors import Vectors
from bowerbird.errors import UsageError

__all__ = ["ENCODERS", "MOVED", "encoder", "located"]

MOVED = "BOWERBIRD_ENCODER"  # of the environment: where an encoder that was moved is now


def encoder(name: str) -> Encoder:
    """`ngrams`, `sentence:HUB_ID_OR_FOLDER` or `vectors:FILE.npz`; UsageError for another, or one that is not there.

    Of those that have a source, what the environment says of it counts: folders are moved, and other machines have others.
    """
    return _loaded(os.environ.get(MOVED, name) if ":" in name else name)


def located(name: str) -> str:
    """The same by its whole path where it is a file or folder here, so that it is found from other folders too."""
    kind, colon, source = name.partition(":")
    return f"{kind}:{Path(source).resolve()}" if colon and Path(source).exists() else name


@lru_cache(4)
def _loaded(name: str) -> Encoder:
    kind, _, source = name.partition(":")
    if kind not in ENCODERS or bool(source) != ENCODERS[kind].wants_source:
        listed = ", ".join(f"{kind}:…" if cls.wants_source else kind for kind, cls in ENCODERS.items())
        raise UsageError(f'there is no text encoder "{name}"; known: {listed}')
    return ENCODERS[kind](source)


ENCODERS: dict[str, type[Encoder]] = {
    "ngrams": NGrams,
    "sentence": Sentences,
    "vectors": Vectors,
}
