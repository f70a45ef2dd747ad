"""Pitch as a MIDI number, fractional ones and note names too: the labels of NSynth and of multisamples."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions.interface import Condition, shares
from bowerbird.errors import UsageError
from bowerbird.midi import PITCH, midi_number

__all__ = ["Pitch"]

HEARD_APART = KNOTS_APART = 0.5  # semitones


@dataclass(frozen=True)
class Pitch(Condition):
    """The pitches of the data.

    A pitch is encoded as shares of the two nearest knots, so that those between can be asked for. Knots are the pitches of
    the data and, where transposed copies of its sounds are learnt, others between them: with fewer, a network stays on
    each pitch that it knows and jumps to the next.
    """

    columns: ClassVar[tuple[str, ...]] = (PITCH,)

    name: str
    pitches: tuple[float, ...]  # MIDI numbers as they stand in the data, rising
    reach: float = 0.0  # semitones that copies are transposed by

    @classmethod
    def fit(cls, name: str, labels: Sequence[str]) -> "Pitch":
        return cls(name, tuple(sorted({midi_number(label) for label in labels if label})))

    @classmethod
    def read(cls, text: str) -> str:
        try:
            return f"{midi_number(text):g}" if text.strip() else ""
        except ValueError:
            raise ValueError(f'"{text}" is no pitch: a MIDI number or a note such as A3') from None

    @property
    def nodes(self) -> tuple[str, ...]:
        """The pitches of the data; those between can be asked for too."""
        return tuple(f"{pitch:g}" for pitch in self.pitches)

    @property
    def knots(self) -> tuple[float, ...]:
        """Rising; gaps that copies fill are cut into parts of KNOTS_APART or less."""
        found: list[float] = []
        for low, high in pairwise(self.pitches):
            parts = math.ceil((high - low) / KNOTS_APART) if high - low <= 2 * self.reach else 1
            found += [low + (high - low) * part / parts for part in range(parts)]
        return (*found, self.pitches[-1])

    @property
    def width(self) -> int:
        return len(self.knots)

    def parse(self, text: str) -> str:
        low, high = self.pitches[0], self.pitches[-1]
        try:
            number = midi_number(text)
        except ValueError:
            number = -1.0
        if not low <= number <= high:
            raise UsageError(
                f'"{text}" is not a {self.name} of this instrument; give a note (A3) or a number from {low:g} to {high:g}'
            )
        return f"{number:g}"

    def moved(self, labels: Mapping[str, str], semitones: float) -> tuple[float, dict[str, str]]:
        """How far a sound of those labels can go towards `semitones` within the range of the data, and its pitch then."""
        if not labels[self.name]:
            return 0.0, {}
        pitch = midi_number(labels[self.name])
        there = min(max(pitch + semitones, self.pitches[0]), self.pitches[-1])
        return there - pitch, {self.name: f"{there:.3f}"}

    def denies(self, label: str, other: str) -> bool:
        """Where they are half a semitone apart or more."""
        return bool(label and other) and abs(midi_number(label) - midi_number(other)) >= HEARD_APART

    def encode(self, labels: Sequence[str]) -> NDArray[np.float32]:
        """Pitches -> (B, N), each row sums to one."""
        return shares([midi_number(label) if label else None for label in labels], self.knots)

    def fits(self, asked: str, labels: Sequence[str]) -> NDArray[np.floating]:
        """By shares of the pitches of the data."""
        numbers = [midi_number(label) if label else None for label in (asked, *labels)]
        one, *others = shares(numbers, self.pitches).astype(float)
        return np.array(others) @ one

    def between(self, label: str, other: str, share: float) -> NDArray[np.float32]:
        if not (label and other):
            return super().between(label, other, share)
        low, high = midi_number(label), midi_number(other)
        return shares([low + share * (high - low)], self.knots)[0]

    def describe(self) -> str:
        """The range."""
        return f"{self.name}: {self.nodes[0]} to {self.nodes[-1]}, {self.width} pitches in the data"
