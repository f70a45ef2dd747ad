"""Representations: what a network draws instead of samples. `encode` and `decode` are inverse up to a stated error."""

from collections.abc import Iterable
from typing import Protocol, Self

from torch import Tensor, nn

from bowerbird.representations.complex_spectrum import ComplexSpectrum
from bowerbird.representations.instantaneous_frequency import InstantaneousFrequency
from bowerbird.representations.log_magnitude import LogMagnitude
from bowerbird.representations.mel_frequency import MelFrequency
from bowerbird.representations.vocoder import Vocoded
from bowerbird.representations.waveform import Waveform
from bowerbird.shapes import PictureShape, PictureTraits

__all__ = ["MEASURED", "REPRESENTATIONS", "Representation"]

MEASURED = ("sample_rate_hz", "channels", "samples", "top_db", "top", "middle")  # come from the data, never from a setting


class Representation(Protocol):
    """Sound (B, C, T) <-> picture (B, K, F, L) in [-1, 1], K a multiple of C, row 0 the lowest frequency."""

    @property
    def sample_rate_hz(self) -> int: ...

    @property
    def channels(self) -> int:
        """C, 1 or 2."""

    @property
    def samples(self) -> int:
        """T of the longest sound."""

    @property
    def hop(self) -> int:
        """Samples from one column of a picture to the next."""

    @property
    def shape(self) -> PictureShape: ...

    @property
    def traits(self) -> PictureTraits: ...

    @classmethod
    def suited(cls, sample_rate_hz: int, channels: int, samples: int, *, pitched: bool = False) -> Self:
        """The variant for sounds of this rate and length, `pitched` where they are steady tones."""

    def fit(self, sounds: Iterable[Tensor]) -> Self:
        """The same with its levels measured on batches of sounds (B, C, T)."""

    def encode(self, sounds: Tensor) -> Tensor:
        """(B, C, T <= samples) -> (B, K, F, L)."""

    def decode(self, picture: Tensor) -> Tensor:
        """(B, K, F, L) -> (B, C, T), T = samples."""

    @property
    def decoder(self) -> nn.Module | None:
        """What of decoding is learnt from sounds; its weights travel with the instrument. None where nothing is."""

    def levels(self, picture: Tensor) -> Tensor:
        """Pictures for people: (B, K, F, L) -> log levels (B, C, F', L') in [-1, 1]."""


REPRESENTATIONS: dict[str, type[Representation]] = {
    "log_magnitude": LogMagnitude,
    "instantaneous_frequency": InstantaneousFrequency,
    "mel_frequency": MelFrequency,
    "complex_spectrum": ComplexSpectrum,
    "waveform": Waveform,
    "vocoded": Vocoded,
}
