"""Finds the sounds in a folder and what is said about them: by their folders, their names or a table."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bowerbird.audio import SUFFIXES
from bowerbird.data.tables import Table, csv_table, filename_table, nsynth_table
from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.midi import PITCH, midi_number

__all__ = ["LABELS", "Scan", "Source", "scan"]

LABELS = ("folder", "filename", "csv", "nsynth", "none")

LICENCE_COLUMNS = ("license", "licence")
UNSORTED = "unsorted"
FOLDER_CONDITION = "class"


@dataclass(frozen=True)
class Source:
    """One sound file and what is known of it before it is opened."""

    path: Path
    name: str  # relative to the folder, with forward slashes
    labels: dict[str, str] = field(default_factory=dict)  # by condition
    group: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Scan:
    """The sounds found and, by name, the files left out with the reason."""

    sources: list[Source]
    skipped: dict[str, str]


def scan(
    folder: Path,
    labels: str,
    *,
    table: Path | None = None,
    pattern: str | None = None,
    columns: str | None = None,
    group: str | None = None,
) -> Scan:
    """Every sound under `folder`, sorted by name, labelled as `labels` says (one of LABELS).

    `columns` names the label columns of a table or parts of a name pattern, conditions apart by commas and each from
    coarse to fine: "class/subclass,pitch"; `group` a column whose equal values belong together when a validation part is
    split off. UsageError for a missing folder or table.
    """
    if folder.is_file():
        raise UsageError(f"{folder} is a file; give the folder that holds your sounds")
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; give the folder that holds your sounds")
    if (folder / "config.json").is_file() and (folder / "cache").is_dir():
        raise UsageError(f"{folder} is a training run; give a dataset or a folder of sounds")
    names: dict[str, Path] = {}
    skipped: dict[str, str] = {}
    for path in _walk(folder, skipped):
        name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
        hidden = any(part.startswith(".") or part == "__MACOSX" for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SUFFIXES and hidden:
            skipped[name] = "hidden"
        elif path.suffix.lower() in SUFFIXES:
            names[name] = path
    if not names:
        if (folder / "dataset.json").is_file():
            raise UsageError(f"{folder} is a prepared dataset already; give it to `bowerbird train`")
        raise BowerbirdError(f"no sounds in {folder}; looked for {' '.join(sorted(SUFFIXES))}")
    if labels == "filename":
        read, unfit = filename_table(sorted(names), pattern or "")
        skipped.update(dict.fromkeys(unfit, f"its name does not fit {read.title}"))
        return _by_table(names, skipped, read, columns, group)
    if labels in ("csv", "nsynth"):
        read = csv_table(folder, table) if labels == "csv" else nsynth_table(folder, names)
        return _by_table(names, skipped, read, columns, group)
    found = _by_folder(names) if labels == "folder" else {}
    kept = [(name, {FOLDER_CONDITION: found[name]} if found else {}) for name in sorted(names)]
    return Scan([Source(names[name], name, label) for name, label in kept], skipped)


def _walk(folder: Path, skipped: dict[str, str]) -> Iterator[Path]:
    """Files below `folder`; links to folders are followed, each real folder once, so that loops end.

    Folders that cannot be opened go into `skipped`.
    """
    seen: set[str] = set()

    def unreadable(error: OSError) -> None:
        skipped[str(error.filename)] = f"folder not readable ({error.strerror})"

    for root, folders, files in os.walk(folder, onerror=unreadable, followlinks=True):
        real = os.path.realpath(root)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders.sort()
        yield from (Path(root, file) for file in sorted(files))


def _by_folder(names: dict[str, Path]) -> dict[str, str]:
    """The folders a sound lies in, without those that all sounds share; nothing where there are none."""
    parents = {name: Path(name).parent.parts for name in names}
    shared = next((i for i, level in enumerate(zip(*parents.values(), strict=False)) if len(set(level)) > 1), None)
    if shared is None:  # one folder lies above the others, or all sounds are in one
        shared = min(len(parts) for parts in parents.values())
    labels = {name: "/".join(" ".join(part.split()) for part in parts[shared:]) for name, parts in parents.items()}
    return {name: label or UNSORTED for name, label in labels.items()} if any(labels.values()) else {}


def _by_table(names: dict[str, Path], skipped: dict[str, str], table: Table, columns: str | None, group: str | None) -> Scan:
    wanted = _conditions(table, columns)
    for column in [*(column for parts in wanted.values() for column in parts), *([group] if group else [])]:
        if column not in table.header:
            raise UsageError(f'{table.title} has no column "{column}"; {known(table.header)}')
    licence_column = next((column for column in LICENCE_COLUMNS if column in table.header), None)
    sources: dict[str, Source] = {}
    for row in table.rows:
        name = row[table.file_column].strip().replace("\\", "/")
        if name not in names:
            skipped[name] = f"named in {table.title} but not there"
        elif name in sources:
            skipped[f"{name} (again)"] = f"named twice in {table.title}; the first row counts"
        else:
            try:
                labels = {condition: _label(condition, parts, row) for condition, parts in wanted.items()}
            except ValueError as error:
                skipped[name] = f'"{error}" is no pitch: a MIDI number or a note such as A3'
                continue
            licence = row[licence_column].strip() if licence_column else None
            sources[name] = Source(names[name], name, labels, row[group] if group else None, licence)
    skipped.update({name: f"not named in {table.title}" for name in names if name not in sources and name not in skipped})
    if not sources:
        why, count = Counter(skipped.values()).most_common(1)[0]
        raise BowerbirdError(f"{table.title} labels none of the sounds; for {count} of them: {why}")
    return Scan([sources[name] for name in sorted(sources)], skipped)


def _conditions(table: Table, columns: str | None) -> dict[str, list[str]]:
    """`class/subclass,pitch` -> {"class": ["class", "subclass"], "pitch": ["pitch"]}."""
    written = columns or table.usual
    if not written:
        raise UsageError(f"{table.title} has no label column; name one with --columns; {known(table.header)}")
    split = [[column.strip() for column in part.split("/")] for part in written.split(",")]
    return {parts[0]: parts for parts in split}


def _label(condition: str, parts: list[str], row: dict[str, str]) -> str:
    """ValueError for a pitch that is none."""
    if condition == PITCH:
        return f"{midi_number(row[parts[0]]):g}"
    values = [row[column].strip().replace("/", "-") for column in parts]
    return "/".join(value for value in values if value) or UNSORTED
