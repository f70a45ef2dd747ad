"""Log-magnitude STFT on a frequency axis that is linear below and logarithmic above."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from bowerbird.errors import UsageError
from bowerbird.representations.phase import griffin_lim
from bowerbird.representations.stft import analyse, check_hop, frames_for, window_for
from bowerbird.shapes import PictureShape, PictureTraits

__all__ = ["LogMagnitude"]

BAND_MULTIPLE = 16  # networks halve a picture a few times
FADE_OUT_S = 0.01
PITCHED_WINDOW_S = 0.1  # the partials of a low note lie apart
SHIFT_FRAMES, SHIFT_ROWS = 8, 3


@dataclass(frozen=True)
class LogMagnitude:
    """Sound (B, C, T) <-> picture (B, C, F, L) in [-1, 1], row 0 the lowest band.

    Bands are one STFT bin wide at the bottom, where a wider window would be needed to tell more apart, and grow in
    proportion to frequency above. -1 is `range_db` under `top_db`, the loudest band level in the data, and decodes to
    silence. Round trip (spectral convergence, 16 Griffin-Lim steps): see docs/log.md.
    """

    sample_rate_hz: int
    channels: int
    samples: int
    n_fft: int
    hop: int
    bands: int
    top_db: float = 50.0
    range_db: float = 90.0
    iterations: int = 16

    def __post_init__(self) -> None:
        check_hop(self.n_fft, self.hop, 2)
        if not 16 <= self.bands <= self.n_fft // 2 + 1 or self.bands % BAND_MULTIPLE:
            raise UsageError(f"representation.bands={self.bands} does not fit: a multiple of 16 up to {self.n_fft // 2}")
        if not 1 <= self.range_db <= 200 or not 0 <= self.iterations <= 1000:
            raise UsageError("representation.range_db lies between 1 and 200, iterations between 0 and 1000")

    @classmethod
    def suited(cls, sample_rate_hz: int, channels: int, samples: int, *, pitched: bool = False) -> Self:
        """The variant for sounds of this rate and length.

        A window near 25 ms and 128 bands, for steady tones near 100 ms and 256 bands; at most 640 frames.
        """
        n_fft = window_for(sample_rate_hz, samples, steady_s=PITCHED_WINDOW_S if pitched else None)
        bands = min(256 if pitched else 128, n_fft // 32 * 16)
        return cls(sample_rate_hz, channels, samples, n_fft, n_fft // 4, bands)

    @property
    def shape(self) -> PictureShape:
        return PictureShape(self.channels, self.bands, frames_for(self.samples, self.hop))

    @property
    def traits(self) -> PictureTraits:
        return PictureTraits((-1.0,) * self.channels, self.channels, self.range_db / 2, SHIFT_FRAMES, SHIFT_ROWS)

    @property
    def _floor(self) -> float:
        """Power that is drawn as -1."""
        return 10 ** ((self.top_db - self.range_db) / 10)

    def weights(self) -> Tensor:
        """(bands, n_fft / 2 + 1): each bin's share in the bands beside it; every column sums to one."""
        bins = np.arange(self.n_fft // 2 + 1)
        low, high = 1.0, float(self.n_fft)  # the bin where linear turns into logarithmic, by bisection
        for _ in range(60):
            knee = (low + high) / 2
            rows = knee + knee * math.log(max(bins[-1] / knee, 1.0))
            low, high = (knee, high) if rows < self.bands - 1 else (low, knee)
        position = np.where(bins < low, bins, low + low * np.log(np.maximum(bins, 1) / low))
        share = np.maximum(0, 1 - np.abs(position[None] - np.arange(self.bands)[:, None]))
        return torch.tensor(share, dtype=torch.float32)

    def _band_power(self, sounds: Tensor) -> Tensor:
        """(B, C, T) -> mean power per band (B, C, bands, L)."""
        spectrum = analyse(sounds.flatten(0, 1), self.n_fft, self.hop, self.shape.frames)
        weights = self.weights().to(sounds.device)
        power = (weights / weights.sum(1, keepdim=True)) @ spectrum.abs().square()
        return power.unflatten(0, sounds.shape[:2])

    def fit(self, sounds: Iterable[Tensor]) -> Self:
        """The same representation with `top_db` measured on batches of sounds (B, C, T)."""
        loudest = max((self._band_power(batch).max().item() for batch in sounds), default=0.0)
        return replace(self, top_db=round(10 * math.log10(max(loudest, 1e-6)), 2))

    def encode(self, sounds: Tensor) -> Tensor:
        """(B, C, T <= samples) -> (B, C, F, L)."""
        level_db = 10 * torch.log10(self._band_power(sounds) + self._floor)
        return ((level_db - self.top_db) * (2 / self.range_db) + 1).clamp(-1, 1)

    def decode(self, picture: Tensor) -> Tensor:
        """(B, C, F, L) -> (B, C, T), T = samples."""
        sounds = self._sounds(picture.float().clamp(-1, 1).flatten(0, 1))
        # What still sounds at the end fades instead of breaking off: a picture does not show single samples.
        fade = min(int(FADE_OUT_S * self.sample_rate_hz), self.samples)
        sounds[:, self.samples - fade :] *= torch.linspace(1, 0, fade, device=sounds.device)
        return sounds.unflatten(0, picture.shape[:2])

    def _sounds(self, picture: Tensor) -> Tensor:
        """(B, F, L) -> (B, T), T = samples: phases for the magnitudes."""
        return griffin_lim(self._magnitude(picture), self.hop, self.samples, self.iterations)

    def _magnitude(self, picture: Tensor) -> Tensor:
        """(B, F, L) -> magnitude per bin (B, n_fft / 2 + 1, L)."""
        level_db = (picture - 1) * (self.range_db / 2) + self.top_db
        band_power = (10 ** (level_db / 10) - self._floor).clamp_min(0)
        magnitude = self._bin_power(band_power).sqrt()
        magnitude[:, 0] = 0  # no direct current, whatever was drawn
        return magnitude

    @property
    def decoder(self) -> nn.Module | None:
        """Nothing is learnt."""
        return None

    def levels(self, picture: Tensor) -> Tensor:
        """The picture itself."""
        return picture

    def _bin_power(self, band_power: Tensor, steps: int = 8) -> Tensor:
        """Power per bin (B, n_fft / 2 + 1, L) whose band means are `band_power` (B, bands, L).

        Interpolation, then multiplicative non-negative least-squares steps (Lee & Seung 2001).
        """
        share = self.weights().to(band_power.device)
        mean = share / share.sum(1, keepdim=True)
        spread = (mean / mean.sum(0)).T
        power = share.T @ band_power
        for _ in range(steps):
            power = power * (spread @ (band_power / (mean @ power + 1e-12)))
        return power
