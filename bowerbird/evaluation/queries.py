"""What people really type, and the class they mean: read from a file, and asked of an instrument."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions.words import words
from bowerbird.errors import UsageError, known
from bowerbird.evaluation.agreement import agreement
from bowerbird.evaluation.heard import Heard
from bowerbird.evaluation.listener import Listener
from bowerbird.evaluation.variety import variety_of_one
from bowerbird.instrument import Instrument
from bowerbird.table_file import read_header, read_lines, read_table

__all__ = ["Query", "ask", "read_queries"]

TEXT_COLUMNS, CLASS_COLUMNS = ("text", "query", "caption"), ("class", "label", "category")
TIMES = 4  # sounds of each query


@dataclass(frozen=True)
class Query:
    """What a person typed, and the class they meant, where it is known."""

    text: str
    meant: str = ""


def read_queries(path: Path) -> list[Query]:
    """A csv with a column of texts and maybe one of classes, or a plain list with a query per line."""
    columns = {name.casefold(): name for name in read_header(path)}
    text = next((columns[name] for name in TEXT_COLUMNS if name in columns), None)
    if text is None:
        found = [Query(line.strip()) for line in read_lines(path)]
    else:
        meant = next((columns[name] for name in CLASS_COLUMNS if name in columns), "")
        found = [Query(row[text].strip(), row[meant].strip() if meant else "") for row in read_table(path)[0]]
    found = [query for query in found if words(query.text)]
    if not found:
        raise UsageError(f"{path} holds no queries; write one on each line, or a csv with the columns text and class")
    return found


def ask(
    instrument: Instrument,
    name: str,
    queries: list[Query],
    real: Heard,
    a: NDArray[np.floating],
    listener: Listener,
    seed: int,
) -> dict[str, float]:
    """`label/…_queries_generated`: how often sounds made from the text of a query alone, everything else being drawn, are
    heard as the class that is meant, each class counted alike; beside it how often real sounds of those classes are; and how
    much the sounds of one query differ, for the real ones of the class that it means.

    `name` is the text condition, `a` (B, E) what the listener hears in the real sounds. A query of unknown words is told of
    and answered by any sound. UsageError where no sound is of a class that is meant, or none of the queries means one.
    """
    meant = [query for query in queries if query.meant]
    unknown = {query.meant for query in meant} - set(real.names)
    if unknown or not meant:
        what = (
            f'no sound is of class "{min(unknown)}", which a query means' if unknown else "no query says what class it means"
        )
        raise UsageError(f"{what}; {known(set(real.names.tolist()))}")
    asked = [query for query in meant for _ in range(TIMES)]
    seeds = [seed + k for k in range(len(asked))]
    strange = {query.text for query in meant if not _is_known(instrument, name, query.text)}
    for one in sorted(strange):
        print(f'the query "{one}" says nothing to this instrument: any sound answers it', file=sys.stderr)
    said = [{} if query.text in strange else {name: query.text} for query in asked]
    labels = [instrument.choose(one, seed=seed) for one, seed in zip(said, seeds, strict=True)]
    b = listener(np.stack([sound for sound, _ in instrument.play(labels, seeds)]))
    names = np.array([query.meant for query in asked])
    agreed = agreement(a, real.names, real.groups, b, names)
    if agreed is None:
        return {}
    meaning = np.array([query.text not in strange for query in asked])
    varied = variety_of_one(a, real.names, b[meaning], names[meaning], TIMES)
    figures = {
        f"label/{name}_queries_generated": agreed.generated,
        f"label/{name}_queries_real": agreed.real,
        "variety/of_one_query": varied,
    }
    return {figure: value for figure, value in figures.items() if np.isfinite(value)}


def _is_known(instrument: Instrument, name: str, text: str) -> bool:
    try:
        instrument.choose({name: text})
    except UsageError:
        return False
    return True
