"""Finds the sounds in a folder and what is said about them: by their folders or by a table."""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bowerbird.audio import SUFFIXES
from bowerbird.errors import BowerbirdError, UsageError, known

__all__ = ["Scan", "Source", "scan"]

FILE_COLUMNS = ("file", "filename", "file_name", "path", "name")
LABEL_COLUMNS = ("label", "class", "category")
LICENCE_COLUMNS = ("license", "licence")
UNSORTED = "unsorted"


@dataclass(frozen=True)
class Source:
    """One sound file and what is known of it before it is opened."""

    path: Path
    name: str  # relative to the folder, with forward slashes
    label: str | None = None
    group: str | None = None
    licence: str | None = None


@dataclass(frozen=True)
class Scan:
    """The sounds found and, by name, the files left out with the reason."""

    sources: list[Source]
    skipped: dict[str, str]


def scan(folder: Path, labels: str, table: Path | None, columns: str | None, group: str | None) -> Scan:
    """Every sound under `folder`, sorted by name, labelled as `labels` says ("folder", "csv" or "none").

    `columns` names the table's label columns, "class/subclass" from coarse to fine; `group` a column whose equal
    values belong together when a validation part is split off. UsageError for a missing folder or table.
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
    if labels == "csv":
        return _by_table(folder, names, skipped, table, columns, group)
    found = _by_folder(names) if labels == "folder" else {}
    return Scan([Source(path, name, found.get(name)) for name, path in sorted(names.items())], skipped)


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


def _by_table(
    folder: Path, names: dict[str, Path], skipped: dict[str, str], table: Path | None, columns: str | None, group: str | None
) -> Scan:
    table = table or _only_table(folder)
    rows, header = _rows(table)
    file_column = next((column for column in FILE_COLUMNS if column in header), None)
    if file_column is None:
        raise UsageError(f"{table} has no column of file names ({', '.join(FILE_COLUMNS)}); {known(header)}")
    wanted = columns.split("/") if columns else [column for column in LABEL_COLUMNS if column in header][:1]
    if not columns and "subclass" in header:
        wanted.append("subclass")
    for column in [*wanted, *([group] if group else [])]:
        if column not in header:
            raise UsageError(f'{table} has no column "{column}"; {known(header)}')
    if not wanted:
        raise UsageError(
            f"{table} has no label column ({', '.join(LABEL_COLUMNS)}); name one with --columns; {known(header)}"
        )
    licence_column = next((column for column in LICENCE_COLUMNS if column in header), None)
    sources: dict[str, Source] = {}
    for row in rows:
        name = row[file_column].strip().replace("\\", "/")
        if name not in names:
            skipped[name] = f"named in {table.name} but not there"
        elif name in sources:
            skipped[f"{name} (again)"] = f"named twice in {table.name}; the first row counts"
        else:
            parts = [row[column].strip().replace("/", "-") for column in wanted]
            label = "/".join(part for part in parts if part) or UNSORTED
            licence = row[licence_column].strip() if licence_column else None
            sources[name] = Source(names[name], name, label, row[group] if group else None, licence)
    skipped.update({name: f"not named in {table.name}" for name in names if name not in sources})
    if not sources:
        raise BowerbirdError(f"no file named in {table} is in {folder}; names are relative to that folder")
    return Scan([sources[name] for name in sorted(sources)], skipped)


def _only_table(folder: Path) -> Path:
    tables = sorted(folder.glob("*.csv"))
    if len(tables) != 1:
        found = known([table.name for table in tables])
        raise UsageError(f"{folder} has {len(tables)} csv files; name the one to read with --csv; {found}")
    return tables[0]


def _rows(table: Path) -> tuple[list[dict[str, str]], list[str]]:
    """The table's rows and column names, whichever of , ; tab separates them."""
    try:
        text = table.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"there is no table {table}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BowerbirdError(f"{table} is not readable text ({error}); save it as UTF-8") from None
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    reader = csv.DictReader(text.splitlines(), delimiter=separator, restval="")
    header = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = header
    return list(reader), header
