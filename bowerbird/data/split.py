"""Sounds set apart for validation, without a near-duplicate of them left in the training."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["set_apart"]


def set_apart(
    entries: list[dict[str, Any]], groups: list[str], duplicates: list[list[int]], share: float, keep: list[str]
) -> None:
    """Marks about `share` of the sounds "validation"; files, groups and near-duplicates stay on one side.

    Every label of the conditions `keep` keeps at least one sound for training.
    """

    def named(indices: Iterable[int]) -> Counter[tuple[str, str]]:
        return Counter((name, entries[index]["labels"][name]) for index in indices for name in keep)

    owner = {name: name for name in groups}

    def root(name: str) -> str:
        while owner[name] != name:
            name = owner[name]
        return name

    for group in duplicates:
        for index in group[1:]:
            owner[root(groups[index])] = root(groups[group[0]])
    members: dict[str, list[int]] = {}
    for index, name in enumerate(groups):
        members.setdefault(root(name), []).append(index)
    left = named(range(len(entries)))
    wanted = share * len(entries)
    order = sorted(members)
    np.random.default_rng(0).shuffle(order)
    for name in order:
        takes = named(members[name])
        if len(members[name]) <= wanted and all(left[label] > count for label, count in takes.items()):
            wanted -= len(members[name])
            left -= takes
            for index in members[name]:
                entries[index]["part"] = "validation"
