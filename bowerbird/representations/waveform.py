"""The samples themselves, one row of them."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.errors import UsageError
from bowerbird.representations.stft import analyse
from bowerbird.shapes import PictureShape, PictureTraits

__all__ = ["Waveform"]

MULTIPLE = 1024  # networks take every fourth sample five times
SHIFT_SAMPLES = 256
SEEN_N_FFT, SEEN_RANGE_DB = 512, 90.0


@dataclass(frozen=True)
class Waveform:
    """Sound (B, C, T) <-> picture (B, C, 1, L), a multiple of 1024 samples long; exact up to the peak `top`."""

    sample_rate_hz: int
    channels: int
    samples: int
    top: float = 1.0

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise UsageError(f"representation.samples={self.samples} holds no sound")

    @classmethod
    def suited(cls, sample_rate_hz: int, channels: int, samples: int, *, pitched: bool = False) -> "Waveform":
        """The same for all sounds."""
        return cls(sample_rate_hz, channels, samples)

    @property
    def hop(self) -> int:
        return 1

    @property
    def shape(self) -> PictureShape:
        return PictureShape(self.channels, 1, math.ceil(self.samples / MULTIPLE) * MULTIPLE)

    @property
    def traits(self) -> PictureTraits:
        return PictureTraits((0.0,) * self.channels, 0, 1.0, SHIFT_SAMPLES, 0)

    def fit(self, sounds: Iterable[Tensor]) -> "Waveform":
        """The same with `top`, the largest sample, measured on batches of sounds (B, C, T)."""
        return replace(self, top=round(max((batch.abs().max().item() for batch in sounds), default=1.0) or 1.0, 5))

    def encode(self, sounds: Tensor) -> Tensor:
        """(B, C, T <= samples) -> (B, C, 1, L)."""
        padded = functional.pad(sounds, (0, self.shape.frames - sounds.shape[2]))
        return (padded / self.top).clamp(-1, 1)[:, :, None]

    def decode(self, picture: Tensor) -> Tensor:
        """(B, C, 1, L) -> (B, C, T), T = samples."""
        return picture.float()[:, :, 0, : self.samples] * self.top

    @property
    def decoder(self) -> None:
        """Nothing is learnt."""
        return None

    def levels(self, picture: Tensor) -> Tensor:
        """Its spectrum."""
        sounds = picture.float()[:, :, 0]
        hop = SEEN_N_FFT // 4
        spectrum = analyse(sounds.flatten(0, 1), SEEN_N_FFT, hop, math.ceil(sounds.shape[2] / hop) + 1)
        level_db = 20 * torch.log10(spectrum.abs() / (SEEN_N_FFT / 4) + 1e-9)
        return (level_db * (2 / SEEN_RANGE_DB) + 1).clamp(-1, 1).unflatten(0, sounds.shape[:2])
