"""Reads csv tables of people, whichever of , ; and tab separates their cells."""

import csv
from itertools import zip_longest
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
    lines = [line for line in read_lines(path) if line.strip()][:1]
    return _header(next(csv.reader(lines, delimiter=_delimiter(lines), skipinitialspace=True), []))


def read_table(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Rows by column name, and the names; cells that are missing are empty, columns without a name are left out.

    UsageError, with its line, for a row of more cells than the header has and for a quote that is never closed: either
    would lose what people wrote.
    """
    lines = read_lines(path)
    reader = csv.reader(lines, delimiter=_delimiter(lines), skipinitialspace=True)
    header: list[str] = []
    rows = []
    begins = 1
    try:
        for cells in reader:
            ends_file = begins < reader.line_num == len(lines)
            if ends_file and sum(line.count('"') for line in lines[begins - 1 :]) % 2:
                raise UsageError(f"line {begins} of {path} has a quote that is never closed; close it")
            if not header:
                header = _header(cells)
            elif any(cell.strip() for cell in cells[len(header) :]):
                raise UsageError(
                    f"line {begins} of {path} has more cells than the header; put texts with commas and the like in quotes"
                )
            elif cells:
                rows.append({name: cell for name, cell in zip_longest(header, cells, fillvalue="") if name})
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UsageError(f"line {begins} of {path} cannot be read ({error}); mend it") from None
    return rows, [name for name in header if name]


def _header(cells: list[str]) -> list[str]:
    """Without names that are missing at its end."""
    names = [name.strip() for name in cells]
    return names[: max((place for place, name in enumerate(names, 1) if name), default=0)]


def _delimiter(lines: list[str]) -> str:
    first = next((line for line in lines if line.strip()), "")
    return max(",;\t", key=first.count)
