"""Sets of tags, such as NSynth's qualities: any number of words that hold of a sound at once."""

import difflib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions.interface import Condition
from bowerbird.errors import UsageError, known

__all__ = ["Tags", "tags_of"]

NONE = "none"  # a sound that is known to have no tag


@dataclass(frozen=True)
class Tags(Condition):
    """Tags of the data and how often. A set is encoded as ones for its tags, and a one that says that the set is known."""

    columns: ClassVar[tuple[str, ...]] = ("tags", "qualities")

    name: str
    tags: tuple[str, ...]  # sorted
    counts: tuple[int, ...]

    @classmethod
    def fit(cls, name: str, labels: Sequence[str]) -> "Tags":
        counts = Counter(tag for label in labels for tag in tags_of(label))
        tags = tuple(sorted(counts))
        return cls(name, tags, tuple(counts[tag] for tag in tags))

    @classmethod
    def read(cls, text: str) -> str:
        """Tags apart by commas, semicolons or |, sorted; "none" for no tag at all."""
        return ",".join(sorted({" ".join(tag.split()) for tag in re.split(r"[,;|]", text)} - {""}))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The tags, each of which can be asked for alone or with others, and "none"."""
        return (*self.tags, NONE)

    @property
    def width(self) -> int:
        return len(self.tags) + 1

    def parse(self, text: str) -> str:
        wanted = [tag.strip() for tag in re.split(r"[,;|+]", text) if tag.strip()]
        meant = {tag.casefold(): tag for tag in self.nodes} | {tag: tag for tag in self.nodes}  # as written, if that is one
        wanted = [tag if tag in meant else tag.casefold() for tag in wanted]
        for tag in wanted or [text]:
            if tag not in meant:
                close = difflib.get_close_matches(tag.casefold(), meant, n=1)
                hint = f'did you mean "{meant[close[0]]}"? ' if close else ""
                raise UsageError(f'"{tag}" is not among the {self.name} of this instrument; {hint}{known(self.nodes)}')
        chosen = {meant[tag] for tag in wanted}
        if NONE in chosen and len(chosen) > 1:
            raise UsageError(f'"{text}" asks for {NONE} and for more; leave one out')
        return ",".join(sorted(chosen))

    def encode(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """Sets -> (B, N)."""
        index = {tag: position for position, tag in enumerate(self.tags)}
        encoded = np.zeros((len(labels), self.width), np.float32)
        for row, label in enumerate(labels):
            encoded[row, [index[tag] for tag in tags_of(label)]] = 1.0
            encoded[row, -1] = float(bool(label))
        return encoded

    def fits(self, asked: str, labels: Sequence[str]) -> NDArray[np.floating]:
        """Whether a sound has all the tags."""
        if asked == NONE:
            return np.array([float(label == NONE) for label in labels])
        return np.array([float(tags_of(asked) <= tags_of(label)) for label in labels])

    def complete(self, asked: str, drawn: str) -> str:
        """With the further tags that sounds of the data have beside those."""
        return drawn if asked != NONE and tags_of(asked) <= tags_of(drawn) else asked

    def describe(self) -> str:
        """The tags with their counts."""
        return f"{self.name}: " + ", ".join(f"{tag} {count}" for tag, count in zip(self.tags, self.counts, strict=True))


def tags_of(label: str) -> set[str]:
    """`bright,percussive` -> {`bright`, `percussive`}."""
    return set(filter(None, label.split(","))) - {NONE}
