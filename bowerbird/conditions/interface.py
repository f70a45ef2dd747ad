"""What every kind of label offers to the networks, to the command line and to the person who asks."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["Condition", "is_measured", "shares"]


class Condition(ABC):
    """One kind of label of an instrument; variants are frozen dataclasses that travel inside it as JSON.

    Labels are text, as people write them. An empty one is missing and is encoded as zeros.
    """

    name: str
    columns: ClassVar[tuple[str, ...]] = ()  # of tables: taken for this kind unless told otherwise

    @classmethod
    @abstractmethod
    def fit(cls, name: str, labels: Sequence[str]) -> Self:
        """The condition that knows the labels of the data, in the form that `read` gives; missing ones do not count."""

    @classmethod
    def read(cls, text: str) -> str:
        """What a table says -> a label; ValueError with the reason where it cannot be one."""
        return text.strip()

    @classmethod
    def measure(cls, sound: NDArray[np.float32], rate_hz: int) -> str:
        """The label that a sound (C, T) itself shows, for the kinds that can be measured."""
        raise NotImplementedError

    @property
    @abstractmethod
    def nodes(self) -> tuple[str, ...]:
        """The labels to offer to a person."""

    @property
    def leaves(self) -> tuple[str, ...]:
        """Those of them that sounds of the data have as they are."""
        return self.nodes

    @property
    @abstractmethod
    def width(self) -> int:
        """Length N of an encoded label."""

    @abstractmethod
    def parse(self, text: str) -> str:
        """The label a person meant; UsageError lists the known ones."""

    def remark(self, asked: str) -> str:
        """A sentence on what a person asks, in its parsed form; "" where there is nothing to remark."""
        return ""

    @abstractmethod
    def encode(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """Labels -> (B, N)."""

    def fits(self, asked: str, labels: Sequence[str]) -> NDArray[np.floating]:
        """How well each of `labels` (B of them, of the data) is what was asked: (B,), 0 not at all, 1 wholly."""
        return (self.encode([asked]) @ self.encode(labels).T)[0].astype(float)

    def between(self, label: str, other: str, share: float) -> NDArray[np.float32]:
        """On the way from one label (`share` 0) to another (1): (N,), a mixture of both unless there are labels between."""
        one, two = self.encode([label, other])
        return (one + np.float32(share) * (two - one)).astype(np.float32)

    def denies(self, label: str, other: str) -> bool:
        """Whether `other` would be wrong of a sound that has `label`; of what is missing nothing is wrong."""
        return bool(label and other) and label != other

    def complete(self, asked: str, drawn: str) -> str:
        """What was asked, made fuller by a label of the data that fits it."""
        return asked

    @abstractmethod
    def describe(self) -> str:
        """For people."""


def shares(values: Sequence[float | None], knots: Sequence[float]) -> NDArray[np.float32]:
    """Each value as shares of the two nearest knots, which rise: (B, knots). No value gives zeros; ends go on outwards."""
    known = np.array([np.nan if value is None else value for value in values], float)
    at = np.interp(known, knots, np.arange(len(knots)))
    split = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(len(knots))))
    return np.nan_to_num(split).astype(np.float32)


def is_measured(kind: type[Any]) -> bool:
    """Whether a kind reads its labels off the sounds."""
    return any("measure" in vars(parent) for parent in kind.__mro__ if parent is not Condition)
