"""Finds sounds that are nearly the same, such as one recording saved twice or velocity layers of one drum."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEAR_DB", "near_duplicates"]

NEAR_DB = 2.0  # root mean square difference of two signatures over audible cells (docs/log.md: what it catches)
FLOOR_DB = -60.0
PAIRS_AT_ONCE = 50_000


def near_duplicates(signatures: NDArray[np.float32], digests: list[str]) -> list[list[int]]:
    """Groups (two or more indices, sorted) of sounds that are equal or nearer than NEAR_DB, chained.

    signatures: (sounds, cells) band levels in dB. Memory grows with the number of near pairs, not of all pairs.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from sklearn.neighbors import radius_neighbors_graph

    count = len(digests)
    if count < 2:
        return []
    radius = NEAR_DB * signatures.shape[1] ** 0.5
    # Over all cells first, which a tree can search: cells silent in both can only make two sounds look nearer.
    near = radius_neighbors_graph(signatures, radius, mode="connectivity", include_self=False).tocoo()
    pairs = np.stack(near.coords, 1)
    pairs = pairs[pairs[:, 0] < pairs[:, 1]]
    pairs = pairs[_differences_db(signatures, pairs) < NEAR_DB]
    first: dict[str, int] = {}
    same = [(index, first.setdefault(digest, index)) for index, digest in enumerate(digests)]
    links = np.concatenate([pairs, np.array(same)])
    graph = coo_array((np.ones(len(links)), (links[:, 0], links[:, 1])), shape=(count, count))
    _, component = connected_components(graph, directed=False)
    order = np.argsort(component, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(component[order])) + 1)
    return [sorted(int(index) for index in group) for group in groups if len(group) > 1]


def _differences_db(signatures: NDArray[np.float32], pairs: NDArray[np.integer]) -> NDArray[np.float32]:
    """Root mean square difference of each pair (pairs, 2) over the cells that are audible in either."""
    differences = [np.zeros(0, np.float32)]
    for start in range(0, len(pairs), PAIRS_AT_ONCE):
        first, second = (signatures[pairs[start : start + PAIRS_AT_ONCE, side]] for side in (0, 1))
        audible = np.maximum(first, second) > FLOOR_DB
        differences.append(np.sqrt(np.square(first - second).sum(1) / np.maximum(audible.sum(1), 1)))
    return np.concatenate(differences)
