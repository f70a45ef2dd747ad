"""Ways between places: plain functions of tensors, all with shares from 0 to 1 of the way."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from bowerbird.seeds import torch_random

__all__ = ["PATHS", "linear", "near", "slerp", "spline"]


def linear(points: Sequence[Tensor], share: float) -> Tensor:
    """The straight way from point to point (D,): share 0 is the first of them, 1 the last."""
    place, rest = _segment(points, share)
    return torch.lerp(points[place], points[min(place + 1, len(points) - 1)], rest)


def slerp(points: Sequence[Tensor], share: float) -> Tensor:
    """Along great circles, lengths in between (Shoemake 1985): latents on it are as likely as those at its ends."""
    place, rest = _segment(points, share)
    one, other = points[place], points[min(place + 1, len(points) - 1)]
    sizes = one.norm(), other.norm()
    cosine = float((one @ other / (sizes[0] * sizes[1]).clamp_min(1e-12)).clamp(-1, 1))
    angle = math.acos(cosine)
    if math.sin(angle) < 1e-4:  # the same direction, or opposite ones that no circle tells apart
        return torch.lerp(one, other, rest)
    shares = math.sin((1 - rest) * angle) / math.sin(angle), math.sin(rest * angle) / math.sin(angle)
    way = shares[0] * one / sizes[0] + shares[1] * other / sizes[1]
    return way * torch.lerp(sizes[0], sizes[1], rest)


def spline(points: Sequence[Tensor], share: float) -> Tensor:
    """A smooth way through all points (Catmull & Rom 1974), as long as the straight one's points are at each place."""
    place, rest = _segment(points, share)
    at = [points[min(max(place + k, 0), len(points) - 1)] for k in (-1, 0, 1, 2)]
    bend = at[2] - at[0], at[3] - at[1]
    way = (
        (2 * rest**3 - 3 * rest**2 + 1) * at[1]
        + (rest**3 - 2 * rest**2 + rest) * bend[0] / 2
        + (3 * rest**2 - 2 * rest**3) * at[2]
        + (rest**3 - rest**2) * bend[1] / 2
    )
    size = torch.lerp(at[1].norm(), at[2].norm(), rest)
    return way * size / way.norm().clamp_min(1e-12)


PATHS: dict[str, Callable[[Sequence[Tensor], float], Tensor]] = {"slerp": slerp, "linear": linear, "spline": spline}


def _segment(points: Sequence[Tensor], share: float) -> tuple[int, float]:
    """Which point comes before a share of the whole way, and how far it is from there to the next, 0 to 1."""
    place = min(max(share, 0.0), 1.0) * (len(points) - 1)
    before = min(int(place), max(len(points) - 2, 0))
    return before, place - before


def near(z: Tensor, distance: float, seed: int) -> Tensor:
    """A latent (Z,) like this one, a bit different: 0 is the same, 1 has nothing to do with it; about as long as it was.

    That share of a quarter circle: on drums half of it is heard as 0.6 to 0.8 of the whole.
    """
    noise = torch.randn(len(z), generator=torch_random(seed, "near")) * z.square().mean().sqrt()
    angle = distance * math.pi / 2
    return math.cos(angle) * z + math.sin(angle) * noise
