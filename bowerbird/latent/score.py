"""Scores of hallucinations: key points, the steps between them, and how each is played; JSON that people can edit."""

import json
import math
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.instrument_file import write_whole
from bowerbird.latent.paths import PATHS
from bowerbird.latent.written import read_written

__all__ = ["Change", "Envelope", "Point", "Score", "read_score"]

MOST_STEPS, MOST_POINTS, MOST_SEED, LONGEST_S = 10_000_000, 10_000, 2**63 - 1, 24 * 3600
LEAST, MOST = {"length_s": 0.001}, {"sustain": 1.0}  # of an envelope, where not 0 and 60
WHAT = "bowerbird score"


@dataclass(frozen=True)
class Point:
    """A key point: a seed and what is asked there. `z` are latents given themselves, `name` a favourite in their place.

    `note` is for people.
    """

    seed: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    moves: dict[str, float] = field(default_factory=dict)
    truncation: float = 1.0
    z: list[float] | None = None
    name: str | None = None
    note: str = ""

    def __post_init__(self) -> None:
        for name, value, high in (("a seed", self.seed, MOST_SEED), ("a truncation", self.truncation, 2)):
            if not 0 <= value <= high:
                raise UsageError(f"{name} of {value} is out of range; it lies between 0 and {high}")


@dataclass(frozen=True)
class Envelope:
    """How each sound is cut and shaped, in seconds and shares of its level."""

    trim_s: float = 0.0  # cut off at the start
    attack_s: float = 0.0
    decay_s: float = 0.0
    sustain: float = 1.0  # level after the decay
    release_s: float = 0.02
    length_s: float | None = None  # release included; none: as long as the sound


@dataclass(frozen=True)
class Change:
    """What one sound of a score does otherwise."""

    labels: dict[str, str] = field(default_factory=dict)
    moves: dict[str, float] = field(default_factory=dict)
    length_s: float | None = None


@dataclass(frozen=True)
class Score:
    """A hallucination. `changes` are by number of a sound, from 0, as text."""

    points: list[Point]
    steps: int = 7  # sounds between two key points
    spacing: float = 0.25  # from one to the next, in seconds or beats
    tempo_bpm: float | None = None  # spacing is in beats where there is one
    path: str = "slerp"
    mapped: bool = False  # whether the way leads through the first layer instead of latents
    even: bool = True  # whether levels go evenly from key point to key point
    envelope: Envelope = field(default_factory=Envelope)
    changes: dict[str, Change] = field(default_factory=dict)
    instrument: str = ""  # its fingerprint
    directions: dict[str, str] = field(default_factory=dict)  # by layer the fingerprint of those that its moves go along

    def __post_init__(self) -> None:
        checks: list[tuple[str, float | None, float, float]] = [
            ("steps", self.steps, 0, MOST_STEPS),
            ("the number of points", len(self.points), 1, MOST_POINTS),
            ("spacing", self.spacing, 0.001, 600),
            ("tempo_bpm", self.tempo_bpm, 1, 1000),
            *((name, value, LEAST.get(name, 0), MOST.get(name, 60)) for name, value in asdict(self.envelope).items()),
            *(("length_s", change.length_s, LEAST["length_s"], 60) for change in self.changes.values()),
        ]
        for name, value, low, high in checks:
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise UsageError(f"{name} of {value} is out of range; it lies between {low:g} and {high:,.12g}")
        lasts_s = self.count * self.spacing_s
        if lasts_s > LONGEST_S:
            raise UsageError(
                f"{self.count} sounds {self.spacing_s:g} s apart would last {lasts_s / 3600:.0f} hours; take fewer steps or "
                f"a smaller spacing, at most {LONGEST_S / 3600:.0f} hours in all"
            )
        if self.path not in PATHS:
            raise UsageError(f'there is no path "{self.path}"; {known(PATHS)}')
        for number in self.changes:
            if not number.isdecimal() or not int(number) < self.count:
                raise UsageError(
                    f'changes of "{number}" change nothing; write a number of a sound from 0 to {self.count - 1}'
                )
        if self.mapped and any(change.labels for change in self.changes.values()):
            raise UsageError(
                "labels of single sounds do not change on a mapped way, which has them in it; set mapped to false"
            )

    @property
    def count(self) -> int:
        """Of sounds: key points and the steps between them."""
        return len(self.points) + (len(self.points) - 1) * self.steps

    @property
    def spacing_s(self) -> float:
        return self.spacing * (60 / self.tempo_bpm if self.tempo_bpm else 1.0)

    def save(self, path: Path) -> None:
        """As JSON."""
        write_whole(path, json.dumps({"what": WHAT, **asdict(self)}, indent=1, allow_nan=False).encode())


def read_score(path: Path) -> Score:
    """The score in a file; UsageError names what is wrong with it."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no score at {path}") from None
    except (OSError, ValueError) as error:
        raise BowerbirdError(
            f"{path} is not readable ({error}); a score is a JSON file that `bowerbird morph` wrote"
        ) from None
    if not isinstance(values, dict) or values.pop("what", None) != WHAT:
        raise UsageError(f'{path} is no score; it has no "what": "{WHAT}"')
    try:
        return read_written(Score, values)
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
