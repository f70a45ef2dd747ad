"""Conditions: what can be asked of an instrument. Each knows how to parse, encode, draw and describe its labels."""

from bowerbird.conditions.category import Category

__all__ = ["CONDITIONS"]

CONDITIONS = {
    "category": Category,
}
