"""Text encoders: words to vectors. An instrument names the one it was trained with, and its fingerprint."""

from functools import lru_cache

from bowerbird.encoders.interface import Encoder
from bowerbird.encoders.ngrams import NGrams
from bowerbird.encoders.sentence import Sentences
from bowerbird.encoders.vectors import Vectors
from bowerbird.errors import UsageError

__all__ = ["ENCODERS", "encoder"]


@lru_cache(4)
def encoder(name: str) -> Encoder:
    """`ngrams`, `sentence:HUB_ID_OR_FOLDER` or `vectors:FILE.npz`; UsageError for another, or one that is not there."""
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
