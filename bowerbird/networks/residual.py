"""The `residual` family: a style-modulated residual generator and a plain residual discriminator.

A sound's log levels are nearly a spectrum that rises and falls as one: the generator draws a few such profiles times
envelopes by dense layers, lines as fine as a picture's rows from the first steps on, and by its convolutions the rest.

Both work at a quarter of the picture's size, on the 16 bands of a lapped transform instead of cells. That keeps
convolutions wide and element-wise passes over memory, which cost as much on a CPU, small; plain 4 x 4 patches (Shi et al.
2016) left a lattice to see and hear, and 2 x 2 patches sounded no better at equal minutes (docs/log.md).
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from bowerbird.errors import UsageError, known
from bowerbird.layers import LRELU_GAIN as GAIN
from bowerbird.layers import EqualConv2d, EqualLinear, Film, Up2d, leaky, minibatch_stddev, pixel_norm
from bowerbird.networks.interface import Discriminator, Generator, cannot_draw
from bowerbird.networks.lapped import PATCH, Lapped
from bowerbird.shapes import PictureShape

__all__ = ["ResidualDiscriminator", "ResidualGenerator", "ResidualOptions"]

LEVELS = 3
MOST_SILENT = 0.85  # where tanh is not yet flat
ENTRIES = ("everywhere", "input", "blocks")
SKIP_GAIN = 0.5**0.5  # the sum of two branches keeps unit variance (Karras et al. 2020, appendix B)


def _widths(options: "ResidualOptions") -> list[int]:
    """Channels per level from the picture's side (narrow) to the coarse side (wide)."""
    return [min(options.width * 2**level, options.widest) for level in range(LEVELS)]


@dataclass(frozen=True)
class ResidualOptions:
    """Sizes of the family."""

    z_dim: int = 128
    width: int = 64  # channels beside the picture; they double towards the coarse side
    widest: int = 256  # up to this
    style: int = 256
    profiles: int = 8  # spectra with an envelope each, summed under what the convolutions draw
    entry: str = "everywhere"  # where labels steer: the input of the first block, the blocks (and profiles), or both

    def __post_init__(self) -> None:
        ranges = {"z_dim": (1, 4096), "width": (4, 1024), "widest": (4, 4096), "style": (4, 4096), "profiles": (1, 256)}
        for name, (low, high) in ranges.items():
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"network.{name}={getattr(self, name)} is out of range; it lies between {low} and {high}")
        if self.entry not in ENTRIES:
            raise UsageError(f'labels cannot enter by network.entry="{self.entry}"; {known(ENTRIES)}')


def _check(shape: PictureShape) -> None:
    if shape.rows % ResidualGenerator.multiple or shape.frames % ResidualGenerator.multiple:
        raise cannot_draw("residual", shape)


class _Up(nn.Module):
    """Twice the size: two steered convolutions beside a learned 2 x 2 enlargement."""

    def __init__(self, inputs: int, outputs: int, style: int) -> None:
        super().__init__()
        self.first, self.film_first = Up2d(inputs, outputs, gain=GAIN), Film(outputs, style)
        self.second, self.film_second = EqualConv2d(outputs, outputs, gain=GAIN), Film(outputs, style)
        self.skip = Up2d(inputs, outputs, 2, bias=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        y = leaky(self.film_first(self.first(x), w))
        y = leaky(self.film_second(self.second(y), w))
        return (y + self.skip(x)) * SKIP_GAIN


class _Mapping(nn.ModuleList):
    def forward(self, w: Tensor) -> Tensor:
        for layer in self:
            w = leaky(layer(w))
        return w


class ResidualGenerator(Generator):
    """Draws pictures whose sides are multiples of `multiple`."""

    multiple = 16
    ceiling: Tensor
    last_layers = ("draw", "profiles", "envelopes")

    def __init__(self, shape: PictureShape, code_width: int, options: ResidualOptions) -> None:
        super().__init__()
        channels, rows, frames = shape
        _check(shape)
        z_dim, style = options.z_dim, options.style
        widths = _widths(options)[::-1]
        self.start_shape = (widths[0] // 4, rows // self.multiple, frames // self.multiple)
        start = self.start_shape[0] * self.start_shape[1] * self.start_shape[2]
        self.embed = EqualLinear(code_width, z_dim) if code_width else None
        self.mapping = _Mapping(
            [EqualLinear(z_dim * (2 if code_width else 1), style, gain=GAIN), EqualLinear(style, style, gain=GAIN)]
        )
        self.start = EqualLinear(style, start)
        self.widen = EqualConv2d(self.start_shape[0], widths[0], gain=GAIN)
        self.blocks = nn.ModuleList([_Up(a, b, style) for a, b in pairwise(widths)])
        self.draw = EqualConv2d(widths[-1], channels * PATCH * PATCH, gain=0.3)
        self.lapped = Lapped(channels)
        self.profiles = EqualLinear(style, channels * options.profiles * rows, gain=0.3)
        self.envelopes = EqualLinear(style, channels * options.profiles * frames, gain=0.3)
        self.factors = (channels, options.profiles)
        self.register_buffer("ceiling", torch.ones(shape))
        self.entry = options.entry if code_width else ENTRIES[0]
        blocks = tuple(f"blocks.{number}" for number in range(len(self.blocks)))
        self.stages = ("mapping", "start", "widen", *blocks)
        self.steered = ("start", *blocks, "profiles", "envelopes")
        if self.entry != ENTRIES[0]:  # there are two mapped latents then
            self.stages, self.steered = self.stages[1:], ()

    def begin_at(self, silence: tuple[float, ...]) -> None:
        bias = torch.tensor(silence).clamp(-MOST_SILENT, MOST_SILENT).atanh()
        with torch.no_grad():
            self.draw.get_parameter("bias")[:: PATCH * PATCH] = bias

    def stay_under(self, ceiling: Tensor) -> None:
        """Where all real sounds are silent, profiles times envelopes may outdo the convolutions: a blot is heard."""
        self.ceiling.copy_(ceiling)

    def map(self, z: Tensor, code: Tensor) -> Tensor:
        """Latent and code as one style: (B, Z), (B, N) -> (B, style)."""
        w = pixel_norm(z)
        if self.embed is not None:
            w = torch.cat([w, pixel_norm(self.embed(code))], 1)
        return self.mapping(w)

    def synthesise(self, first: Tensor, w: Tensor) -> Tensor:
        """Style of the input (B, style), style of the blocks and profiles (B, style) -> picture (B, C, F, L)."""
        x = self.start(first).unflatten(1, self.start_shape)
        x = leaky(self.widen(x))
        for block in self.blocks:
            x = block(x, w)
        profiles = self.profiles(w).unflatten(1, (*self.factors, -1))
        envelopes = self.envelopes(w).unflatten(1, (*self.factors, -1))
        coarse = profiles.transpose(2, 3) @ envelopes  # (B, K, F, L)
        return torch.minimum(torch.tanh(self.lapped.synthesise(self.draw(x)) + coarse.float()), self.ceiling)

    def forward(self, z: Tensor, code: Tensor) -> Tensor:
        w = self.map(z, code)
        if self.entry == "everywhere":
            return self.synthesise(w, w)
        plain = self.map(z, torch.zeros_like(code))  # of no label
        return self.synthesise(w, plain) if self.entry == "input" else self.synthesise(plain, w)


class _Down(nn.Module):
    """Half the size: two convolutions beside a learned 2 x 2 reduction."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = EqualConv2d(inputs, inputs, gain=GAIN)
        self.second = EqualConv2d(inputs, outputs, 4, stride=2, gain=GAIN)
        self.skip = EqualConv2d(inputs, outputs, 2, stride=2, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = leaky(self.first(x))
        y = leaky(self.second(y))
        return (y + self.skip(x)) * SKIP_GAIN


class ResidualDiscriminator(Discriminator):
    """Sees a picture at a quarter of its size, an eighth and a sixteenth."""

    features = 256
    height: Tensor

    def __init__(self, shape: PictureShape, options: ResidualOptions) -> None:
        super().__init__()
        channels, rows, frames = shape
        _check(shape)
        widths = _widths(options)
        self.maps = widths[-1]
        self.lapped = Lapped(channels)
        # One more channel says which frequency a row is, since convolutions cannot tell.
        self.stem = EqualConv2d(channels * PATCH * PATCH + 1, widths[0], gain=GAIN)
        height = torch.linspace(-1, 1, rows // PATCH)[:, None].expand(-1, frames // PATCH)
        self.register_buffer("height", height.clone(), persistent=False)
        self.blocks = nn.ModuleList([_Down(a, b) for a, b in pairwise(widths)])
        self.last = EqualConv2d(widths[-1] + 1, widths[-1], gain=GAIN)
        pooled = (rows // ResidualGenerator.multiple) * (frames // ResidualGenerator.multiple)
        self.reduce = EqualConv2d(widths[-1], 64, 1, gain=GAIN)
        self.dense = EqualLinear(64 * pooled, self.features, gain=GAIN)

    def forward(self, picture: Tensor) -> list[Tensor]:
        x = self.lapped.analyse(picture)
        x = torch.cat([x, self.height.expand(len(x), 1, -1, -1)], 1)
        levels = [leaky(self.stem(x))]
        for block in self.blocks:
            levels.append(block(levels[-1]))
        x = leaky(self.last(minibatch_stddev(levels[-1])))
        x = leaky(self.reduce(x))
        return [*levels, leaky(self.dense(x.flatten(1)))]
