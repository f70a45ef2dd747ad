"""Finds the sounds in a folder and what is said about them: by their folders, their names or a table."""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from bowerbird.audio import SUFFIXES
from bowerbird.conditions import CONDITIONS, kind_of
from bowerbird.data.tables import Table, csv_table, filename_table, nsynth_table, resolved
from bowerbird.errors import BowerbirdError, UsageError, known

__all__ = ["BOTH", "LABELS", "Scan", "Source", "add_captions", "scan"]

BOTH = "folder,filename"
LABELS = ("folder", "filename", BOTH, "csv", "nsynth", "none")

LICENCE_COLUMNS = ("license", "licence")
UNSORTED = "unsorted"
FOLDER_CONDITION, TEXT = "class", "text"


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
    """The sounds found, by name the files left out with the reason, and the kind of every condition by its name."""

    sources: list[Source]
    skipped: dict[str, str]
    kinds: dict[str, str] = field(default_factory=dict)


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

    "filename" without a `pattern` takes folders and name as raw text, "folder,filename" the folders as classes too. Texts
    are as they stand: `captions` reads them.
    `columns` names the label columns of a table or parts of a name pattern, conditions apart by commas and each from
    coarse to fine: "class/subclass,pitch"; a kind of label follows a colon where the name does not tell it: "wear:number".
    `group` is a column whose equal values belong together when a validation part is split off. UsageError for a missing
    folder or table.
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
    if pattern:
        read, unfit = filename_table(sorted(names), pattern)
        skipped.update(dict.fromkeys(unfit, f"its name does not fit {read.title}"))
        return _by_table(names, skipped, read, columns, group)
    if labels in ("csv", "nsynth"):
        read = resolved(csv_table(folder, table), folder, names) if labels == "csv" else nsynth_table(folder, names)
        return _by_table(names, skipped, read, columns, group)
    kinds: dict[str, str] = {}
    said: dict[str, dict[str, str]] = {name: {} for name in sorted(names)}
    if labels in ("filename", BOTH):
        kinds[TEXT] = TEXT
        said = {name: {TEXT: str(PurePosixPath(name).with_suffix(""))} for name in said}
    if labels in ("folder", BOTH) and (folders := _by_folder(names)):
        kinds[FOLDER_CONDITION] = "category"
        said = {name: label | {FOLDER_CONDITION: folders[name]} for name, label in said.items()}
    return Scan([Source(names[name], name, label) for name, label in said.items()], skipped, kinds)


def add_captions(found: Scan, folder: Path, path: Path) -> Scan:
    """The same sounds with raw texts from a table beside their other labels; a sound that it does not name has none.

    Further rows of a sound, and columns such as caption_2, are further captions of it: lines of its text.
    """
    names = {source.name for source in found.sources}
    table = resolved(csv_table(folder, path), folder, names)
    columns = [name for name in table.header if name.casefold().rstrip("_0123456789") in CONDITIONS[TEXT].columns]
    if not columns:
        raise UsageError(f"{path} has no column of texts ({', '.join(CONDITIONS[TEXT].columns)}); {known(table.header)}")
    skipped, texts = dict(found.skipped), dict[str, list[str]]()
    if not any(row[column].strip() for row in table.rows for column in columns):
        raise UsageError(f"{path} holds no texts; fill in its column {columns[0]}")
    for row in table.rows:
        name = row[table.file_column]
        said = [" ".join(row[column].split()) for column in columns]
        if name not in names:
            skipped.setdefault(name, f"captioned in {path} but not there")
        else:
            texts.setdefault(name, []).extend(filter(None, said))
    if not any(texts.values()):
        raise UsageError(f"{path} captions none of the sounds in {folder}; its {table.file_column} must name files of it")
    sources = [
        replace(source, labels=source.labels | {TEXT: "\n".join(texts.get(source.name, [])) or source.labels.get(TEXT, "")})
        for source in found.sources
    ]
    return Scan(sources, skipped, found.kinds | {TEXT: TEXT})


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
    wanted, kinds = _conditions(table, columns)
    for column in [*(column for parts in wanted.values() for column in parts), *([group] if group else [])]:
        if column not in table.header:
            raise UsageError(f'{table.title} has no column "{column}"; {known(table.header)}')
    licence_column = next((column for column in LICENCE_COLUMNS if column in table.header), None)
    sources: dict[str, Source] = {}
    for row in table.rows:
        name = row[table.file_column]
        if name not in names:
            skipped[name] = f"named in {table.title} but not there"
        elif name in sources:
            skipped[f"{name} (again)"] = f"named twice in {table.title}; the first row counts"
        else:
            try:
                labels = {condition: _label(kinds[condition], parts, row) for condition, parts in wanted.items()}
            except ValueError as error:
                skipped[name] = str(error)
                continue
            licence = row[licence_column].strip() if licence_column else None
            sources[name] = Source(names[name], name, labels, row[group] if group else None, licence)
    skipped.update({name: f"not named in {table.title}" for name in names if name not in sources and name not in skipped})
    if not sources:
        why, count = Counter(skipped.values()).most_common(1)[0]
        raise BowerbirdError(f"{table.title} labels none of the sounds; for {count} of them: {why}")
    for condition in wanted:
        if not any(source.labels[condition] for source in sources.values()):
            raise UsageError(f'the column "{condition}" of {table.title} is empty; leave it out of --columns')
    return Scan([sources[name] for name in sorted(sources)], skipped, kinds)


def _conditions(table: Table, columns: str | None) -> tuple[dict[str, list[str]], dict[str, str]]:
    """`class/subclass,wear:number` -> {"class": ["class", "subclass"], "wear": ["wear"]} and the kind of each."""
    written = columns or table.usual
    if not written:
        raise UsageError(f"{table.title} has no label column; name one with --columns; {known(table.header)}")
    wanted: dict[str, list[str]] = {}
    kinds: dict[str, str] = {}
    for part in written.split(","):
        names, _, kind = part.partition(":")
        columns_of = [column.strip() for column in names.split("/")]
        wanted[columns_of[0]], kinds[columns_of[0]] = columns_of, kind.strip() or kind_of(columns_of[0])
        if kinds[columns_of[0]] not in CONDITIONS:
            raise UsageError(f'there is no kind of label "{kind.strip()}"; {known(CONDITIONS)}')
        if len(columns_of) > 1 and kinds[columns_of[0]] not in ("category", TEXT):
            raise UsageError(f'"{names}" joins columns, which goes with classes and texts alone; put a comma between them')
    return wanted, kinds


def _label(kind: str, parts: list[str], row: dict[str, str]) -> str:
    """An empty text where the cells are; ValueError for a pitch that is none and the like."""
    values = [row[column].strip() for column in parts]
    if len(parts) == 1:
        return CONDITIONS[kind].read(values[0].replace("/", "-") if kind == "category" else values[0])
    return "/".join(value.replace("/", "-") for value in values if value)
