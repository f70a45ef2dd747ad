"""Log magnitude and instantaneous frequency of a linear-frequency STFT: phase is drawn, not estimated."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from bowerbird.errors import UsageError
from bowerbird.representations.stft import analyse, check_hop, frames_for, synthesise, window_for
from bowerbird.shapes import PictureShape, PictureTraits

__all__ = ["InstantaneousFrequency"]

PITCHED_WINDOW_S = 0.064


@dataclass(frozen=True)
class InstantaneousFrequency:
    """Sound (B, C, T) <-> picture (B, 2C, F, L): log magnitudes of all channels, then their phase advances.

    Engel et al. 2019 (GANSynth), section 2.2, "IF". We differ: what a steady partial in the middle of a bin would
    advance by is taken away, so that tones lie near zero instead of wrapping round. The highest bin is left out.
    """

    sample_rate_hz: int
    channels: int
    samples: int
    n_fft: int
    hop: int
    top_db: float = 50.0
    range_db: float = 90.0

    def __post_init__(self) -> None:
        check_hop(self.n_fft, self.hop, 4)
        if self.n_fft % 32:
            raise UsageError(f"representation.n_fft={self.n_fft} does not fit: take a multiple of 32")
        if not 1 <= self.range_db <= 200:
            raise UsageError(f"representation.range_db={self.range_db} is out of range; it lies between 1 and 200")

    @classmethod
    def suited(cls, sample_rate_hz: int, channels: int, samples: int, *, pitched: bool = False) -> "InstantaneousFrequency":
        """A window near 25 ms, near 64 ms for steady tones, at most 640 frames."""
        n_fft = window_for(sample_rate_hz, samples, steady_s=PITCHED_WINDOW_S if pitched else None, overlap=4)
        return cls(sample_rate_hz, channels, samples, n_fft, n_fft // 4)

    @property
    def shape(self) -> PictureShape:
        return PictureShape(2 * self.channels, self.n_fft // 2, frames_for(self.samples, self.hop))

    @property
    def traits(self) -> PictureTraits:
        silence = (-1.0,) * self.channels + (0.0,) * self.channels
        return PictureTraits(silence, self.channels, self.range_db / 2, 8, 0)

    @property
    def _floor(self) -> float:
        """Power that is drawn as -1."""
        return 10 ** ((self.top_db - self.range_db) / 10)

    def _spectrum(self, sounds: Tensor) -> Tensor:
        """(B, C, T) -> complex (B, C, F, L)."""
        spectrum = analyse(sounds.flatten(0, 1), self.n_fft, self.hop, self.shape.frames)[:, :-1]
        return spectrum.unflatten(0, sounds.shape[:2])

    def _expected(self) -> Tensor:
        """Phase advance per hop in the middle of each bin, (F, 1)."""
        return (2 * math.pi * self.hop / self.n_fft) * torch.arange(self.n_fft // 2)[:, None]

    def fit(self, sounds: Iterable[Tensor]) -> "InstantaneousFrequency":
        """The same with `top_db`, the loudest level in the data, measured on batches of sounds (B, C, T)."""
        loudest = max((self._spectrum(batch).abs().max().item() for batch in sounds), default=0.0)
        return replace(self, top_db=round(20 * math.log10(max(loudest, 1e-3)), 2))

    def encode(self, sounds: Tensor) -> Tensor:
        """(B, C, T <= samples) -> (B, 2C, F, L)."""
        spectrum = self._spectrum(sounds)
        power = spectrum.abs().square()
        level = ((10 * torch.log10(power + self._floor) - self.top_db) * (2 / self.range_db) + 1).clamp(-1, 1)
        phase = spectrum.angle()
        advance = torch.diff(phase, dim=3, prepend=torch.zeros_like(phase[..., :1])) - self._expected().to(phase.device)
        deviation = torch.remainder(advance / math.pi + 1, 2) - 1
        # Where nothing sounds the phase is noise, which a network would waste itself on.
        return torch.cat([level, torch.where(power > self._floor, deviation, 0.0)], 1)

    def decode(self, picture: Tensor) -> Tensor:
        """(B, 2C, F, L) -> (B, C, T), T = samples."""
        level, deviation = picture.float().clamp(-1, 1).chunk(2, 1)
        power = 10 ** (((level - 1) * (self.range_db / 2) + self.top_db) / 10) - self._floor
        phase = (deviation * math.pi + self._expected().to(picture.device)).cumsum(3)
        spectrum = torch.polar(power.clamp_min(0).sqrt(), phase)
        spectrum = torch.nn.functional.pad(spectrum, (0, 0, 0, 1)).flatten(0, 1)
        return synthesise(spectrum, self.hop, self.samples).unflatten(0, level.shape[:2])

    @property
    def decoder(self) -> None:
        """Nothing is learnt."""
        return None

    def levels(self, picture: Tensor) -> Tensor:
        """The level half."""
        return picture[:, : self.channels]
