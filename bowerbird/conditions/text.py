"""Text: what a person would type for a sound, by way of a text encoder."""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions.interface import Condition
from bowerbird.conditions.words import words
from bowerbird.encoders import encoder, encoder_again
from bowerbird.encoders.interface import Encoder
from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["Text"]

MOST_WORDS, SHOWN, NEAREST = 4096, 60, 4
LEAST_ALIKE = 0.4  # of a cosine: unrelated words come to 0.3 and, now and then, 0.4
ALIKE = 0.05  # of a cosine: captions this much farther from a text than the nearest fit it 1/e times as well


@dataclass(frozen=True)
class Text(Condition):
    """Captions of the data, embedded; a label is a caption, a few of its words or anything else that the encoder knows."""

    columns: ClassVar[tuple[str, ...]] = ("text", "caption", "captions", "description")

    name: str
    encoder: str  # as bowerbird.encoders.encoder takes it
    fingerprint: str  # of its weights
    dimensions: int  # of its vectors
    known: tuple[str, ...]  # words of the data, the commonest first

    @classmethod
    def fit(cls, name: str, labels: Sequence[str], encoder_name: str = "ngrams", fingerprint: str = "") -> "Text":
        """With the `fingerprint` of an encoder that captions were embedded with it must be the same one."""
        counts = Counter(word for label in labels for word in label.split())
        by = encoder_again(encoder_name, fingerprint) if fingerprint else encoder(encoder_name)
        return cls(name, encoder_name, by.fingerprint, by.width, tuple(word for word, _ in counts.most_common(MOST_WORDS)))

    @classmethod
    def read(cls, text: str) -> str:
        """As one line; `bowerbird.data.captions` makes a caption of each line."""
        return " ".join(text.split())

    @cached_property
    def vectors(self) -> dict[str, NDArray[np.float32]]:
        """By caption, so that it needs no encoder: an instrument carries those of its data."""
        return {}

    @property
    def width(self) -> int:
        return self.dimensions

    @property
    def nodes(self) -> tuple[str, ...]:
        """The commonest words."""
        return self.known[:SHOWN]

    def parse(self, text: str) -> str:
        asked = words(text)
        if not asked:
            raise UsageError(f'"{text}" has no words; it knows {", ".join(self.nodes)}')
        if not any(self._near(word) for word in asked) and not self._encoder().semantic:
            near = difflib.get_close_matches(" ".join(asked), self.known, n=NEAREST, cutoff=0.0)
            raise UsageError(
                f'nothing is known of "{text}"; the nearest words are {", ".join(near)}; it knows {", ".join(self.nodes)}'
            )
        return " ".join(asked)

    def remark(self, asked: str) -> str:
        """What of it was never heard, and what is near: in meaning, where captions and an encoder of meanings tell."""
        said = []
        for word in [word for word in asked.split() if word not in self.known]:
            near = self._alike(word)
            said.append(f'"{word}" was never heard' + (f" (near: {', '.join(near)})" if near else ""))
        return "; ".join(said)

    def encode(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """Captions -> (B, N), of unit length."""
        encoded = np.zeros((len(labels), self.width), np.float32)
        there = [row for row, label in enumerate(labels) if label]
        for row in [row for row in there if labels[row] in self.vectors]:
            encoded[row] = self.vectors[labels[row]]
        strange = [row for row in there if labels[row] not in self.vectors]
        if strange:
            encoded[strange] = self._encoder()([labels[row] for row in strange])
        return encoded

    def fits(self, asked: str, labels: Sequence[str]) -> NDArray[np.floating]:
        """The nearest captions, each as far as it is about as near as the nearest."""
        nearness = (self.encode([asked]) @ _embedded(self, tuple(labels)).T)[0].astype(float)
        return np.where([bool(label) for label in labels], np.exp((nearness - nearness.max()) / ALIKE), 0.0)

    def between(self, label: str, other: str, share: float) -> NDArray[np.float32]:
        """Of unit length, as texts are."""
        mixed = super().between(label, other, share)
        return (mixed / max(float(np.linalg.norm(mixed)), 1e-6)).astype(np.float32) if label and other else mixed

    def denies(self, label: str, other: str) -> bool:
        """Where it has a word that is not said of the sound."""
        return bool(label and other) and not set(other.split()) <= set(label.split())

    def describe(self) -> str:
        """The commonest words."""
        more = len(self.known) - 12
        return f"{self.name}: {', '.join(self.known[:12])}" + (f" and {more} more words" if more > 0 else "")

    def _encoder(self) -> Encoder:
        return encoder_again(self.encoder, self.fingerprint)

    def _alike(self, word: str) -> list[str]:
        """The captions nearest in meaning, quoted, or where that cannot be told the words nearest in spelling."""
        captions = list(self.vectors)
        try:
            if not captions or not self._encoder().semantic:
                return self._near(word)
            alike = np.stack([self.vectors[caption] for caption in captions]) @ self.encode([word])[0]
        except BowerbirdError:  # an encoder that is not here, or one that knows whole texts alone
            return self._near(word)
        return [f'"{captions[place]}"' for place in alike.argsort()[::-1][:NEAREST] if alike[place] > LEAST_ALIKE]

    def _near(self, word: str) -> list[str]:
        return [word] if word in self.known else difflib.get_close_matches(word, self.known, n=NEAREST, cutoff=0.7)


@lru_cache(4)
def _embedded(text: Text, labels: tuple[str, ...]) -> NDArray[np.float32]:
    """An instrument's captions are embedded once, not for every sound that is asked for."""
    return text.encode(labels)
