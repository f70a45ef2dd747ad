"""Conditions: kinds of label. Each knows how it is typed, encoded, drawn from the data and described."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from torch import Tensor

from bowerbird.conditions.category import Category
from bowerbird.conditions.pitch import Pitch

__all__ = ["CONDITIONS", "Condition"]


class Condition(Protocol):
    """One kind of label of an instrument. Variants also have a `fit(name, labels)`, which measures them on the data."""

    @property
    def name(self) -> str: ...

    @property
    def paths(self) -> tuple[str, ...]:
        """The labels that sounds of the data have."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The labels that can be asked for."""

    @property
    def width(self) -> int:
        """Length N of an encoded label."""

    def parse(self, text: str) -> str:
        """The label a person meant; UsageError lists the known ones."""

    def encode(self, labels: Sequence[str]) -> Tensor:
        """Labels -> (B, N)."""

    def draw(self, random: np.random.Generator, asked: str | None = None) -> str:
        """A label as the data has it, within what is asked."""

    def describe(self) -> str:
        """For people."""


CONDITIONS = {
    "category": Category,
    "pitch": Pitch,
}
