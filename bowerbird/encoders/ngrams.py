"""The built-in text encoder: hashed character n-grams. It knows spelling, so typos are fine; it knows no meaning."""

import hashlib
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bowerbird.encoders.interface import Encoder

__all__ = ["NGrams"]

SHORTEST, LONGEST = 3, 5  # letters, the edges of a word among them
WIDTH = 512
PROBE = "the quick brown fox jumps over the lazy dog"


class NGrams(Encoder):
    """Bojanowski et al. 2017 in spirit, untrained: pieces of words, hashed into a few hundred signed numbers."""

    wants_source: ClassVar[bool] = False
    semantic: ClassVar[bool] = False
    width = WIDTH

    def __init__(self, source: str) -> None:
        from sklearn.feature_extraction.text import HashingVectorizer

        self.hashing = HashingVectorizer(analyzer="char_wb", ngram_range=(SHORTEST, LONGEST), n_features=WIDTH)
        # Changes where a version of the library hashes otherwise.
        self.fingerprint = hashlib.sha256(self([PROBE]).tobytes()).hexdigest()[:16]

    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.hashing.transform(list(texts)).toarray().astype(np.float32)
