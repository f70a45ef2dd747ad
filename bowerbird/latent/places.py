"""The sidecar of an instrument: places and directions that people have named, in a small file beside it."""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.features import FEATURES, PITCH_FEATURE
from bowerbird.instrument import INSTRUMENT_NAME
from bowerbird.instrument_file import write_whole
from bowerbird.latent.score import Point
from bowerbird.latent.written import read_written

__all__ = ["Places", "places_beside"]

ENDING = ".places.json"
NAME = re.compile(r"[^\W\d][\w -]*")
TAKEN = {*FEATURES, PITCH_FEATURE}  # by sliders


@dataclass
class _Written:
    instrument: str
    points: dict[str, Point] = field(default_factory=dict)
    directions: dict[str, dict[str, float]] = field(default_factory=dict)


@dataclass
class Places:
    """`points` by name, `directions` by name as the moves that make each up; both of one instrument's fingerprint."""

    path: Path
    instrument: str
    points: dict[str, Point] = field(default_factory=dict)
    directions: dict[str, dict[str, float]] = field(default_factory=dict)

    def point(self, name: str) -> Point:
        """UsageError lists the known ones."""
        if name not in self.points:
            raise UsageError(f'no place is named "{name}" in {self.path}; {known(self.points)}')
        return self.points[name]

    def check_new(self, name: str) -> None:
        """UsageError where nothing can be called that, or something is already."""
        if not NAME.fullmatch(name) or name in TAKEN:
            raise UsageError(
                f'"{name}" is no name for a place or a direction; write a letter, then letters, digits, - and _, and not '
                f"one of {', '.join(sorted(TAKEN))}"
            )
        if name in self.points or name in self.directions:
            raise UsageError(
                f'"{name}" is kept in {self.path} already; take it away first, by --forget, or take another name'
            )

    def save(self) -> None:
        values = {
            "instrument": self.instrument,
            "points": {name: asdict(point) for name, point in self.points.items()},
            "directions": self.directions,
        }
        write_whole(self.path, json.dumps(values, indent=1, allow_nan=False).encode())


def places_beside(instrument: Path, fingerprint: str) -> Places:
    """Those of an instrument's file or a run's folder; empty where there is no sidecar.

    BowerbirdError where it is damaged, UsageError where it is of another instrument.
    """
    file = instrument / INSTRUMENT_NAME if instrument.is_dir() else instrument
    path = file.with_name(file.name.removesuffix(".safetensors") + ENDING)
    if not path.exists():
        return Places(path, fingerprint)
    try:
        values = read_written(_Written, json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, UsageError) as error:
        raise BowerbirdError(f"{path} is damaged ({error}); mend it or move it away") from None
    found = Places(path, values.instrument, values.points, values.directions)
    if found.instrument != fingerprint:
        raise UsageError(
            f"{path} belongs to the instrument {found.instrument} and this one is {fingerprint}, whose space is another; "
            "move it away"
        )
    return found
