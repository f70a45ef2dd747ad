"""What evaluation hears: embeddings of sounds from levels and textures, fitted on the user's own sounds and nothing else."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch import Tensor

__all__ = ["Listener", "describe"]

BANDS, SLOTS = 48, 14
LOWEST_HZ = 40.0
FLOOR_DB = -80.0  # under the loudest cell of a sound
AUDIBLE_DB = 60.0  # cells this far under the loudest say nothing of texture
TEXTURE_DB = 10 / np.log(10)  # natural logarithms to decibels
LEAST_SPREAD_DB = 3.0  # a feature that hardly varies must not be blown up
DIMENSIONS, SOUNDS_PER_DIMENSION = 64, 8  # more would fit these sounds better than others of the same kind

Sounds = NDArray[np.float32]


def describe(sounds: Sounds, rate_hz: int) -> NDArray[np.float32]:
    """Sounds (B, C, T) -> plain features (B, D): band levels over time, and two textures of each band.

    Levels are in dB under the loudest cell, over slots of time that grow from the attack on. Textures (McDermott &
    Simoncelli 2011 in spirit) tell tones from noise of the same level: how peaked a band is over frequency, and how rough
    over time.
    """
    return np.concatenate([_describe(sounds[start : start + 64], rate_hz) for start in range(0, len(sounds), 64)])


def _describe(sounds: Sounds, rate_hz: int) -> NDArray[np.float32]:
    n_fft = 2 ** round(np.log2(rate_hz * 0.046))
    hop = n_fft // 4
    batch = len(sounds)
    flat = torch.from_numpy(sounds).flatten(0, 1)
    window = torch.hann_window(n_fft)
    spectrum = torch.stft(flat, n_fft, hop, window=window, pad_mode="constant", return_complex=True)
    power = spectrum.abs().square() + 1e-9
    edges = _edges(LOWEST_HZ / rate_hz * n_fft, n_fft // 2 + 1, BANDS)
    times = _edges(1, power.shape[2], SLOTS)
    slots = _means(_means(power, edges, 1), times, 2)
    level_db = 10 * torch.log10(slots)
    loudest = level_db.amax((1, 2), keepdim=True)
    level_db = (level_db - loudest).clamp_min(FLOOR_DB)
    coarse = [*edges[:-1:2], edges[-1]]
    band_log, log_power = _means(power, coarse, 1).log(), _means(power.log(), coarse, 1)
    audible = (10 * torch.log10(band_log.exp()) - loudest + AUDIBLE_DB).clamp_min(0)
    peaked = _weighted(band_log - log_power, audible)
    rough = _weighted(log_power.diff(dim=2).abs(), audible[:, :, 1:])
    features = torch.cat([level_db.flatten(1), TEXTURE_DB * peaked, TEXTURE_DB * rough, loudest[:, :, 0]], 1)
    return features.reshape(batch, -1).numpy()


def _edges(first: float, last: int, count: int) -> list[int]:
    """0, then up to `count` edges from `first` to `last` in even steps of a logarithmic axis, whole and each once."""
    return [0, *sorted({max(1, round(float(edge))) for edge in np.geomspace(first, last, count)})]


def _means(cells: Tensor, edges: list[int], dim: int) -> Tensor:
    """Means between neighbouring edges along `dim`."""
    parts = [cells.narrow(dim, a, b - a).mean(dim, keepdim=True) for a, b in pairwise(edges)]
    return torch.cat(parts, dim)


def _weighted(values: Tensor, weights: Tensor) -> Tensor:
    """Means over frames, (B, F, L) -> (B, F); 0 where nothing is heard."""
    return (values * weights).sum(2) / weights.sum(2).clamp_min(1e-6)


@dataclass
class Listener:
    """Embeds sounds: features, scaled by their spread over real sounds, on their first principal components."""

    rate_hz: int
    centre: NDArray[np.float32]
    spread: NDArray[np.float32]
    pca: PCA

    @classmethod
    def fit(cls, real: Sounds, rate_hz: int) -> "Listener":
        """A listener who knows these real sounds (B, C, T)."""
        features = describe(real, rate_hz)
        centre, spread = features.mean(0), np.maximum(features.std(0), LEAST_SPREAD_DB)
        components = max(2, min(DIMENSIONS, len(real) // SOUNDS_PER_DIMENSION, features.shape[1]))
        with np.errstate(invalid="ignore"):  # of sounds that are all the same no share of the variance can be explained
            pca = PCA(components, random_state=0).fit((features - centre) / spread)
        return cls(rate_hz, centre, spread, pca)

    def __call__(self, sounds: Sounds) -> NDArray[np.float32]:
        """Sounds (B, C, T) -> embeddings (B, E)."""
        return self.pca.transform((describe(sounds, self.rate_hz) - self.centre) / self.spread).astype(np.float32)
