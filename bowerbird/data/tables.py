"""Tables of labels: rows of text by column name, one per sound file, from a csv, from file names or from NSynth's list."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.table_file import read_table

__all__ = ["Table", "csv_table", "filename_table", "nsynth_table", "resolved"]

FILE = "file"
PART = r"\{([^\W\d]\w*)\}"  # of a pattern
FILE_COLUMNS = (FILE, "filename", "file_name", "path", "name")
LABEL_COLUMNS = ("label", "class", "category")
NSYNTH_LIST = "examples.json"
NSYNTH_COLUMNS = {
    "family": "instrument_family_str",
    "source": "instrument_source_str",
    "instrument": "instrument_str",
    "pitch": "pitch",
    "velocity": "velocity",
    "qualities": "qualities_str",
}


@dataclass(frozen=True)
class Table:
    """Rows, the column of file names, what messages call the table, and its usual label columns as `--columns` has them."""

    rows: list[dict[str, str]]
    header: list[str]
    file_column: str
    title: str
    usual: str  # empty where no column looks like a label


def resolved(table: Table, folder: Path, names: Iterable[str]) -> Table:
    """The same table with file names as they stand among `names`, which are relative to `folder`.

    A sound may be named by its whole path or by an end of it that no other has, in any case and without its suffix. What
    names none, several, or one that another row names exactly stays as it is written.
    """
    known_names = set(names)
    ends: dict[str, str | None] = {}  # None: several have it
    for name in known_names:
        parts = PurePosixPath(name).parts
        tails = [PurePosixPath(*parts[start:]) for start in range(len(parts))]
        for end in {str(form).casefold() for tail in tails for form in (tail, tail.with_suffix(""))}:
            ends[end] = None if end in ends else name
    roots = PurePosixPath(folder.absolute()), PurePosixPath(folder.resolve())
    written = [_relative(row[table.file_column].strip().replace("\\", "/"), roots) for row in table.rows]
    taken = known_names & set(written)

    def meant(name: str) -> str:
        found = ends.get(name.casefold())
        return name if name in taken or found is None or found in taken else found

    rows = [row | {table.file_column: meant(name)} for row, name in zip(table.rows, written, strict=True)]
    return replace(table, rows=rows)


def _relative(name: str, roots: Iterable[PurePosixPath]) -> str:
    path = PurePosixPath(name)
    return str(next((path.relative_to(root) for root in roots if path.is_relative_to(root)), path)) if name else ""


def csv_table(folder: Path, path: Path | None) -> Table:
    """A csv with a column of file names relative to `folder`, whichever of , ; tab separates it."""
    path = path or _only_table(folder)
    rows, header = read_table(path)
    file_column = next((column for column in FILE_COLUMNS if column in header), None)
    if file_column is None:
        raise UsageError(f"{path} has no column of file names ({', '.join(FILE_COLUMNS)}); {known(header)}")
    usual = [column for column in LABEL_COLUMNS if column in header][:1]
    if "subclass" in header:
        usual.append("subclass")
    return Table(rows, header, file_column, str(path), "/".join(usual))


def filename_table(names: Iterable[str], pattern: str) -> tuple[Table, list[str]]:
    """File names read by a pattern such as `{class}_{speaker}_{take}`, and the names that do not fit it.

    With a slash in it the pattern is for the path under the folder, otherwise for the name alone; suffixes do not count.
    """
    columns = re.findall(PART, pattern)
    if not columns or len(set(columns)) < len(columns) or FILE in columns:
        raise UsageError(f'--pattern "{pattern}" names no parts, or one twice, or "file"; write it like {{class}}_{{take}}')
    parts = re.split(PART.replace("(", "(?:", 1), pattern)
    fields = [f"(?P<{column}>.+?)" for column in columns]
    expression = re.compile("".join(re.escape(p) + f for p, f in zip(parts, [*fields, ""], strict=True)))
    rows: list[dict[str, str]] = []
    unfit: list[str] = []
    for name in names:
        path = PurePosixPath(name).with_suffix("")
        found = expression.fullmatch(str(path) if "/" in pattern else path.name)
        if found:
            rows.append({FILE: name} | {column: found[column] for column in columns})
        else:
            unfit.append(name)
    usual = next((column for column in (*LABEL_COLUMNS, "pitch") if column in columns), columns[0])
    return Table(rows, [FILE, *columns], FILE, f'the pattern "{pattern}"', usual), unfit


def nsynth_table(folder: Path, names: Iterable[str]) -> Table:
    """NSynth's public layout: examples.json with a note's facts by name, the sounds beside it as .wav, .flac or others."""
    path = folder / NSYNTH_LIST
    try:
        notes = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no {path}; --labels nsynth wants the folder that holds it") from None
    except (OSError, ValueError) as error:
        raise BowerbirdError(f"{path} is not readable ({error}); unpack it again") from None
    if not isinstance(notes, dict) or not all(isinstance(facts, dict) for facts in notes.values()):
        raise BowerbirdError(f"{path} is not a list of notes as NSynth has it; unpack it again")
    files = {PurePosixPath(name).stem: name for name in names}
    rows: list[dict[str, str]] = [
        {FILE: str(files.get(note, note)), **{column: _cell(facts.get(key, "")) for column, key in NSYNTH_COLUMNS.items()}}
        for note, facts in notes.items()
    ]
    return Table(rows, [FILE, *NSYNTH_COLUMNS], FILE, str(path), "family,pitch")


def _cell(fact: Any) -> str:
    """A list becomes tags, an empty one the set without any."""
    return (",".join(map(str, fact)) or "none") if isinstance(fact, list) else str(fact)


def _only_table(folder: Path) -> Path:
    tables = sorted(folder.glob("*.csv"))
    if len(tables) != 1:
        found = known([table.name for table in tables])
        raise UsageError(f"{folder} has {len(tables)} csv files; name the one to read with --csv; {found}")
    return tables[0]
