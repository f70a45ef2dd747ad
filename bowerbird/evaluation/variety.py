"""Whether sounds of one label differ: distances within labels, twins, and the share of variation that lies within labels."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import pairwise_distances

__all__ = ["Variety", "share_repeated", "share_within", "variety", "variety_of_one"]

Embeddings = NDArray[np.floating]
Names = NDArray[np.str_]
SAME = 0.01  # of the spread of all real sounds


@dataclass(frozen=True)
class Variety:
    """All distances are between embeddings."""

    ratio: float  # mean distance within a label, generated over real, averaged over labels; NaN where no label has two
    per_label: dict[str, float]
    twins: float  # share of generated sounds nearer to another of their label than nearly all real pairs are
    real_twins: float


def variety(real: Embeddings, names: Names, made: Embeddings, asked: Names) -> Variety:
    """Labels with fewer than two real sounds are left out, and those whose real sounds are all the same."""
    labels = [n for n in sorted(set(asked)) if (names == n).sum() > 1 and (asked == n).sum() > 1]
    per_label, real_near, made_near = {}, [], []
    overall = np.sqrt(real.var(0).sum())
    for label in labels:
        apart_real, apart_made = pairwise_distances(real[names == label]), pairwise_distances(made[asked == label])
        if _mean(apart_real) <= SAME * overall:
            continue
        per_label[label] = _mean(apart_made) / max(_mean(apart_real), 1e-9)
        scale = max(_mean(apart_real), 1e-9)
        real_near.append(_nearest(apart_real) / scale)
        # No more than there are real ones: among many the nearest is nearer.
        count = len(apart_real)
        made_near.append(_nearest(apart_made[:count, :count]) / scale)
    near = np.concatenate(real_near) if real_near else np.ones(1)
    limit = np.quantile(near[near > 0], 0.05) if near.any() else 0.0  # whatever the share of doubled files
    made_all = np.concatenate(made_near) if made_near else np.ones(1)
    return Variety(
        float(np.mean(list(per_label.values()))) if per_label else float("nan"),
        per_label,
        float((made_all < limit).mean()),
        float((near < limit).mean()),
    )


def variety_of_one(real: Embeddings, names: Names, made: Embeddings, asked: Names, times: int) -> float:
    """Mean distance among sounds of one and the same question, `times` in a row, over that of its class's real sounds.

    NaN where no class has two.
    """
    classes = {name: _mean(pairwise_distances(real[names == name])) for name in set(asked) if (names == name).sum() > 1}
    starts = [start for start in range(0, len(made) - times + 1, times) if classes.get(asked[start], 0.0) > 0]
    ratios = [_mean(pairwise_distances(made[start : start + times])) / classes[asked[start]] for start in starts]
    return float(np.mean(ratios)) if ratios else float("nan")


def _mean(apart: NDArray[np.floating]) -> float:
    return float(apart[np.triu_indices(len(apart), 1)].mean())


def _nearest(apart: NDArray[np.floating]) -> NDArray[np.floating]:
    apart = apart + np.diag(np.full(len(apart), np.inf))
    return np.asarray(apart.min(1))


def share_within(embeddings: Embeddings, names: Names) -> float:
    """Share of the total variance that is left when every sound's label mean is taken away."""
    total = np.square(embeddings - embeddings.mean(0)).sum()
    left = sum(np.square(e - e.mean(0)).sum() for e in (embeddings[names == n] for n in set(names)))
    return float(left / max(total, 1e-12))


def share_repeated(embeddings: Embeddings, groups: NDArray[np.integer], everything: Embeddings) -> float:
    """Variance within groups of equal full labels over that of `everything`: what the latent, not the labels, decides.

    Without bias by the size of groups; NaN where none has two sounds.
    """
    sizes = np.bincount(groups)
    means = np.stack([np.bincount(groups, column) for column in embeddings.T], 1) / np.maximum(sizes, 1)[:, None]
    freedom = np.maximum(sizes - 1, 0).sum()
    within = np.square(embeddings - means[groups]).sum() / freedom if freedom else np.nan
    return float(np.minimum(1.0, within / max(float(everything.var(0, ddof=1).sum()), 1e-12)))
