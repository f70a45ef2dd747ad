"""`make`: orders for sounds, and the WAV files and contact sheet that fill them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bowerbird.audio import file_stem, write
from bowerbird.conditions.text import Text
from bowerbird.errors import UsageError, known
from bowerbird.instrument_file import write_whole
from bowerbird.latent.paths import near
from bowerbird.latent.score import Point
from bowerbird.latent.space import Space, Spot
from bowerbird.pictures import write_sheet
from bowerbird.progress import progress
from bowerbird.table_file import read_header, read_lines, read_table

__all__ = ["Bent", "Order", "alike", "around", "fill", "orders", "plane", "prompted"]

SHEET_COLUMNS, SHEET_ROWS, SHEET_WIDTH = 8, 128, 1600  # the last in pixels
SHEET, LIST = "contact_sheet.png", "made.json"


class Bent(NamedTuple):
    """What is done to every sound of an order: moves along directions, truncation."""

    moves: dict[str, float]
    truncation: float


PLAIN = Bent({}, 1.0)


@dataclass(frozen=True)
class Order:
    """One sound to make: what was asked, the full set of labels, the seed, and where it goes."""

    labels: dict[str, str]
    seed: int
    file: Path  # relative to the output folder
    row: str  # title of its row on the contact sheet
    asked: dict[str, str]
    moves: dict[str, float] = field(default_factory=dict)
    truncation: float = 1.0
    spot: Spot | None = None  # where it is not that of labels and seed

    def place(self, space: Space) -> Spot:
        return self.spot or space.place(self.labels, self.seed, self.moves, self.truncation)


def orders(space: Space, asked: dict[str, str], count: int, seed: int, each_label: bool, bent: Bent = PLAIN) -> list[Order]:
    """`count` sounds of what is asked, or of every label under it, each in its own folder.

    Those of the first condition, texts last.
    """
    if not each_label:
        return _orders(space, asked, count, seed, Path(), bent)
    conditions = space.instrument.model.conditions
    if not conditions:
        raise UsageError("this instrument was trained without labels; leave out --each-label")
    first = next((condition for condition in conditions if not isinstance(condition, Text)), conditions[0])
    labels = list(first.leaves)
    if first.name in asked:
        fits = first.fits(first.parse(asked[first.name]), labels)
        labels = [label for label, fit in zip(labels, fits, strict=True) if fit]
    if not labels:
        raise UsageError(f"no {first.name} of the data lies under {asked[first.name]}; leave out --each-label")
    return [
        order
        for label in labels
        for order in _orders(space, {**asked, first.name: label}, count, seed, Path(*map(file_stem, label.split("/"))), bent)
    ]


def prompted(space: Space, file: Path, asked: dict[str, str], count: int, seed: int, bent: Bent = PLAIN) -> list[Order]:
    """`count` sounds of every line of a file, each line in a folder of its own.

    A csv whose columns are labels, empty cells being left open, or a plain list of texts (or of labels of the first
    condition). What is `asked` beside it holds for all. Raises UsageError that names the line.
    """
    names = {condition.name for condition in space.instrument.model.conditions}
    header = set(read_header(file)) - {""}
    if header and header <= names:
        rows = [{name: cell.strip() for name, cell in row.items() if cell.strip()} for row in read_table(file)[0]]
    elif header & names and len(header) > 1:
        raise UsageError(f"{file}: {', '.join(sorted(header - names))} is no label; {known(names)}")
    else:
        rows = [dict(space.instrument.asked(line.strip())) for line in read_lines(file) if line.strip()]
    if not rows:
        raise UsageError(f"{file} holds no prompts; write one on each line, or a csv whose columns are labels")
    made = []
    for number, row in enumerate(rows, 1):
        folder = Path(f"{number:03d}_{file_stem('_'.join(row.values()) or 'anything')}")
        try:
            if twice := [name for name in row if asked.get(name, row[name]) != row[name]]:
                raise UsageError(
                    f'it says "{row[twice[0]]}" where "{asked[twice[0]]}" is asked of all; leave one of them out'
                )
            made += _orders(space, {**asked, **row}, count, seed, folder, bent)
        except UsageError as error:
            raise UsageError(f"{file}, prompt {number}: {error}") from None
    return made


def _orders(space: Space, asked: dict[str, str], count: int, seed: int, folder: Path, bent: Bent) -> list[Order]:
    made = []
    changed = [f"{name}{amount:+g}" for name, amount in bent.moves.items()]
    changed += [f"truncation{bent.truncation:g}"] if bent.truncation != 1 else []
    row = ", ".join([*asked.values(), *changed]) or "all labels"
    for one in range(seed, seed + count):
        labels = space.instrument.choose(asked, seed=one)
        file = folder / f"{'_'.join([_said(labels), *map(file_stem, changed)])}_{one:05d}.wav"
        made.append(Order(labels, one, file, row, asked, bent.moves, bent.truncation))
    if made:
        made[0].place(space)  # a direction that is not there is said before anything is written
    return made


def _said(labels: Mapping[str, str]) -> str:
    return "_".join(file_stem(value) for value in labels.values() if value) or "sound"


def alike(space: Space, spot: Spot, distance: float, count: int, seed: int, name: str) -> list[Order]:
    """`count` sounds like that of a place of that name, a bit different: 0 is the same, 1 has nothing to do with it."""
    made = []
    for one in range(seed, seed + count):
        file = Path(f"like_{file_stem(name)}_{_said(spot.labels)}_{distance:g}_{one:05d}.wav")
        there = replace(spot, z=near(spot.z, distance, one))
        made.append(Order(dict(spot.labels), one, file, f"like {name}, {distance:g} away", {}, spot=there))
    return made


def around(space: Space, spot: Spot, distance: float, count: int, seed: int, name: str) -> list[Order]:
    """The sound of a place itself, then `count` like it."""
    itself = Order(
        dict(spot.labels), seed, Path(f"{file_stem(name)}_{_said(spot.labels)}_found.wav"), "found", {}, spot=spot
    )
    return [itself, *alike(space, spot, distance, count, seed, name)]


def plane(space: Space, corners: Sequence[Point], side: int) -> list[Order]:
    """side x side sounds between four places, row by row from the first and second corner to the third and fourth."""
    if len(corners) != 4:
        raise UsageError(f"a plane lies between four places, and {len(corners)} are given; write --corners 1,2,3,4")
    spots = [space.at(corner) for corner in corners]
    shares = np.linspace(0, 1, side) if side > 1 else [0.0]
    made = []
    for y, down in enumerate(shares):
        ends = space.between([spots[0], spots[2]], down), space.between([spots[1], spots[3]], down)
        for x, across in enumerate(shares):
            spot = space.between(ends, across)
            labels = dict(spot.labels)
            made.append(Order(labels, y * side + x, Path(f"plane_{y:02d}_{x:02d}.wav"), f"row {y + 1}", {}, spot=spot))
    return made


def fill(
    space: Space, wanted: list[Order], folder: Path, above: dict[str, list[np.ndarray]] | None = None, *, quiet: bool = False
) -> tuple[list[Path], Path]:
    """Writes the sounds, a contact sheet and `made.json` into `folder`; returns their paths.

    Rows of other pictures (C, F, L) may stand `above` on the sheet.

    `made.json` says which instrument, labels and seed each file is of. The sheet shows the first SHEET_ROWS labels. Raises
    UsageError where a file would be overwritten that this instrument did not make.
    """
    instrument = space.instrument
    sheet, made = folder / SHEET, _made(folder)
    for order in wanted:
        if (folder / order.file).exists() and made.get(str(order.file), {}).get("instrument") != instrument.fingerprint:
            raise UsageError(f"{folder / order.file} exists and is not of this instrument; choose another folder with -o")
    files: list[Path] = []
    rows: dict[str, list[np.ndarray]] = dict(above or {})
    sounds = space.play(order.place(space) for order in wanted)
    try:
        with progress("making", len(wanted), quiet=quiet) as advance:
            for order, (sound, picture) in zip(wanted, sounds, strict=True):
                write(folder / order.file, sound, instrument.sample_rate)
                files.append(folder / order.file)
                made[str(order.file)] = {"instrument": instrument.fingerprint, "labels": order.labels, "seed": order.seed}
                if order.moves or order.truncation != 1:
                    made[str(order.file)] |= {"moves": order.moves, "truncation": order.truncation}
                if order.spot:
                    made[str(order.file)] |= {"z": order.spot.z.tolist()}
                if len(rows) < SHEET_ROWS or order.row in rows:
                    row = rows.setdefault(order.row, [])
                    row += [picture] if len(row) < SHEET_COLUMNS * SHEET_COLUMNS else []
                advance(len(files))
    finally:
        if files:  # interrupted or not, what is there can be seen and made again
            write_whole(folder / LIST, json.dumps(made, indent=1).encode())
            _draw(sheet, rows)
    return files, sheet


def _made(folder: Path) -> dict[str, dict[str, Any]]:
    """What earlier calls made in `folder`, by file name."""
    try:
        made = json.loads((folder / LIST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return made if isinstance(made, dict) else {}


def _draw(sheet: Path, rows: dict[str, list[np.ndarray]]) -> None:
    """Rows that stand under each other keep their columns; one alone is broken where it gets too wide to look at."""
    longest, frames = max(map(len, rows.values())), next(iter(rows.values()))[0].shape[-1]
    fit = min(SHEET_COLUMNS, max(2, SHEET_WIDTH // frames))
    several = longest if longest <= 2 * SHEET_COLUMNS else SHEET_COLUMNS
    columns = several if len(rows) > 1 else fit
    lines = [
        (title if start == 0 else "", pictures[start : start + columns])
        for title, pictures in rows.items()
        for start in range(0, len(pictures), columns)
    ]
    write_sheet(sheet, lines)
