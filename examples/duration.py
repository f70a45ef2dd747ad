"""A new kind of label in one class: how long a sound is, measured from the sound and asked for in seconds.

    python examples/duration.py prepare my_sounds -o sounds.dataset --measure duration
    python examples/duration.py train sounds.dataset -o runs/sounds
    python examples/duration.py make runs/sounds --label duration=0.3 -n 8

Inside the package it would be one file in `bowerbird/conditions` and its line in the table there.
"""

from dataclasses import dataclass

import numpy as np

from bowerbird.cli import main
from bowerbird.conditions import CONDITIONS
from bowerbird.conditions.number import Number

AUDIBLE = 0.01  # of the loudest sample: 40 dB under it


@dataclass(frozen=True)
class Duration(Number):
    """Seconds until a sound has become 40 dB softer than its loudest moment for good."""

    columns = ("duration",)

    @classmethod
    def measure(cls, sound: np.ndarray, rate_hz: int) -> str:
        loud = np.abs(sound).max(0)
        return f"{(np.flatnonzero(loud > AUDIBLE * loud.max()).max(initial=0) + 1) / rate_hz:.3f}"


CONDITIONS["duration"] = Duration

if __name__ == "__main__":
    main()
