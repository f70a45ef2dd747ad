"""Whether an instrument remembers instead of inventing: distances to the nearest training sound."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

__all__ = ["Memory", "memory"]

Embeddings = NDArray[np.floating]
COPY = 0.05  # a generated sound nearer than all but this share of real sounds are to their nearest is a near-copy


@dataclass(frozen=True)
class Memory:
    """Nearest training sounds of generated ones, and what a sound that cannot be a copy has."""

    nearest: NDArray[np.integer]  # of each generated sound, index of its nearest training sound (B,)
    distance: NDArray[np.floating]  # to it (B,)
    ratio: float  # median distance over that of the reference; 1 is as new as an unseen real sound
    copies: float  # share of generated sounds that are near-copies
    reference: str  # "held-out sounds" or "other training sounds"
    reference_copies: float  # the same share among the reference: COPY by definition, more where it has duplicates


def memory(
    training: Embeddings, groups: NDArray[np.integer], made: Embeddings, held_out: Embeddings | None = None
) -> Memory:
    """`groups` (training sounds,) names near-duplicates, which do not count as each other's neighbours.

    Without sounds held out from training, each training sound's distance to the nearest of another group stands in.
    """
    across = pairwise_distances(made, training)
    inside = pairwise_distances(training)
    inside[groups[:, None] == groups[None]] = np.inf
    between = inside.min(1)
    between = between[np.isfinite(between)]
    if held_out is not None and len(held_out) >= 20:
        reference, said = pairwise_distances(held_out, training).min(1), "held-out sounds"
    else:
        reference, said = between, "other training sounds"
    distance = across.min(1)
    limit = np.quantile(between, COPY) if len(between) else 0.0
    return Memory(
        across.argmin(1),
        distance,
        float(np.median(distance) / max(float(np.median(reference)) if len(reference) else 1.0, 1e-9)),
        float((distance < limit).mean()),
        said,
        float((reference < limit).mean()) if len(reference) else 0.0,
    )
