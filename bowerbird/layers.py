"""Network primitives of a few lines each; the paper is named above each one, deviations say "we differ"."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = [
    "EqualConv2d",
    "EqualLinear",
    "Film",
    "Up2d",
    "minibatch_stddev",
    "pixel_norm",
]

LEAK = 0.2
LRELU_GAIN = math.sqrt(2 / (1 + LEAK**2))  # keeps the variance through a leaky ReLU (He et al. 2015, eq. 15)


def leaky(x: Tensor) -> Tensor:
    """Leaky ReLU in place: its input is always a fresh tensor here and the saved pass over memory counts on a CPU."""
    return functional.leaky_relu_(x, LEAK)


class EqualLinear(nn.Module):
    """Dense layer with equalised learning rate (Karras et al. 2018, section 4.1): (B, in) -> (B, out)."""

    def __init__(self, inputs: int, outputs: int, *, bias: float = 0.0, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.full((outputs,), bias))
        self.scale = gain / math.sqrt(inputs)

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.scale, self.bias)


class EqualConv2d(nn.Module):
    """Convolution with equalised learning rate: (B, in, F, L) -> (B, out, F / stride, L / stride)."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, *, stride: int = 1, bias: bool = True, gain: float = 1.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / math.sqrt(inputs * kernel * kernel)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        padding = (weight.shape[-1] - 1) // 2
        return functional.conv2d(x, weight, self.bias, stride=self.stride, padding=padding)


class Up2d(nn.Module):
    """Transposed convolution to twice the size, equalised: (B, in, F, L) -> (B, out, 2F, 2L).

    A kernel of 4 gives every output the same number of taps, which is what keeps checkerboards away (Odena et al. 2016).
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 4, *, bias: bool = True, gain: float = 1.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.scale = gain / math.sqrt(inputs * kernel * kernel / 4)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight * self.scale
        return functional.conv_transpose2d(x, weight, self.bias, stride=2, padding=weight.shape[-1] // 2 - 1)


class Film(nn.Module):
    """Scale and shift of every channel by a style (Perez et al. 2018, eq. 2): (B, C, F, L), (B, E) -> (B, C, F, L)."""

    def __init__(self, channels: int, style: int) -> None:
        super().__init__()
        self.to_scale = EqualLinear(style, channels, bias=1.0)
        self.to_shift = EqualLinear(style, channels)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        scale, shift = self.to_scale(w), self.to_shift(w)
        return torch.addcmul(shift[:, :, None, None].to(x.dtype), x, scale[:, :, None, None].to(x.dtype))


def pixel_norm(x: Tensor) -> Tensor:
    """Unit mean square along the features (Karras et al. 2018, section 4.2): (B, E) -> (B, E)."""
    return x * torch.rsqrt(x.square().mean(1, keepdim=True) + 1e-8)


def minibatch_stddev(x: Tensor, group: int = 4) -> Tensor:
    """Appends one channel with the standard deviation over groups of neighbours in the batch.

    (B, C, F, L) -> (B, C + 1, F, L). Karras et al. 2018, section 3: lets the discriminator see a batch without variety.
    Groups are neighbours so that real and generated sounds, judged one half after the other, do not share one.
    """
    batch, channels, rows, frames = x.shape
    group = math.gcd(group, batch)
    y = x.float().reshape(batch // group, group, channels, rows, frames)
    y = y - y.mean(1, keepdim=True)
    spread = (y.square().mean(1) + 1e-8).sqrt().mean((1, 2, 3))  # (batch / group,)
    plane = spread.repeat_interleave(group)[:, None, None, None].expand(batch, 1, rows, frames)
    return torch.cat([x, plane.to(x.dtype)], 1)
