"""The data's own combinations of labels: what a person leaves open is drawn from those that go with what they ask."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bowerbird.conditions.interface import Condition
from bowerbird.conditions.text import Text
from bowerbird.seeds import numpy_random

__all__ = ["Joint"]

MOST_ROWS = 4096
ABOUT = 0.05  # of the best fit


@dataclass(frozen=True)
class Joint:
    """Combinations of labels, one per condition and in their order, and how often each comes."""

    rows: tuple[tuple[str, ...], ...] = ()
    counts: tuple[int, ...] = ()

    @classmethod
    def fit(cls, labels: Sequence[Mapping[str, str]], names: Sequence[str]) -> "Joint":
        """Of MOST_ROWS sounds at most, chosen by lot."""
        chosen = numpy_random(0, "joint").permutation(len(labels))[:MOST_ROWS]
        counts = Counter(tuple(labels[index][name] for name in names) for index in sorted(chosen.tolist()))
        rows = tuple(sorted(counts))
        return cls(rows, tuple(counts[row] for row in rows))

    def draw(self, random: np.random.Generator, conditions: Sequence[Condition], asked: Mapping[str, str]) -> dict[str, str]:
        """A full set of labels: what is asked, and the rest as often as it comes with that in the data.

        Where no sound has all that is asked, the rest comes from those that have most of it.
        """
        if not self.rows:
            return {condition.name: asked.get(condition.name, "") for condition in conditions}
        if all(isinstance(condition, Text) and condition.name in asked for condition in conditions):
            return dict(asked)  # nothing is left open
        fits = [
            condition.fits(asked[condition.name], [row[place] for row in self.rows])
            for place, condition in enumerate(conditions)
            if condition.name in asked
        ]
        weights = np.array(self.counts, float)
        if fits and np.prod(fits, 0).any():
            weights *= np.prod(fits, 0)
        elif np.any(fits):
            weights *= np.sum(fits, 0)
        row = self.rows[int(random.choice(len(self.rows), p=weights / weights.sum()))]
        return {
            condition.name: condition.complete(asked[condition.name], drawn) if condition.name in asked else drawn
            for condition, drawn in zip(conditions, row, strict=True)
        }

    def lacks(self, conditions: Sequence[Condition], asked: Mapping[str, str]) -> bool:
        """Whether no sound of the data is all that is asked; of more than MOST_ROWS sounds it cannot be told."""
        if not self.rows or sum(self.counts) >= MOST_ROWS:
            return False
        about = []
        for place, condition in enumerate(conditions):
            if condition.name in asked:
                wanted, there = asked[condition.name], [row[place] for row in self.rows]
                fits = condition.fits(wanted, there) >= ABOUT
                if isinstance(condition, Text):  # a long caption says it too, though others are nearer
                    fits |= np.array([bool(one) and not condition.denies(one, wanted) for one in there])
                about.append(fits)
        return len(about) > 1 and not np.all(about, 0).any()
