"""Numbers: velocities and other figures from a table, and those measured from the sound itself, such as brightness."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions.interface import Condition, shares
from bowerbird.errors import UsageError

__all__ = ["Brightness", "Number"]

KNOTS = 9  # few enough for each to have many sounds


@dataclass(frozen=True)
class Number(Condition):
    """Any number, encoded as shares of the two nearest of a few that part the data evenly."""

    columns: ClassVar[tuple[str, ...]] = ("velocity",)

    name: str
    knots: tuple[float, ...]  # quantiles of the data, rising

    @classmethod
    def fit(cls, name: str, labels: Sequence[str]) -> Self:
        values = [float(label) for label in labels if label]
        if len(set(values)) <= KNOTS:
            return cls(name, tuple(sorted(set(values))))
        parted = np.quantile(values, np.linspace(0, 1, KNOTS))
        inner = {float(f"{value:.4g}") for value in parted[1:-1]}
        low, high = min(values), max(values)  # as they are: a label of the data must not lie outside
        return cls(name, tuple(sorted({low, high, *(value for value in inner if low < value < high)})))

    @classmethod
    def read(cls, text: str) -> str:
        try:
            number = float(text) if text.strip() else None
        except ValueError:
            number = math.nan
        if number is not None and not math.isfinite(number):
            raise ValueError(f'"{text}" is no number')
        return "" if number is None else f"{number:.6g}"

    @property
    def nodes(self) -> tuple[str, ...]:
        """Numbers to offer; those between can be asked for too."""
        return tuple(f"{knot:g}" for knot in self.knots)

    @property
    def width(self) -> int:
        return len(self.knots)

    def parse(self, text: str) -> str:
        low, high = self.knots[0], self.knots[-1]
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise UsageError(f'"{text}" is not a {self.name} of this instrument; give a number from {low:g} to {high:g}')
        return f"{number:.6g}"

    def encode(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """Numbers -> (B, N), each row sums to one."""
        return shares([float(label) if label else None for label in labels], self.knots)

    def denies(self, label: str, other: str) -> bool:
        """Where no knot is near to both."""
        return bool(label and other) and not self.fits(label, [other])[0]

    def between(self, label: str, other: str, share: float) -> NDArray[np.float32]:
        if not (label and other):
            return super().between(label, other, share)
        low, high = float(label), float(other)
        return shares([low + share * (high - low)], self.knots)[0]

    def describe(self) -> str:
        """The range."""
        return f"{self.name}: {self.nodes[0]} to {self.nodes[-1]}"


@dataclass(frozen=True)
class Brightness(Number):
    """Where the middle of a sound's spectrum lies, in Hz."""

    columns: ClassVar[tuple[str, ...]] = ("brightness",)

    @classmethod
    def measure(cls, sound: NDArray[np.float32], rate_hz: int) -> str:
        """The spectral centroid of the power of all channels."""
        power = np.square(np.abs(np.fft.rfft(sound))).sum(0)
        hz = np.fft.rfftfreq(sound.shape[1], 1 / rate_hz)
        return f"{float((power * hz).sum() / max(power.sum(), 1e-12)):.4g}"
