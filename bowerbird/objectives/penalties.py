"""Penalties that keep a discriminator smooth.

Each takes a judge's `score` of pictures (B, K, F, L) under codes (B, N), real and generated pictures, the codes of their
labels, and a source of chance.
"""

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["both", "interpolated", "matching_aware", "r1"]

Score = Callable[[Tensor, Tensor], Tensor]  # pictures (B, K, F, L), codes (B, N) -> scores (B, S)
MATCHING_WEIGHT, MATCHING_POWER = 2.0, 6.0


def _squared_slope(score: Score, pictures: Tensor, code: Tensor) -> Tensor:
    """Squared norm of the gradient of each score: pictures (B, K, F, L) -> (B,)."""
    pictures = pictures.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(score(pictures, code).sum(), pictures, create_graph=True)
    return gradient.square().sum((1, 2, 3))


def r1(score: Score, real: Tensor, fake: Tensor, code: Tensor, random: torch.Generator) -> Tensor:
    """Half the mean squared slope at real pictures (Mescheder et al. 2018, eq. 9)."""
    return _squared_slope(score, real, code).mean() / 2


def both(score: Score, real: Tensor, fake: Tensor, code: Tensor, random: torch.Generator) -> Tensor:
    """R1 + R2: at generated pictures too (Mescheder et al. 2018, eq. 9 and 10; Huang et al. 2024)."""
    return r1(score, real, fake, code, random) + _squared_slope(score, fake, code).mean() / 2


def interpolated(score: Score, real: Tensor, fake: Tensor, code: Tensor, random: torch.Generator) -> Tensor:
    """Distance of the slope from one between real and generated pictures (Gulrajani et al. 2017, eq. 3)."""
    share = torch.rand(len(real), 1, 1, 1, generator=random).to(real.device)
    slope = (_squared_slope(score, torch.lerp(real, fake.to(real.dtype), share), code) + 1e-12).sqrt()
    return (slope - 1).square().mean()


def matching_aware(score: Score, real: Tensor, fake: Tensor, code: Tensor, random: torch.Generator) -> Tensor:
    """Flat around real pictures with their own labels, in both (Tao et al. 2022, DF-GAN, eq. 2 with k = 2 and p = 6)."""
    real, code = real.detach().requires_grad_(), code.detach().requires_grad_()
    by_picture, by_code = torch.autograd.grad(
        score(real, code).sum(), (real, code), create_graph=True, materialize_grads=True
    )
    norms = [(slope.square().flatten(1).sum(1) + 1e-12).sqrt() for slope in (by_picture, by_code)]
    return MATCHING_WEIGHT * (norms[0] + norms[1]).pow(MATCHING_POWER).mean()
