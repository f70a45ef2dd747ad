"""Randomness as an argument: every random number comes from a seed and a path of names and counts.

Nothing here keeps state, so a resumed training draws what an uninterrupted one would have drawn.
"""

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # preparing draws by NumPy alone and starts without torch, which takes seconds
    import torch

__all__ = ["latents", "numpy_random", "torch_random"]


def _mixed(seed: int, path: tuple[int | str, ...]) -> int:
    text = "/".join(str(part) for part in (seed, *path))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def torch_random(seed: int, *path: int | str) -> "torch.Generator":
    """A CPU random generator that depends on (seed, path) alone."""
    import torch

    return torch.Generator().manual_seed(_mixed(seed, path))


def numpy_random(seed: int, *path: int | str) -> np.random.Generator:
    """The same for NumPy."""
    return np.random.default_rng(_mixed(seed, path))


def latents(seeds: list[int], z_dim: int) -> "torch.Tensor":
    """One standard normal latent per seed, (B, Z): sound k depends on seeds[k] and nothing else."""
    import torch

    return torch.stack([torch.randn(z_dim, generator=torch_random(seed, "z")) for seed in seeds])
