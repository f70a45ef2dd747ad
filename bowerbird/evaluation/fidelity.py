"""How near a set of generated sounds is to a set of real ones, as sets of embeddings (B, E)."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from scipy.stats import norm
from sklearn.cluster import KMeans
from sklearn.metrics import pairwise_distances

__all__ = ["different_bins", "frechet", "kad", "manifold"]

Embeddings = NDArray[np.floating]
SCALE = 100.0  # of KAD, so that figures are readable
NEIGHBOURS = 5
BINS = 50


def kad(real: Embeddings, made: Embeddings, *, draws: int = 100, seed: int = 0) -> tuple[float, float, float]:
    """Kernel audio distance and its 95 % bootstrap interval: (value, low, high), 0 where both come from one source.

    Unbiased squared maximum mean discrepancy (Gretton et al. 2012, eq. 3) with a Gaussian kernel as wide as the median
    distance between real sounds (Chung et al. 2025), times 100.
    """
    both = np.concatenate([real, made])
    squared = pairwise_distances(both, metric="sqeuclidean")
    n = len(real)
    width = np.median(squared[:n, :n][np.triu_indices(n, 1)])
    kernel = np.exp(-squared / max(2 * width, 1e-12))
    random = np.random.default_rng(seed)
    m = len(made)
    once = [(np.ones(n), np.ones(m))]
    drawn = [(_resampled(n, random), _resampled(m, random)) for _ in range(draws)]
    values = [SCALE * _mmd(kernel, a, b) for a, b in once + drawn]
    low, high = np.quantile(values[1:], [0.025, 0.975]) if draws else (values[0], values[0])
    return float(values[0]), float(low), float(high)


def _resampled(count: int, random: np.random.Generator) -> NDArray[np.floating]:
    """How often each sound is drawn when as many are drawn with replacement."""
    return random.multinomial(count, np.full(count, 1 / count)).astype(float)


def _mmd(kernel: NDArray[np.floating], a: NDArray[np.floating], b: NDArray[np.floating]) -> float:
    """Unbiased, with weights: a sound drawn twice is never compared with itself."""
    n = len(a)

    def within(block: NDArray[np.floating], w: NDArray[np.floating]) -> float:
        return float((w @ block @ w - (w * w * np.diag(block)).sum()) / (w.sum() ** 2 - (w * w).sum()))

    across = float(a @ kernel[:n, n:] @ b / (a.sum() * b.sum()))
    return within(kernel[:n, :n], a) + within(kernel[n:, n:], b) - 2 * across


def frechet(real: Embeddings, made: Embeddings) -> float:
    """Fréchet distance between Gaussians fitted to both sets (Heusel et al. 2017, eq. 6)."""
    a, b = (np.atleast_2d(np.cov(points, rowvar=False)) for points in (real, made))
    # A little of the identity keeps the root real where a set has fewer sounds than dimensions.
    ridge = np.eye(len(a)) * (1e-6 * np.trace(a) / len(a) + 1e-9)
    root = np.real(sqrtm((a + ridge) @ (b + ridge)))
    return float(np.square(real.mean(0) - made.mean(0)).sum() + np.trace(a) + np.trace(b) - 2 * np.trace(root))


def manifold(real: Embeddings, made: Embeddings, neighbours: int = NEIGHBOURS) -> dict[str, float]:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020), by k nearest neighbours."""
    inside_real = pairwise_distances(real)
    inside_made = pairwise_distances(made)
    across = pairwise_distances(real, made)
    reach_real = np.sort(inside_real, 1)[:, min(neighbours, len(real) - 1)]
    reach_made = np.sort(inside_made, 1)[:, min(neighbours, len(made) - 1)]
    within = across < reach_real[:, None]
    return {
        "precision": float(within.any(0).mean()),
        "recall": float((across < reach_made[None]).any(1).mean()),
        "density": float(within.sum(0).mean() / neighbours),
        "coverage": float((across.min(1) < reach_real).mean()),
    }


def different_bins(real: Embeddings, made: Embeddings) -> float:
    """Share of bins, clusters of the real sounds, that hold another share of the generated ones (Richardson & Weiss 2018).

    NDB / K: two-proportion test at the 5 % level in each bin. Two halves of one set have about 0.05.
    """
    bins = min(BINS, len(real) // 10)
    if bins < 2:
        return 0.0
    clusters = KMeans(bins, n_init=4, random_state=0).fit(real)
    shares = [np.bincount(labels, minlength=bins) / len(labels) for labels in (clusters.labels_, clusters.predict(made))]
    pooled = (shares[0] * len(real) + shares[1] * len(made)) / (len(real) + len(made))
    error = np.sqrt(pooled * (1 - pooled) * (1 / len(real) + 1 / len(made)))
    return float((2 * norm.sf(np.abs(shares[0] - shares[1]) / np.maximum(error, 1e-12)) < 0.05).mean())
