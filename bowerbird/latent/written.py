"""JSON that people edit, read into dataclasses: every value is of the kind that its field says, or there is a sentence."""

import json
from dataclasses import MISSING, fields, is_dataclass
from types import UnionType
from typing import Any, get_args, get_origin

from bowerbird.errors import UsageError, known

__all__ = ["read_written"]

MUST_BE = {
    bool: "true or false", int: "a whole number", float: "a number", str: 'a text, in "quotes"',
    list: "a list, in [brackets]", dict: "names with values, in {braces}",
}  # fmt: skip
SHOWN = 60  # letters of a wrong value


def read_written(kind: Any, value: Any, where: str = "") -> Any:
    """`value`, as JSON gives it, as a `kind`: a dataclass, a list or dict of kinds, or a plain type.

    UsageError says `where` something is of another kind, missing or not known, or what the dataclass says of its values.
    """
    origin = get_origin(kind)
    if origin is UnionType:  # a kind or none
        return None if value is None else read_written(get_args(kind)[0], value, where)
    if kind is float and type(value) is int:
        return float(value)
    plain = dict if is_dataclass(kind) else origin or kind
    if type(value) is not plain:
        shown = json.dumps(value)
        shown = shown[:SHOWN] + "…" if len(shown) > SHOWN else shown
        raise UsageError(f"{where or 'it'} is {shown}; it must be {MUST_BE[plain]}")
    if origin is list:
        return [read_written(get_args(kind)[0], one, f"{where}[{number}]") for number, one in enumerate(value)]
    if origin is dict:
        return {name: read_written(get_args(kind)[1], one, f"{where}.{name}") for name, one in value.items()}
    return _filled(kind, value, where) if is_dataclass(kind) else value


def _filled(kind: Any, values: dict[str, Any], where: str) -> Any:
    there = {one.name: one for one in fields(kind)}
    if unknown := set(values) - set(there):
        raise UsageError(f'{where or "it"} has no "{min(unknown)}"; {known(there)}')
    needed = {name for name, one in there.items() if one.default is MISSING and one.default_factory is MISSING}
    if missing := needed - set(values):
        raise UsageError(f'{where or "it"} lacks "{min(missing)}"')
    start = f"{where}." if where else ""
    given = {name: read_written(there[name].type, value, start + name) for name, value in values.items()}
    try:
        return kind(**given)
    except UsageError as error:
        raise UsageError(f"{where}: {error}" if where else str(error)) from None
