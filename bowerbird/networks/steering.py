"""How a condition reaches the networks: as it is, or reduced to a few trained numbers with a little noise on them."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from bowerbird.errors import UsageError
from bowerbird.layers import EqualLinear

__all__ = ["Reduction", "Steering", "dropped"]


@dataclass(frozen=True)
class Steering:
    """Between labels and generator. A text's vector has hundreds of numbers, of which a small set needs few."""

    reduction: int = 0  # numbers R that the condition is reduced to; 0: none
    augmented: bool = False  # whether the reduced condition is a distribution that training draws from
    generators: int = 1  # one of which, drawn by the code, makes each sound
    shared: bool = False  # whether they have all but their last layers in common

    def __post_init__(self) -> None:
        if not 0 <= self.reduction <= 4096:
            raise UsageError(f"steering.reduction={self.reduction} is out of range; it lies between 0 and 4096")
        if not 1 <= self.generators <= 64:
            raise UsageError(f"steering.generators={self.generators} is out of range; it lies between 1 and 64")


class Reduction(nn.Module):
    """Condition (B, N) -> its code (B, R); where asked for, conditioning augmentation (Zhang et al. 2017, section 3.2)."""

    def __init__(self, condition_width: int, steering: Steering) -> None:
        super().__init__()
        gain = math.sqrt(condition_width)  # a condition's length is about one, whatever its width
        self.mean = EqualLinear(condition_width, steering.reduction, gain=gain)
        self.log_sigma = EqualLinear(condition_width, steering.reduction) if steering.augmented else None

    def forward(self, condition: Tensor) -> Tensor:
        """The mean: (B, N) -> (B, R)."""
        return self.mean(condition)

    def sample(self, condition: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """One draw (B, R), and the mean divergence from a standard normal distribution, a scalar (eq. 5 there)."""
        mean = self.mean(condition)
        if self.log_sigma is None:
            return mean, mean.new_zeros(())
        log_sigma = self.log_sigma(condition)
        noise = torch.randn(mean.shape, generator=random).to(mean)
        divergence = ((2 * log_sigma).exp() + mean.square() - 1) / 2 - log_sigma
        return mean + log_sigma.exp() * noise, divergence.mean()


def dropped(code: Tensor, probability: float, random: torch.Generator) -> Tensor:
    """Numbers of a code (B, N) left out at random, the others louder for it (Srivastava et al. 2014)."""
    if not probability:
        return code
    kept = torch.rand(code.shape, generator=random) >= probability
    return code * kept.to(code) / (1 - probability)
