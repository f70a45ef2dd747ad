"""Reads csv tables of people, whichever of , ; and tab separates their cells."""

import csv
from pathlib import Path

from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["read_lines", "read_table"]


def read_lines(path: Path) -> list[str]:
    """The lines of a text file; UsageError where there is none, BowerbirdError where it is not text."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UsageError(f"there is no file {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BowerbirdError(f"{path} is not readable text ({error}); save it as UTF-8") from None


def read_table(path: Path) -> tuple[list[dict[str, str]], list[str]]:
    """Rows by column name, and the names; cells that are missing are empty and those too many are left out."""
    lines = read_lines(path)
    first = lines[0] if lines else ""
    reader = csv.DictReader(lines, delimiter=max(",;\t", key=first.count), restkey="", restval="")
    header = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = header
    return [{name: cell for name, cell in row.items() if name} for row in reader], header
