"""Finds sounds that are nearly the same, such as one recording saved twice or velocity layers of one drum."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEAR_DB", "near_duplicates"]

NEAR_DB = 2.0  # root mean square difference of two signatures over audible cells (docs/log.md: what it catches)
FLOOR_DB = -60.0
ROWS_AT_ONCE = 512


def near_duplicates(signatures: NDArray[np.float32], digests: list[str]) -> list[list[int]]:
    """Groups (two or more indices, sorted) of sounds that are equal or nearer than NEAR_DB, chained.

    signatures: (sounds, cells) band levels in dB. Time grows with the square of the number of sounds (10,000: seconds),
    memory with the number of near pairs.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(digests)
    first: dict[str, int] = {}
    same = [(index, first.setdefault(digest, index)) for index, digest in enumerate(digests)]
    links = np.concatenate([_near_pairs(signatures), np.array(same)])
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    order = np.argsort(component, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(component[order])) + 1)
    return [sorted(int(index) for index in group) for group in groups if len(group) > 1]


def _near_pairs(signatures: NDArray[np.float32]) -> NDArray[np.int64]:
    """Pairs (pairs, 2), lower index first, whose audible cells differ by less than NEAR_DB."""
    power = np.square(signatures).sum(1)
    pairs = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(signatures), ROWS_AT_ONCE):
        block = signatures[start : start + ROWS_AT_ONCE]
        # Over all cells first, one product for a block: cells silent in both only make two sounds look nearer.
        squared = power[start : start + ROWS_AT_ONCE, None] + power[None, start:] - 2 * block @ signatures[start:].T
        near = np.argwhere(np.triu(squared < NEAR_DB**2 * signatures.shape[1] + 1.0, 1)) + start
        pairs.append(near[_differences_db(signatures[near[:, 0]], signatures[near[:, 1]]) < NEAR_DB])
    return np.concatenate(pairs)


def _differences_db(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Root mean square difference of each pair of rows over the cells that are audible in either."""
    audible = (np.maximum(first, second) > FLOOR_DB).sum(1)
    return np.asarray(np.sqrt(np.square(first - second).sum(1) / np.maximum(audible, 1)))
