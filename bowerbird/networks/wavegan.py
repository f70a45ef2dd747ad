"""The `wavegan` family: one-dimensional convolutions on samples (Donahue et al. 2019, appendix D).

We differ: labels enter beside the latent, and instead of phase shuffle the augmentation moves whole sounds by a few samples.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from bowerbird.errors import UsageError
from bowerbird.layers import EqualLinear, leaky, pixel_norm
from bowerbird.networks.interface import Discriminator, Generator
from bowerbird.shapes import PictureShape

__all__ = ["WaveganDiscriminator", "WaveganGenerator", "WaveganOptions"]

STRIDE, KERNEL, LEVELS = 4, 25, 5
MULTIPLE = STRIDE**LEVELS


@dataclass(frozen=True)
class WaveganOptions:
    """Sizes of the family."""

    z_dim: int = 100
    width: int = 32  # channels beside the samples; they double at every level away from them

    def __post_init__(self) -> None:
        for name, low, high in (("z_dim", 1, 4096), ("width", 4, 256)):
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"network.{name}={getattr(self, name)} is out of range; it lies between {low} and {high}")


def _widths(shape: PictureShape, options: WaveganOptions) -> list[int]:
    """Channels from the samples to the coarsest level; UsageError for pictures with rows."""
    if shape.rows != 1 or shape.frames % MULTIPLE:
        raise UsageError("the network wavegan draws waveforms only; add --set representation=waveform")
    return [shape.channels, *(options.width * 2**level for level in range(LEVELS))]


class WaveganGenerator(Generator):
    """Transposed convolutions from 1024th of the length to samples."""

    last_layers = (f"layers.{LEVELS - 1}",)
    stages = ("start", *(f"layers.{level}" for level in range(LEVELS - 1)))

    def __init__(self, shape: PictureShape, code_width: int, options: WaveganOptions) -> None:
        super().__init__()
        widths = _widths(shape, options)[::-1]
        self.start_shape = (widths[0], shape.frames // MULTIPLE)
        self.embed = EqualLinear(code_width, options.z_dim) if code_width else None
        inputs = options.z_dim * (2 if code_width else 1)
        self.start = nn.Linear(inputs, self.start_shape[0] * self.start_shape[1])
        self.layers = nn.ModuleList(
            [
                nn.ConvTranspose1d(a, b, KERNEL, STRIDE, padding=(KERNEL - STRIDE + 1) // 2, output_padding=1)
                for a, b in pairwise(widths)
            ]
        )

    def begin_at(self, silence: tuple[float, ...]) -> None:
        """Fresh weights draw nearly nothing as they are."""

    def forward(self, z: Tensor, code: Tensor) -> Tensor:
        if self.embed is not None:
            z = torch.cat([z, pixel_norm(self.embed(code))], 1)
        x = self.start(z).unflatten(1, self.start_shape)
        for layer in self.layers:
            x = layer(functional.relu(x))
        return torch.tanh(x.float())[:, :, None]


class WaveganDiscriminator(Discriminator):
    """Strided convolutions from samples to a 1024th of the length."""

    features = 256

    def __init__(self, shape: PictureShape, options: WaveganOptions) -> None:
        super().__init__()
        widths = _widths(shape, options)
        self.maps = widths[-1]
        self.layers = nn.ModuleList(
            [nn.Conv1d(a, b, KERNEL, STRIDE, padding=(KERNEL - STRIDE + 1) // 2) for a, b in pairwise(widths)]
        )
        self.dense = nn.Linear(widths[-1] * (shape.frames // MULTIPLE), self.features)

    def forward(self, picture: Tensor) -> list[Tensor]:
        levels = [picture[:, :, 0]]
        for layer in self.layers:
            levels.append(leaky(layer(levels[-1])))
        return [*levels[1:], leaky(self.dense(levels[-1].flatten(1)))]
