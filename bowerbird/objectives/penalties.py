"""Penalties that keep a discriminator smooth."""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["both", "interpolated", "r1"]

Score = Callable[[Tensor], Tensor]  # pictures (B, K, F, L) -> scores (B,)


def _squared_slope(score: Score, pictures: Tensor) -> Tensor:
    """Squared norm of the gradient of each score: pictures (B, K, F, L) -> (B,)."""
    pictures = pictures.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(pictures).sum(), pictures, create_graph=True)
    return gradient.square().sum((1, 2, 3))


def r1(score: Score, real: Tensor, fake: Tensor, random: torch.Generator) -> Tensor:
    """Half the mean squared slope at real pictures (Mescheder et al. 2018, eq. 9)."""
    return _squared_slope(score, real).mean() / 2


def both(score: Score, real: Tensor, fake: Tensor, random: torch.Generator) -> Tensor:
    """R1 + R2: at generated pictures too (Mescheder et al. 2018, eq. 9 and 10; Huang et al. 2024)."""
    return r1(score, real, fake, random) + _squared_slope(score, fake).mean() / 2


def interpolated(score: Score, real: Tensor, fake: Tensor, random: torch.Generator) -> Tensor:
    """Distance of the slope from one between real and generated pictures (Gulrajani et al. 2017, eq. 3)."""
    share = torch.rand(len(real), 1, 1, 1, generator=random).to(real.device)
    slope = (_squared_slope(score, torch.lerp(real, fake.to(real.dtype), share)) + 1e-12).sqrt()
    return (slope - 1).square().mean()
