"""The sidecar of an instrument: places and directions that people have named, in a small file beside it."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.instrument import INSTRUMENT_NAME
from bowerbird.instrument_file import write_whole
from bowerbird.latent.score import Point

__all__ = ["Places", "places_beside"]

ENDING = ".places.json"


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
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        points = {name: Point(**point) for name, point in values["points"].items()}
        found = Places(path, values["instrument"], points, values["directions"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BowerbirdError(f"{path} is damaged ({error}); mend it or move it away") from None
    if found.instrument != fingerprint:
        raise UsageError(
            f"{path} belongs to the instrument {found.instrument} and this one is {fingerprint}, whose space is another; "
            "move it away"
        )
    return found
