"""A category path such as `kick` or `kick/808`: one label per sound, the branches of a tree."""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions.interface import Condition
from bowerbird.errors import UsageError, known

__all__ = ["Category", "ancestry"]


@dataclass(frozen=True)
class Category(Condition):
    """Labels seen in the data and how often.

    A label is encoded as ones for itself and all its ancestors, so that an embedding of `kick/808` is that of `kick`
    plus a difference: subclasses share what they can.
    """

    name: str
    paths: tuple[str, ...]  # labels as they stand in the data, sorted
    counts: tuple[int, ...]  # sounds with exactly this label

    @classmethod
    def fit(cls, name: str, labels: Sequence[str]) -> "Category":
        counts = Counter(filter(None, labels))
        paths = tuple(sorted(counts))
        return cls(name, paths, tuple(counts[path] for path in paths))

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """Every label that can be asked for: the paths and their ancestors."""
        return tuple(sorted({node for path in self.paths for node in ancestry(path)}))

    @property
    def leaves(self) -> tuple[str, ...]:
        return self.paths

    @property
    def width(self) -> int:
        return len(self.nodes)

    def parse(self, text: str) -> str:
        if text in self.nodes:
            return text
        wanted = text.strip().strip("/").casefold()
        alike = [node for node in self.nodes if node.casefold() == wanted]
        if len(alike) > 1:
            raise UsageError(f'"{text}" may be any of {", ".join(alike)}; write it as one of them')
        nodes = {node.casefold(): node for node in self.nodes}
        # The last part alone will do where it names one label only: "808" for "kick/808".
        tails = Counter(key.rsplit("/", 1)[-1] for key in nodes)
        for key, node in list(nodes.items()):
            if tails[key.rsplit("/", 1)[-1]] == 1:
                nodes.setdefault(key.rsplit("/", 1)[-1], node)
        if wanted in nodes:
            return nodes[wanted]
        close = difflib.get_close_matches(wanted, nodes, n=1)
        hint = f'did you mean "{nodes[close[0]]}"? ' if close else ""
        raise UsageError(f'"{text}" is not a {self.name} of this instrument; {hint}{known(self.nodes)}')

    def has(self, text: str) -> bool:
        """Whether a person who says this can mean a label."""
        try:
            self.parse(text)
        except UsageError:
            return False
        return True

    def encode(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """Labels (nodes of the tree) -> (B, N), ones at the label and its ancestors."""
        index = {node: position for position, node in enumerate(self.nodes)}
        encoded = np.zeros((len(labels), len(index)), np.float32)
        for row, label in enumerate(labels):
            encoded[row, [index[node] for node in ancestry(label)]] = 1.0
        return encoded

    def fits(self, asked: str, labels: Sequence[str]) -> NDArray[np.floating]:
        return np.array([float(asked in ancestry(label)) for label in labels])

    def denies(self, label: str, other: str) -> bool:
        return bool(label and other) and label not in ancestry(other) and other not in ancestry(label)

    def complete(self, asked: str, drawn: str) -> str:
        """A subclass, where there is one below what was asked."""
        return drawn if asked in ancestry(drawn) else asked

    @property
    def tops(self) -> tuple[str, ...]:
        """The top-level classes."""
        return tuple(node for node in self.nodes if "/" not in node)

    def describe(self) -> str:
        """How many labels, and the classes with their counts."""
        totals = Counter[str]()
        for path, count in zip(self.paths, self.counts, strict=True):
            totals[ancestry(path)[0]] += count
        classes = ", ".join(f"{top} {total}" for top, total in totals.items())
        deeper = len(self.nodes) - len(self.tops)
        return f"{self.name}: {classes}" + (f"; {deeper} subclasses" if deeper else "")


def ancestry(path: str) -> list[str]:
    """`kick/808` -> [`kick`, `kick/808`]; a missing label has none."""
    parts = path.split("/") if path else []
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]
