"""The `progressive` family: GANSynth's network, which begins with coarse pictures and grows (Karras et al. 2018).

Engel et al. 2019, appendix A: pixel norm, nearest enlargement, two 3 x 3 convolutions a level, equalised learning rates; the
discriminator mirrors it with average pooling. We differ: labels steer through the input alone but are scored by any head.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from bowerbird.errors import UsageError
from bowerbird.layers import LRELU_GAIN as GAIN
from bowerbird.layers import EqualConv2d, EqualLinear, leaky, minibatch_stddev, pixel_norm
from bowerbird.networks.interface import Discriminator, Generator, cannot_draw
from bowerbird.shapes import PictureShape

__all__ = ["ProgressiveDiscriminator", "ProgressiveGenerator", "ProgressiveOptions"]

LEVELS = 4  # doublings from the first picture to the last
GROWING = 0.75  # part of training after which the network has its full size
MOST_SILENT = 0.85  # where tanh is not yet flat


@dataclass(frozen=True)
class ProgressiveOptions:
    """Sizes of the family."""

    z_dim: int = 256
    width: int = 32  # channels at the finest level; they double towards the coarse side
    widest: int = 256

    def __post_init__(self) -> None:
        for name, low, high in (("z_dim", 1, 4096), ("width", 4, 1024), ("widest", 4, 4096)):
            if not low <= getattr(self, name) <= high:
                raise UsageError(f"network.{name}={getattr(self, name)} is out of range; it lies between {low} and {high}")


def _widths(options: ProgressiveOptions) -> list[int]:
    """Channels from the coarsest level to the finest."""
    return [min(options.width * 2 ** (LEVELS - level), options.widest) for level in range(LEVELS + 1)]


def _grown(done: float) -> float:
    """The level that is drawn: each fades in over the first half of its share of training and then stays."""
    level = min(done / GROWING, 1.0) * (LEVELS + 1)
    return min(max(0.0, int(level) - 1 + min(1.0, 2 * (level - int(level)))), float(LEVELS))


def _check(shape: PictureShape) -> None:
    if shape.rows % 2**LEVELS or shape.frames % 2**LEVELS:
        raise cannot_draw("progressive", shape)


def _enlarged(x: Tensor, levels: int) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0**levels) if levels else x


class ProgressiveGenerator(Generator):
    """Draws pictures whose sides are multiples of 16."""

    last_layers = ("draw",)
    stages = ("start", "widen", *(f"second.{level}" for level in range(LEVELS)))
    grown: Tensor

    def __init__(self, shape: PictureShape, code_width: int, options: ProgressiveOptions) -> None:
        super().__init__()
        _check(shape)
        widths = _widths(options)
        self.start_shape = (max(1, widths[0] // 8), shape.rows // 2**LEVELS, shape.frames // 2**LEVELS)
        start = self.start_shape[0] * self.start_shape[1] * self.start_shape[2]
        self.embed = EqualLinear(code_width, options.z_dim) if code_width else None
        self.start = EqualLinear(options.z_dim * (2 if code_width else 1), start, gain=GAIN)
        self.widen = EqualConv2d(self.start_shape[0], widths[0], gain=GAIN)
        self.first = nn.ModuleList([EqualConv2d(a, b, gain=GAIN) for a, b in pairwise(widths)])
        self.second = nn.ModuleList([EqualConv2d(b, b, gain=GAIN) for b in widths[1:]])
        self.draw = nn.ModuleList([EqualConv2d(width, shape.channels, 1) for width in widths])
        self.register_buffer("grown", torch.tensor(float(LEVELS)))

    def begin_at(self, silence: tuple[float, ...]) -> None:
        bias = torch.tensor(silence).clamp(-MOST_SILENT, MOST_SILENT).atanh()
        with torch.no_grad():
            for draw in self.draw:
                draw.get_parameter("bias").copy_(bias)

    def grow(self, done: float) -> None:
        self.grown.fill_(_grown(done))

    def forward(self, z: Tensor, code: Tensor) -> Tensor:
        x = pixel_norm(z)
        if self.embed is not None:
            x = torch.cat([x, pixel_norm(self.embed(code))], 1)
        x = leaky(self.widen(pixel_norm(leaky(self.start(x).unflatten(1, self.start_shape)))))
        grown = float(self.grown)
        before, level = x, 0
        while level < grown:
            before, level = x, level + 1
            x = pixel_norm(leaky(self.first[level - 1](_enlarged(x, 1))))
            x = pixel_norm(leaky(self.second[level - 1](x)))
        picture = self.draw[level](x)
        if level > grown:  # the finest level fades in
            coarse = _enlarged(self.draw[level - 1](before), 1)
            picture = torch.lerp(coarse, picture, grown - (level - 1))
        return torch.tanh(_enlarged(picture, LEVELS - level).float())


class ProgressiveDiscriminator(Discriminator):
    """The mirror image: pictures are brought down to the level that is drawn and judged from there."""

    features = 256
    grown: Tensor

    def __init__(self, shape: PictureShape, options: ProgressiveOptions) -> None:
        super().__init__()
        _check(shape)
        widths = _widths(options)[::-1]
        self.maps = widths[-1]
        self.see = nn.ModuleList([EqualConv2d(shape.channels, width, 1, gain=GAIN) for width in widths])
        self.first = nn.ModuleList([EqualConv2d(a, a, gain=GAIN) for a in widths[:-1]])
        self.second = nn.ModuleList([EqualConv2d(a, b, gain=GAIN) for a, b in pairwise(widths)])
        self.last = EqualConv2d(widths[-1] + 1, 32, gain=GAIN)
        cells = (shape.rows // 2**LEVELS) * (shape.frames // 2**LEVELS)
        self.dense = EqualLinear(32 * cells, self.features, gain=GAIN)
        self.register_buffer("grown", torch.tensor(float(LEVELS)))

    def grow(self, done: float) -> None:
        self.grown.fill_(_grown(done))

    def forward(self, picture: Tensor) -> list[Tensor]:
        grown = float(self.grown)
        finest = LEVELS - int(-(-grown // 1))  # the level that is drawn
        small = functional.avg_pool2d(picture, 2**finest) if finest else picture
        x = leaky(self.see[finest](small))
        levels = [x]
        for level in range(finest, LEVELS):
            x = leaky(self.second[level](leaky(self.first[level](x))))
            x = functional.avg_pool2d(x, 2)
            if level == finest and grown % 1:
                coarse = leaky(self.see[finest + 1](functional.avg_pool2d(small, 2)))
                x = torch.lerp(coarse, x, grown % 1)
            levels.append(x)
        x = leaky(self.last(minibatch_stddev(x)))
        return [*levels, leaky(self.dense(x.flatten(1)))]
