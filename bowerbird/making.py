"""`make`: orders for sounds, and the WAV files and contact sheet that fill them."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bowerbird.audio import file_stem, write
from bowerbird.errors import UsageError
from bowerbird.instrument import Instrument
from bowerbird.instrument_file import write_whole
from bowerbird.pictures import write_sheet
from bowerbird.progress import progress
from bowerbird.table_file import read_lines, read_table

__all__ = ["Order", "fill", "orders", "prompted"]

SHEET_COLUMNS, SHEET_ROWS = 8, 128
SHEET, LIST = "contact_sheet.png", "made.json"


@dataclass(frozen=True)
class Order:
    """One sound to make: what was asked, the full set of labels, the seed, and where it goes."""

    labels: dict[str, str]
    seed: int
    file: Path  # relative to the output folder
    row: str  # title of its row on the contact sheet
    asked: dict[str, str]


def orders(instrument: Instrument, asked: dict[str, str], count: int, seed: int, each_label: bool) -> list[Order]:
    """`count` sounds of what is asked, or of every label of the first condition under it, each in its own folder."""
    if not each_label:
        return _orders(instrument, asked, count, seed, Path())
    if not instrument.model.conditions:
        raise UsageError("this instrument was trained without labels; leave out --each-label")
    first = instrument.model.conditions[0]
    labels = list(first.leaves)
    if first.name in asked:
        fits = first.fits(first.parse(asked[first.name]), labels)
        labels = [label for label, fit in zip(labels, fits, strict=True) if fit]
    if not labels:
        raise UsageError(f"no {first.name} of the data lies under {asked[first.name]}; leave out --each-label")
    return [
        order
        for label in labels
        for order in _orders(instrument, {**asked, first.name: label}, count, seed, Path(*map(file_stem, label.split("/"))))
    ]


def prompted(instrument: Instrument, file: Path, asked: dict[str, str], count: int, seed: int) -> list[Order]:
    """`count` sounds of every line of a file, each line in a folder of its own.

    A csv whose columns are labels, empty cells being left open, or a plain list of texts (or of labels of the first
    condition). What is `asked` beside it holds for all. Raises UsageError that names the line.
    """
    names = {condition.name for condition in instrument.model.conditions}
    table, header = read_table(file)
    if header and set(header) <= names:
        rows = [{name: cell.strip() for name, cell in row.items() if cell.strip()} for row in table]
    else:
        rows = [dict(instrument.asked(line.strip())) for line in read_lines(file) if line.strip()]
    if not rows:
        raise UsageError(f"{file} holds no prompts; write one on each line, or a csv whose columns are labels")
    made = []
    for number, row in enumerate(rows, 1):
        folder = Path(f"{number:03d}_{file_stem('_'.join(row.values()) or 'anything')}")
        try:
            made += _orders(instrument, {**asked, **row}, count, seed, folder)
        except UsageError as error:
            raise UsageError(f"{file}, prompt {number}: {error}") from None
    return made


def _orders(instrument: Instrument, asked: dict[str, str], count: int, seed: int, folder: Path) -> list[Order]:
    made = []
    for one in range(seed, seed + count):
        labels = instrument.choose(asked, seed=one)
        said = "_".join(file_stem(value) for value in labels.values() if value) or "sound"
        row = ", ".join(asked.values()) or "all labels"
        made.append(Order(labels, one, folder / f"{said}_{one:05d}.wav", row, asked))
    return made


def fill(instrument: Instrument, wanted: list[Order], folder: Path, *, quiet: bool = False) -> tuple[list[Path], Path]:
    """Writes the sounds, a contact sheet and `made.json` into `folder`; returns their paths.

    `made.json` says which instrument, labels and seed each file is of. The sheet shows the first SHEET_ROWS labels. Raises
    UsageError where a file would be overwritten that this instrument did not make.
    """
    sheet, made = folder / SHEET, _made(folder)
    for order in wanted:
        if (folder / order.file).exists() and made.get(str(order.file), {}).get("instrument") != instrument.fingerprint:
            raise UsageError(f"{folder / order.file} exists and is not of this instrument; choose another folder with -o")
    files: list[Path] = []
    rows: dict[str, list[np.ndarray]] = {}
    sounds = instrument.play([order.labels for order in wanted], [order.seed for order in wanted])
    try:
        with progress("making", len(wanted), quiet=quiet) as advance:
            for order, (sound, picture) in zip(wanted, sounds, strict=True):
                write(folder / order.file, sound, instrument.sample_rate)
                files.append(folder / order.file)
                made[str(order.file)] = {"instrument": instrument.fingerprint, "labels": order.labels, "seed": order.seed}
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
    lines = [
        (title if start == 0 else "", pictures[start : start + SHEET_COLUMNS])
        for title, pictures in rows.items()
        for start in range(0, len(pictures), SHEET_COLUMNS)
    ]
    write_sheet(sheet, lines)
