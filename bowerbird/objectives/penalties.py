"""Penalties that keep a discriminator smooth."""

import torch
from torch import Tensor

__all__ = ["r1"]


def r1(scores: Tensor, real: Tensor) -> Tensor:
    """Mean squared gradient norm of the scores (B,) at real pictures (B, C, F, L) (Mescheder et al. 2018, eq. 9)."""
    (gradient,) = torch.autograd.grad(scores.sum(), real, create_graph=True)
    return gradient.square().sum((1, 2, 3)).mean()
