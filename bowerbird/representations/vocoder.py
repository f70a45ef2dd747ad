"""Log magnitudes whose phases a small network finds, after it has listened to the user's own sounds."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional

from bowerbird.errors import UsageError
from bowerbird.representations.log_magnitude import LogMagnitude
from bowerbird.representations.phase import phase_from_magnitude
from bowerbird.representations.stft import synthesise
from bowerbird.seeds import torch_random

__all__ = ["Vocoded", "Vocoder"]

KERNEL = 7  # frames
WIDEN = 3


class _Block(nn.Module):
    """One-dimensional ConvNeXt block (Liu et al. 2022, figure 4) as in Vocos (Siuzdak 2023): (B, E, L) -> (B, E, L)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.along = nn.Conv1d(width, width, KERNEL, padding=KERNEL // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.wide, self.narrow = nn.Linear(width, WIDEN * width), nn.Linear(WIDEN * width, width)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.along(x).transpose(1, 2))
        return x + self.narrow(functional.gelu(self.wide(y))).transpose(1, 2)


class Vocoder(nn.Module):
    """What to change in a first guess of the spectrum: picture (B, F, L) -> gains in nepers, turns in radians (B, 2, N, L).

    Vocos draws magnitudes and phases outright. We differ: the first guess, by `phase_from_magnitude`, already runs on
    through a steady tone, where frames are alike and no network could count the periods.
    """

    def __init__(self, bands: int, bins: int, width: int, depth: int) -> None:
        super().__init__()
        self.enter = nn.Conv1d(bands, width, KERNEL, padding=KERNEL // 2)
        self.blocks = nn.Sequential(*(_Block(width) for _ in range(depth)))
        self.leave = nn.Conv1d(width, 2 * bins, 1)
        nn.init.zeros_(self.leave.weight)  # begins with the guess as it is
        nn.init.zeros_(self.leave.bias)  # type: ignore[arg-type]

    def forward(self, picture: Tensor) -> Tensor:
        return self.leave(self.blocks(self.enter(picture))).unflatten(1, (2, -1))


@dataclass(frozen=True)
class Vocoded(LogMagnitude):
    """The pictures of `log_magnitude`; a network of `width` and `depth` finds the phases, learnt in `lessons` steps."""

    iterations: int = 0  # of Griffin-Lim: none
    width: int = 128
    depth: int = 4
    lessons: int = 1500

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, high in (("width", 1024), ("depth", 32), ("lessons", 10**6)):
            if not 1 <= getattr(self, name) <= high:
                raise UsageError(
                    f"representation.{name}={getattr(self, name)} is out of range; it lies between 1 and {high}"
                )

    @cached_property
    def decoder(self) -> Vocoder:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_random(0, "vocoder").initial_seed())
            return Vocoder(self.bands, self.n_fft // 2 + 1, self.width, self.depth).requires_grad_(False)

    def voice(self, picture: Tensor) -> Tensor:
        """Any number of frames: (B, F, L) -> sounds (B, (L - 1) hop)."""
        with torch.no_grad():
            magnitude = self._magnitude(picture)
            phase = phase_from_magnitude(magnitude, self.hop)
        gain, turn = self.decoder(picture).unbind(1)
        spectrum = torch.polar(magnitude * gain.exp(), phase + turn)
        return synthesise(spectrum, self.hop, (picture.shape[2] - 1) * self.hop)

    def _sounds(self, picture: Tensor) -> Tensor:
        return self.voice(picture)[:, : self.samples]
