"""GANSynth's picture: log-mel magnitude and mel instantaneous frequency, normalised by what the user's data measure."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from bowerbird.errors import UsageError
from bowerbird.representations.stft import analyse, check_hop, frames_for, synthesise, window_for
from bowerbird.shapes import PictureShape, PictureTraits

__all__ = ["MelFrequency"]

PITCHED_WINDOW_S = 0.128  # 2048 samples at 16 kHz, as in the paper
FLOOR = 1e-6  # power added before the logarithm, as in the paper


@dataclass(frozen=True)
class MelFrequency:
    """Sound (B, C, T) <-> picture (B, 2C, F, L): log-mel powers of all channels, then mel phase advances.

    Engel et al. 2019, section 2.2, "IF-Mel"; F mel bands, as many as bins in the paper. It suits steady notes; percussive
    sounds lose their attack in it. We differ: `top` and `middle`, its normaliser, are measured on the data.
    """

    sample_rate_hz: int
    channels: int
    samples: int
    n_fft: int
    hop: int
    bands: int
    top: float = 6.0  # natural logarithm of the largest band power in the data
    middle: float = -4.0  # and half way from the smallest

    def __post_init__(self) -> None:
        check_hop(self.n_fft, self.hop, 4)
        if self.bands % 16 or not 16 <= self.bands <= self.n_fft // 2:
            raise UsageError(f"representation.bands={self.bands} does not fit: a multiple of 16 up to {self.n_fft // 2}")

    @classmethod
    def suited(cls, sample_rate_hz: int, channels: int, samples: int, *, pitched: bool = False) -> "MelFrequency":
        """A window near 128 ms (25 ms where nothing is pitched), a band per bin, at most 640 frames."""
        n_fft = window_for(sample_rate_hz, samples, steady_s=PITCHED_WINDOW_S if pitched else None)
        return cls(sample_rate_hz, channels, samples, n_fft, n_fft // 4, bands=n_fft // 2)

    @property
    def shape(self) -> PictureShape:
        return PictureShape(2 * self.channels, self.bands, frames_for(self.samples, self.hop))

    @property
    def traits(self) -> PictureTraits:
        silence = ((math.log(FLOOR) - self.middle) / (self.top - self.middle),) * self.channels + (0.0,) * self.channels
        return PictureTraits(silence, self.channels, (self.top - self.middle) * 10 / math.log(10), 8, 0)

    def _bands(self) -> tuple[Tensor, Tensor]:
        """Bin shares of each mel band (F, bins), as wide as the bands lie apart but never under a bin, and the way back."""
        bins = np.arange(self.n_fft // 2 + 1)
        highest = 2595 * math.log10(1 + self.sample_rate_hz / 2 / 700)
        edges = 700 * (10 ** (np.linspace(0, highest, self.bands + 2) / 2595) - 1) / self.sample_rate_hz * self.n_fft
        low, middle, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
        rise, fall = np.minimum(low, middle - 1), np.maximum(high, middle + 1)
        share = np.maximum(0, np.minimum((bins - rise) / (middle - rise), (fall - bins) / (fall - middle)))
        share = np.maximum(share, 1e-9)
        forth, back = share / share.sum(1, keepdims=True), (share / share.sum(0, keepdims=True)).T
        return torch.tensor(forth, dtype=torch.float32), torch.tensor(back, dtype=torch.float32)

    def _measured(self, sounds: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, T) -> log band powers and unwrapped band phases, both (B, C, F, L)."""
        forth, _ = self._bands()
        spectrum = analyse(sounds.flatten(0, 1), self.n_fft, self.hop, self.shape.frames)
        phase = spectrum.angle()
        steps = torch.remainder(torch.diff(phase, dim=2) + math.pi, 2 * math.pi) - math.pi
        unwrapped = torch.cat([phase[..., :1], steps], 2).cumsum(2)
        power = torch.log(forth @ spectrum.abs().square() + FLOOR)
        return power.unflatten(0, sounds.shape[:2]), (forth @ unwrapped).unflatten(0, sounds.shape[:2])

    def fit(self, sounds: Iterable[Tensor]) -> "MelFrequency":
        """The same with its normaliser measured on batches of sounds (B, C, T)."""
        tops = [self._measured(batch)[0].max().item() for batch in sounds]
        top = max([*tops, math.log(FLOOR) + 1])
        return replace(self, top=round(top, 3), middle=round((top + math.log(FLOOR)) / 2, 3))

    def encode(self, sounds: Tensor) -> Tensor:
        """(B, C, T <= samples) -> (B, 2C, F, L)."""
        level, phase = self._measured(sounds)
        level = ((level - self.middle) / (self.top - self.middle)).clamp(-1, 1)
        advance = torch.diff(phase, dim=3, prepend=torch.zeros_like(phase[..., :1])) / math.pi
        return torch.cat([level, advance.clamp(-1, 1)], 1)

    def decode(self, picture: Tensor) -> Tensor:
        """(B, 2C, F, L) -> (B, C, T), T = samples."""
        _, back = self._bands()
        level, advance = picture.float().clamp(-1, 1).chunk(2, 1)
        power = (torch.exp(level * (self.top - self.middle) + self.middle) - FLOOR).clamp_min(0)
        phase = (advance * math.pi).cumsum(3)
        spectrum = torch.polar((back @ power).clamp_min(0).sqrt(), back @ phase)
        spectrum[:, :, 0] = 0
        return synthesise(spectrum.flatten(0, 1), self.hop, self.samples).unflatten(0, level.shape[:2])

    @property
    def decoder(self) -> None:
        """Nothing is learnt."""
        return None

    def levels(self, picture: Tensor) -> Tensor:
        """The level half."""
        return picture[:, : self.channels]
