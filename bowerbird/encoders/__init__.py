"""Text encoders: words to vectors. An instrument names the one it was trained with, and its fingerprint."""

import os
from functools import lru_cache
from pathlib import Path

from bowerbird.encoders.interface import Encoder
from bowerbird.encoders.ngrams import NGrams
from bowerbird.encoders.sentence import Sentences
from bowerbird.encoders.vectors import Vectors
from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["ENCODERS", "MOVED", "encoder", "encoder_again", "located"]

MOVED = "BOWERBIRD_ENCODER"  # of the environment: where an encoder that was moved is now


@lru_cache(4)
def encoder(name: str) -> Encoder:
    """`ngrams`, `sentence:HUB_ID_OR_FOLDER` or `vectors:FILE.npz`; UsageError for another, or one that is not there."""
    kind, _, source = name.partition(":")
    if kind not in ENCODERS or bool(source) != ENCODERS[kind].wants_source:
        listed = ", ".join(f"{kind}:…" if cls.wants_source else kind for kind, cls in ENCODERS.items())
        raise UsageError(f'there is no text encoder "{name}"; known: {listed}')
    return ENCODERS[kind](source)


def encoder_again(name: str, fingerprint: str) -> Encoder:
    """The encoder that something was learnt with, wherever the environment says that it is now.

    Raises BowerbirdError where its weights are others.
    """
    by = encoder(os.environ.get(MOVED, name) if ":" in name else name)
    if by.fingerprint != fingerprint:
        raise BowerbirdError(
            f"texts were learnt by the encoder {name} with weights {fingerprint}; here they are {by.fingerprint}, so put "
            "back the same one, or prepare and train again"
        )
    return by


def located(name: str) -> str:
    """The same by its whole path where it is a file or folder here, so that it is found from other folders too."""
    kind, colon, source = name.partition(":")
    return f"{kind}:{Path(source).resolve()}" if colon and Path(source).exists() else name


ENCODERS: dict[str, type[Encoder]] = {
    "ngrams": NGrams,
    "sentence": Sentences,
    "vectors": Vectors,
}
