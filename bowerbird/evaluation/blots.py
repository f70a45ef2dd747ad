"""Blots: places in a sound that are far louder than any real sound is there, such as a whistle after the end."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["blots"]

Sounds = NDArray[np.float32]
WINDOW_S = 0.02
NEAR = 5  # bins and frames around a place that count as it
OVER_DB = 20.0  # than the loudest real sound there
AUDIBLE_DB = 50.0  # under the loudest place of a sound nothing counts
AT_ONCE = 64


def blots(real: Sounds, made: Sounds, rate_hz: int) -> float:
    """The share of generated sounds (B, C, T) that have one, beside real ones (B', C, T)."""
    loudest = torch.full((1, 1), -torch.inf)
    for levels in _levels(real, rate_hz):
        loudest = torch.maximum(loudest, levels)
    limit = functional.max_pool2d(loudest[None], NEAR, 1, NEAR // 2)[0] + OVER_DB
    return float(np.mean([bool((one > limit.clamp_min(one.max() - AUDIBLE_DB)).any()) for one in _levels(made, rate_hz)]))


def _levels(sounds: Sounds, rate_hz: int) -> Iterator[Tensor]:
    """In dB, (bins, frames), of the louder channel of each."""
    size = 2 ** round(np.log2(WINDOW_S * rate_hz))
    for start in range(0, len(sounds), AT_ONCE):
        some = torch.from_numpy(sounds[start : start + AT_ONCE])
        spectra = torch.stft(
            some.flatten(0, 1), size, size // 2, window=torch.hann_window(size), pad_mode="constant", return_complex=True
        )
        yield from 20 * torch.log10(spectra.abs().unflatten(0, some.shape[:2]).amax(1) + 1e-7)
