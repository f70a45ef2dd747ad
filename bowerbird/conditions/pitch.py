"""Pitch as a MIDI number, fractional ones and note names too: the labels of NSynth and of multisamples."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from bowerbird.errors import UsageError
from bowerbird.midi import midi_number

__all__ = ["Pitch"]


@dataclass(frozen=True)
class Pitch:
    """The pitches of the data and how often they come.

    A pitch is encoded as shares of the two nearest pitches of the data, so that those between can be asked for.
    """

    name: str
    pitches: tuple[float, ...]  # MIDI numbers as they stand in the data, rising
    counts: tuple[int, ...]

    @classmethod
    def fit(cls, name: str, labels: Sequence[str]) -> "Pitch":
        """The condition whose pitches and counts are those of `labels`."""
        counts = Counter(midi_number(label) for label in labels)
        pitches = tuple(sorted(counts))
        return cls(name, pitches, tuple(counts[pitch] for pitch in pitches))

    @property
    def paths(self) -> tuple[str, ...]:
        """The labels of the data."""
        return tuple(f"{pitch:g}" for pitch in self.pitches)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Labels to offer; pitches between them can be asked for too."""
        return self.paths

    @property
    def width(self) -> int:
        """Length N of an encoded pitch."""
        return len(self.pitches)

    def parse(self, text: str) -> str:
        """The pitch a person meant; UsageError outside the trained range."""
        low, high = self.pitches[0], self.pitches[-1]
        try:
            number = midi_number(text)
        except ValueError:
            number = -1.0
        if not low <= number <= high:
            raise UsageError(
                f'"{text}" is not a pitch of this instrument; give a MIDI number from {low:g} to {high:g} or a note (A3)'
            )
        return f"{number:g}"

    def encode(self, labels: Sequence[str]) -> Tensor:
        """Pitches -> (B, N), each row sums to one."""
        asked = np.array([midi_number(label) for label in labels])
        at = np.interp(asked, self.pitches, np.arange(self.width))
        shares = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(self.width)))
        return torch.from_numpy(shares.astype(np.float32))

    def draw(self, random: np.random.Generator, asked: str | None = None) -> str:
        """What is asked, or a pitch as often as in the data."""
        share = np.array(self.counts, dtype=float)
        return asked if asked is not None else self.paths[int(random.choice(self.width, p=share / share.sum()))]

    def describe(self) -> str:
        """For people: the range."""
        return f"{self.name}: {self.paths[0]} to {self.paths[-1]}, {self.width} pitches in the data"
