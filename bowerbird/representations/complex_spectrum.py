"""The complex STFT itself, compressed: phase is drawn with the magnitude, in real and imaginary parts."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.errors import UsageError
from bowerbird.representations.stft import analyse, check_hop, frames_for, synthesise, window_for
from bowerbird.shapes import PictureShape, PictureTraits

__all__ = ["ComplexSpectrum"]

PITCHED_WINDOW_S = 0.064
RANGE_DB = 90.0


@dataclass(frozen=True)
class ComplexSpectrum:
    """Sound (B, C, T) <-> picture (B, 2C, F, L): real parts of all channels, then imaginary parts.

    Nistal et al. 2020 found plain complex spectra among the best pictures for a GAN. We differ: magnitudes are raised to
    `power`, so that quiet partials are seen. The highest bin is left out.
    """

    sample_rate_hz: int
    channels: int
    samples: int
    n_fft: int
    hop: int
    power: float = 0.3
    top: float = 100.0  # the largest magnitude in the data

    def __post_init__(self) -> None:
        check_hop(self.n_fft, self.hop, 2)
        if self.n_fft % 32:
            raise UsageError(f"representation.n_fft={self.n_fft} does not fit: take a multiple of 32")
        if not 0.1 <= self.power <= 1:
            raise UsageError(f"representation.power={self.power} is out of range; it lies between 0.1 and 1")

    @classmethod
    def suited(cls, sample_rate_hz: int, channels: int, samples: int, *, pitched: bool = False) -> "ComplexSpectrum":
        """A window near 25 ms, near 64 ms for steady tones, half overlapped, at most 640 frames."""
        n_fft = window_for(sample_rate_hz, samples, steady_s=PITCHED_WINDOW_S if pitched else None, overlap=2)
        return cls(sample_rate_hz, channels, samples, n_fft, n_fft // 2)

    @property
    def shape(self) -> PictureShape:
        return PictureShape(2 * self.channels, self.n_fft // 2, frames_for(self.samples, self.hop))

    @property
    def traits(self) -> PictureTraits:
        return PictureTraits((0.0,) * (2 * self.channels), 0, self.power, 8, 0)

    def _spectrum(self, sounds: Tensor) -> Tensor:
        spectrum = analyse(sounds.flatten(0, 1), self.n_fft, self.hop, self.shape.frames)[:, :-1]
        return spectrum.unflatten(0, sounds.shape[:2])

    def fit(self, sounds: Iterable[Tensor]) -> "ComplexSpectrum":
        """The same with `top` measured on batches of sounds (B, C, T)."""
        loudest = max((self._spectrum(batch).abs().max().item() for batch in sounds), default=0.0)
        return replace(self, top=round(max(loudest, 1e-3), 4))

    def encode(self, sounds: Tensor) -> Tensor:
        """(B, C, T <= samples) -> (B, 2C, F, L)."""
        spectrum = self._spectrum(sounds) / self.top
        size = spectrum.abs().clamp_min(1e-9)
        drawn = spectrum * (size.clamp_max(1) ** self.power / size)
        return torch.cat([drawn.real, drawn.imag], 1)

    def decode(self, picture: Tensor) -> Tensor:
        """(B, 2C, F, L) -> (B, C, T), T = samples."""
        real, imaginary = picture.float().clamp(-1, 1).chunk(2, 1)
        size = torch.hypot(real, imaginary).clamp_min(1e-9)
        spectrum = torch.complex(real, imaginary) * (self.top * size ** (1 / self.power - 1))
        spectrum[:, :, 0] = 0  # no direct current, whatever was drawn
        spectrum = functional.pad(spectrum, (0, 0, 0, 1)).flatten(0, 1)
        return synthesise(spectrum, self.hop, self.samples).unflatten(0, real.shape[:2])

    @property
    def decoder(self) -> None:
        """Nothing is learnt."""
        return None

    def levels(self, picture: Tensor) -> Tensor:
        """Log levels of what is drawn."""
        real, imaginary = picture.float().chunk(2, 1)
        level_db = 20 / self.power * torch.log10(torch.hypot(real, imaginary) + 1e-9)
        return (level_db * (2 / RANGE_DB) + 1).clamp(-1, 1)
