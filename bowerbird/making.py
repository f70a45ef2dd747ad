"""`make`: orders for sounds, and the WAV files and contact sheet that fill them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bowerbird.audio import file_stem, write
from bowerbird.conditions.category import ancestry
from bowerbird.errors import UsageError
from bowerbird.instrument import Instrument
from bowerbird.pictures import write_sheet
from bowerbird.progress import progress

__all__ = ["Order", "fill", "orders"]

SHEET_COLUMNS, SHEET_ROWS = 8, 128
SHEET = "contact_sheet.png"


@dataclass(frozen=True)
class Order:
    """One sound to make: what was asked, the full set of labels, the seed, and where it goes."""

    labels: dict[str, str]
    seed: int
    file: Path  # relative to the output folder
    row: str  # title of its row on the contact sheet


def orders(instrument: Instrument, asked: dict[str, str], count: int, seed: int, each_label: bool) -> list[Order]:
    """`count` sounds of what is asked, or of every label of the first condition under it, each in its own folder."""
    if not each_label:
        return _orders(instrument, asked, count, seed, Path())
    if not instrument.model.conditions:
        raise UsageError("this instrument was trained without labels; leave out --each-label")
    first = instrument.model.conditions[0]
    return [
        order
        for label in first.paths
        if first.name not in asked or first.parse(asked[first.name]) in ancestry(label)
        for order in _orders(instrument, {**asked, first.name: label}, count, seed, Path(*map(file_stem, label.split("/"))))
    ]


def _orders(instrument: Instrument, asked: dict[str, str], count: int, seed: int, folder: Path) -> list[Order]:
    made = []
    for one in range(seed, seed + count):
        labels = instrument.choose(asked, seed=one)
        said = "_".join(file_stem(value) for value in labels.values()) or "sound"
        row = ", ".join(asked.values()) or "all labels"
        made.append(Order(labels, one, folder / f"{said}_{one:05d}.wav", row))
    return made


def fill(instrument: Instrument, wanted: list[Order], folder: Path, *, quiet: bool = False) -> tuple[list[Path], Path]:
    """Writes the sounds and a contact sheet into `folder`; returns their paths. The sheet shows the first SHEET_ROWS labels.

    Raises UsageError where a file would be overwritten in a folder that has no contact sheet and so is not ours.
    """
    sheet = folder / SHEET
    taken = [order.file for order in wanted if (folder / order.file).exists()]
    if taken and not sheet.exists():
        raise UsageError(f"{folder} already holds {taken[0]}, which was not made here; choose another folder with -o")
    files: list[Path] = []
    rows: dict[str, list[np.ndarray]] = {}
    sounds = instrument.play([order.labels for order in wanted], [order.seed for order in wanted])
    try:
        with progress("making", len(wanted), quiet=quiet) as advance:
            for order, (sound, picture) in zip(wanted, sounds, strict=True):
                write(folder / order.file, sound, instrument.sample_rate)
                files.append(folder / order.file)
                if len(rows) < SHEET_ROWS or order.row in rows:
                    row = rows.setdefault(order.row, [])
                    row += [picture] if len(row) < SHEET_COLUMNS * SHEET_COLUMNS else []
                advance(len(files))
    finally:
        if files:  # interrupted or not, what is there can be seen and made again
            _draw(sheet, rows)
    return files, sheet


def _draw(sheet: Path, rows: dict[str, list[np.ndarray]]) -> None:
    lines = [
        (title if start == 0 else "", pictures[start : start + SHEET_COLUMNS])
        for title, pictures in rows.items()
        for start in range(0, len(pictures), SHEET_COLUMNS)
    ]
    write_sheet(sheet, lines)
