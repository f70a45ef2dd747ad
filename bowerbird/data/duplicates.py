"""Finds sounds that are nearly the same, such as one recording saved twice or velocity layers of one drum."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEAR_DB", "near_duplicates"]

NEAR_DB = 2.0  # root mean square difference of two signatures, in dB per cell (docs/log.md says what it catches)


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
    near = radius_neighbors_graph(signatures, radius, mode="connectivity", include_self=False)
    first: dict[str, int] = {}
    same = [(index, first.setdefault(digest, index)) for index, digest in enumerate(digests)]
    rows, columns = np.array(same).T
    links = near + coo_array((np.ones(count), (rows, columns)), shape=(count, count)).tocsr()
    _, component = connected_components(links, directed=False)
    order = np.argsort(component, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(component[order])) + 1)
    return [sorted(int(index) for index in group) for group in groups if len(group) > 1]
