"""Whether an instrument remembers instead of inventing: distances to the nearest training sound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances, pairwise_distances_argmin, pairwise_distances_argmin_min

__all__ = ["Memory", "memory"]

Embeddings = NDArray[np.floating]
COPY = 0.05  # a generated sound nearer than all but this share of real sounds are to their nearest is a near-copy
AT_ONCE, LEAST_HELD_OUT = 1000, 20


@dataclass(frozen=True)
class Memory:
    """Nearest training sounds of generated ones, and what a sound that cannot be a copy has."""

    nearest: NDArray[np.integer]  # of each generated sound, index of its nearest training sound (B,)
    distance: NDArray[np.floating]  # to it (B,)
    ratio: float  # median distance over that of the reference; 1 is as new as an unseen real sound
    copies: float  # share of generated sounds that are near-copies
    reference_copies: float  # the same share among real sounds: COPY by definition, another one among held-out sounds

    def nearest_first(self, most: int) -> list[int]:
        """The generated sounds nearest to a training sound."""
        return [int(row) for row in np.argsort(self.distance)[:most]]


def memory(
    training: Embeddings, groups: NDArray[np.integer], made: Embeddings, held_out: Embeddings | None = None
) -> Memory:
    """`groups` (training sounds,) names near-duplicates, which do not count as each other's neighbours.

    Without sounds held out from training, each training sound's distance to the nearest of another group stands in.
    """
    nearest = pairwise_distances_argmin(made, training)
    distance = np.linalg.norm(made - training[nearest], axis=1)
    between = np.concatenate([_to_others(training, groups, start) for start in range(0, len(training), AT_ONCE)])
    between = between[np.isfinite(between)]
    reference = between
    if held_out is not None and len(held_out) >= LEAST_HELD_OUT:
        reference = pairwise_distances_argmin_min(held_out, training)[1]
    limit = np.quantile(between, COPY) if len(between) else 0.0
    return Memory(
        nearest,
        distance,
        float(np.median(distance) / max(float(np.median(reference)) if len(reference) else 1.0, 1e-9)),
        float((distance < limit).mean()),
        float((reference < limit).mean()) if len(reference) else 0.0,
    )


def _to_others(training: Embeddings, groups: NDArray[np.integer], start: int) -> NDArray[np.floating]:
    """Distance of some training sounds to the nearest of another group; infinite where there is none."""
    rows = slice(start, start + AT_ONCE)
    apart = pairwise_distances(training[rows], training)
    apart[groups[rows, None] == groups[None]] = np.inf
    return np.asarray(apart.min(1))
