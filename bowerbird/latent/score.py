"""Scores of hallucinations: key points, the steps between them, and how each is played; JSON that people can edit."""

import json
import math
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.instrument_file import write_whole
from bowerbird.latent.paths import PATHS

__all__ = ["Envelope", "Point", "Score", "read_score"]

MOST_STEPS, MOST_POINTS, LONGEST_S = 10_000_000, 10_000, 24 * 3600
WHAT = "bowerbird score"


@dataclass(frozen=True)
class Point:
    """A key point: a seed and what is asked there. `z` are latents given themselves, `name` a favourite in their place."""

    seed: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    moves: dict[str, float] = field(default_factory=dict)
    truncation: float = 1.0
    z: list[float] | None = None
    name: str | None = None


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
class Score:
    """A hallucination. `changes`: number of a sound, from 0, as text -> what it does otherwise: labels, moves, length_s."""

    points: list[Point]
    steps: int = 7  # sounds between two key points
    spacing: float = 0.25  # from one to the next, in seconds or beats
    tempo_bpm: float | None = None  # spacing is in beats where there is one
    path: str = "slerp"
    mapped: bool = False  # whether the way leads through the first layer instead of latents
    even: bool = True  # whether levels go evenly from key point to key point
    envelope: Envelope = field(default_factory=Envelope)
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)
    instrument: str = ""  # its fingerprint

    def __post_init__(self) -> None:
        checks: list[tuple[str, float | None, float, float]] = [
            ("steps", self.steps, 0, MOST_STEPS),
            ("the number of points", len(self.points), 1, MOST_POINTS),
            ("spacing", self.spacing, 0.001, 600),
            ("tempo_bpm", self.tempo_bpm, 1, 1000),
            *((name, value, 0, 1 if name == "sustain" else 60) for name, value in asdict(self.envelope).items()),
            *(("length_s", change.get("length_s"), 0, 60) for change in self.changes.values()),
            *(("a truncation", point.truncation, 0, 2) for point in self.points),
        ]
        for name, value, low, high in checks:
            if value is not None and not (math.isfinite(value) and low <= value <= high):
                raise UsageError(f"{name} of {value} is out of range; it lies between {low:g} and {high:g}")
        lasts_s = self.count * self.spacing_s
        if lasts_s > LONGEST_S:
            raise UsageError(
                f"{self.count} sounds {self.spacing_s:g} s apart would last {lasts_s / 3600:.0f} hours; take fewer steps or "
                f"a smaller spacing, at most {LONGEST_S / 3600:.0f} hours in all"
            )
        if self.path not in PATHS:
            raise UsageError(f'there is no path "{self.path}"; {known(PATHS)}')
        for number, change in self.changes.items():
            if not number.isdecimal() or not int(number) < self.count or set(change) - {"labels", "moves", "length_s"}:
                raise UsageError(
                    f'"{number}": {json.dumps(change)} changes nothing; write a number of a sound from 0 to '
                    f"{self.count - 1} with labels, moves or length_s"
                )

        if self.mapped and any(change.get("labels") for change in self.changes.values()):
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
        points = [_filled(Point, point, "a point") for point in values.pop("points", [])]
        envelope = _filled(Envelope, values.pop("envelope", {}), "the envelope")
        return _filled(Score, {**values, "points": points, "envelope": envelope}, "the score")
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from None
    except (TypeError, AttributeError, ValueError) as error:
        raise UsageError(f"{path}: a value is of another kind than it should be ({error})") from None


def _filled(kind: Any, values: dict[str, Any], what: str) -> Any:
    names = [one.name for one in fields(kind)]
    unknown = set(values) - set(names)
    if unknown:
        raise UsageError(f'{what} has no "{min(unknown)}"; {known(names)}')
    return kind(**values)
