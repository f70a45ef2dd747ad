"""Anchors: a place in latent space for every training sound, so that the generator learns what `z` is for.

Left to itself the generator of a small set gives one sound per label and ignores `z`. Here the first few latent numbers of
a training sound are what its label does not tell about it, and during training the generator is also asked to draw each
sound from its anchor. Related: generative latent optimisation (Bojanowski et al. 2018), which learns such places, and the
conditional VAE-GAN (Bao et al. 2017), which trains an encoder for them; ours is a fixed principal component analysis.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from torch import Tensor
from torch.nn import functional

__all__ = ["anchors"]

POOL = 4  # cells of a picture are averaged over so many rows and frames
AT_ONCE = 256
MOST_FITTED = 5000
SHRINK = 2.0  # a label's mean is pulled towards its class's as by so many sounds
LEAST_SPREAD = 0.2  # of the mean spread


def anchors(pictures: NDArray[np.float16], encoded: Tensor, dimensions: int) -> Tensor:
    """Pictures (sounds, C, F, L) with encoded labels (sounds, N) -> first latent numbers (sounds, dimensions).

    Principal components of what is left of the pictures when a linear prediction from the labels is taken away, scaled by
    the spread that the labels predict, then ranked onto normal quantiles: whatever the label, they are about standard
    normal, as latents are. Fewer columns than `dimensions` where there are fewer sounds.
    """
    if not dimensions:
        return torch.zeros(len(pictures), 0)
    cells = np.concatenate([_pooled(pictures[start : start + AT_ONCE]) for start in range(0, len(pictures), AT_ONCE)])
    dimensions = min(dimensions, len(cells) - 1, cells.shape[1])
    if dimensions < 1 or not np.ptp(cells, 0).any():  # nothing to tell apart
        return torch.zeros(len(cells), 0)
    labels = encoded.numpy() if encoded.shape[1] else np.zeros((len(cells), 1), np.float32)
    fitted = np.random.default_rng(0).permutation(len(cells))[:MOST_FITTED]
    told = Ridge(SHRINK).fit(labels[fitted], cells[fitted])
    cells -= told.predict(labels)
    found = PCA(dimensions, random_state=0).fit(cells[fitted]).transform(cells)
    size = np.abs(found)
    spread = Ridge(SHRINK).fit(labels[fitted], size[fitted]).predict(labels)
    found /= np.maximum(spread, LEAST_SPREAD * size.mean(0) + 1e-9)
    ranks = found.argsort(0, kind="stable").argsort(0, kind="stable")
    return torch.from_numpy(ndtri((ranks + 0.5) / len(found)).astype(np.float32))


def _pooled(pictures: NDArray[np.float16]) -> NDArray[np.float32]:
    pool = min(POOL, pictures.shape[2]), POOL
    return functional.avg_pool2d(torch.from_numpy(pictures.astype(np.float32)), pool).flatten(1).numpy()
