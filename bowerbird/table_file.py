"""Reads csv tables of people, whichever of , ; and tab separates their cells."""

import csv
from pathlib import Path

from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["read_header", "read_lines", "read_table"]


def read_lines(path: Path) -> list[str]:
    """The lines of a text file; UsageError where there is none, BowerbirdError where it is not text."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except UnicodeDecodeError:
        raise BowerbirdError(f"{path} is not readable text; save it as UTF-8") from None
    except OSError as error:
        raise BowerbirdError(f"{path} cannot be read ({error.strerror}); give a text file") from None


def read_header(path: Path) -> list[str]:
    """The names of a table's columns: the cells of its first line, whatever follows."""
    lines = read_lines(path)[:1]
    return [name.strip() for name in next(csv.reader(lines, delimiter=_delimiter(lines)), [])]


def read_table(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Rows by column name, and the names; cells that are missing are empty.

    UsageError, with its line, for a row of more cells than the header has and for a quote that is never closed: either
    would lose what people wrote.
    """
    lines = read_lines(path)
    reader = csv.DictReader(lines, delimiter=_delimiter(lines), restkey="", restval="", strict=True)
    header = reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    rows = []
    try:
        for row in reader:
            if any(cell.strip() for cell in row.get("", [])) and "" not in header:
                raise UsageError(
                    f"line {reader.line_num} of {path} has more cells than the header; put a text that holds "
                    f'"{reader.reader.dialect.delimiter}" in quotes'
                )
            rows.append({name: cell for name, cell in row.items() if name})
    except csv.Error as error:
        raise UsageError(f"line {reader.line_num} of {path}: {error}; mend the quotes") from None
    return rows, header


def _delimiter(lines: list[str]) -> str:
    return max(",;\t", key=(lines or [""])[0].count)
