"""Conditions: kinds of label. Each knows how it is typed, encoded, measured on the data, and drawn where it is left open."""

from bowerbird.conditions.category import Category
from bowerbird.conditions.interface import Condition
from bowerbird.conditions.number import Brightness, Number
from bowerbird.conditions.pitch import Pitch
from bowerbird.conditions.tags import Tags
from bowerbird.conditions.text import Text

__all__ = ["CONDITIONS", "kind_of"]


def kind_of(column: str) -> str:
    """The kind of label that a column of a table is taken for by its name."""
    return next((kind for kind, cls in CONDITIONS.items() if column.casefold() in cls.columns), "category")


CONDITIONS: dict[str, type[Condition]] = {
    "category": Category,
    "pitch": Pitch,
    "tags": Tags,
    "number": Number,
    "brightness": Brightness,
    "text": Text,
}
