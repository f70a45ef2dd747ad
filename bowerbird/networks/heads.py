"""Heads: how what a discriminator sees becomes scores, and where the labels enter it."""

import math
from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from bowerbird.layers import LRELU_GAIN as GAIN
from bowerbird.layers import EqualConv2d, EqualLinear, leaky

__all__ = ["HEADS", "Head"]


class Head(nn.Module, ABC):
    """Takes what the trunk's levels see, the last of them features (B, E), and a code (B, N) of labels, maybe none (N = 0).

    Scores (B, S) are high for what is taken for real: the first column judges a sound with its labels, a second one where
    there is one a sound alone.
    """

    planes: ClassVar[int] = 0  # channels that are added to the picture, drawn from the code by `plane`
    classifies: ClassVar[bool] = False  # whether `classify` tells labels from features

    @abstractmethod
    def __init__(self, maps: int, features: int, width: int) -> None:
        """`maps`: channels of the last level that still is a picture; `width`: N."""

    @abstractmethod
    def forward(self, levels: list[Tensor], code: Tensor) -> Tensor:
        """(B, …) each, (B, N) -> (B, S)."""


class _Score(EqualLinear):
    """Features (B, E) -> (B, 1) in full precision."""

    def __init__(self, features: int) -> None:
        super().__init__(features, 1)

    def forward(self, features: Tensor) -> Tensor:
        return super().forward(features.float())


class ProjectionHead(Head):
    """Realism plus the agreement of features and label (Miyato & Koyama 2018, eq. 4)."""

    def __init__(self, maps: int, features: int, width: int) -> None:
        nn.Module.__init__(self)
        self.score = _Score(features)
        # One or two of the N inputs are ones: undo the scaling by their number.
        self.embed = EqualLinear(width, features, gain=math.sqrt(width)) if width else None

    def forward(self, levels: list[Tensor], code: Tensor) -> Tensor:
        score = self.score(levels[-1])
        if self.embed is None:
            return score
        features = levels[-1].float()
        return score + (self.embed(code) * features).sum(1, keepdim=True) / math.sqrt(features.shape[1])


class TwoScoresHead(ProjectionHead):
    """A conditional and an unconditional score (Zhang et al. 2018, StackGAN++, section 3.2)."""

    def __init__(self, maps: int, features: int, width: int) -> None:
        super().__init__(maps, features, width)
        self.alone = _Score(features)

    def forward(self, levels: list[Tensor], code: Tensor) -> Tensor:
        return torch.cat([super().forward(levels, code), self.alone(levels[-1])], 1)


class ConcatenationHead(Head):
    """The code beside the channels of the last feature map, one convolution over both (Reed et al. 2016, section 4.1)."""

    def __init__(self, maps: int, features: int, width: int) -> None:
        nn.Module.__init__(self)
        self.both = EqualConv2d(maps + width, maps, gain=GAIN)
        self.beside = EqualLinear(maps, features, gain=GAIN)
        self.score = _Score(2 * features)

    def forward(self, levels: list[Tensor], code: Tensor) -> Tensor:
        maps = levels[-2]
        if maps.dim() == 3:  # of a waveform
            maps = maps[:, :, None]
        planes = code[:, :, None, None].expand(-1, -1, *maps.shape[2:]).to(maps.dtype)
        x = leaky(self.both(torch.cat([maps, planes], 1))).mean((2, 3))
        return self.score(torch.cat([leaky(self.beside(x)), levels[-1]], 1))


class InputHead(Head):
    """The code as one more channel of the picture, a row of it per row (Mirza & Osindero 2014)."""

    planes: ClassVar[int] = 1

    def __init__(self, maps: int, features: int, width: int) -> None:
        nn.Module.__init__(self)
        self.score = _Score(features)

    def forward(self, levels: list[Tensor], code: Tensor) -> Tensor:
        return self.score(levels[-1])


class ClassifierHead(Head):
    """A plain score, and labels told from the features: an auxiliary classifier (Odena et al. 2017)."""

    classifies: ClassVar[bool] = True

    def __init__(self, maps: int, features: int, width: int) -> None:
        nn.Module.__init__(self)
        self.score = _Score(features)
        self.labels = EqualLinear(features, width) if width else None

    def forward(self, levels: list[Tensor], code: Tensor) -> Tensor:
        return self.score(levels[-1])

    def classify(self, features: Tensor) -> Tensor:
        """(B, E) -> logits of the labels (B, N)."""
        return self.labels(features.float()) if self.labels is not None else features.new_zeros(len(features), 0)


HEADS: dict[str, type[Head]] = {
    "projection": ProjectionHead,
    "two_scores": TwoScoresHead,
    "concatenation": ConcatenationHead,
    "input": InputHead,
    "classifier": ClassifierHead,
}
