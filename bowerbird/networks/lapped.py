"""A picture at a quarter of its size without edges between the patches: a lapped orthogonal transform."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["PATCH", "Lapped"]

PATCH = 4
CORRELATION = 0.95  # of neighbouring cells, as of most pictures
MEAN_GAIN, DETAIL_GAIN = 1 / PATCH, 2.0  # bring the first band and the others, which are far weaker, nearer to each other


def lapped_basis() -> Tensor:
    """(M, 2M) float64: the lapped orthogonal transform of M = 4 bands (Malvar & Staelin 1989).

    Every row is a smooth wave over two patches that fades out at both ends, so a sum of them shows no patches.
    """
    index = torch.arange(PATCH, dtype=torch.float64)
    cosines = math.sqrt(2 / PATCH) * torch.cos(math.pi * (2 * index + 1) * index[:, None] / (2 * PATCH))
    cosines[0] /= math.sqrt(2)
    half = (cosines[0::2] - cosines[1::2]) / 2
    distance = torch.arange(2 * PATCH)
    covariance = CORRELATION ** (distance[:, None] - distance).abs().double()
    even, odd = (
        torch.linalg.eigh(rows @ covariance @ rows.T)[1].T.flip(0) @ rows
        for rows in (torch.cat([half, sign * half.flip(1)], 1) for sign in (1, -1))
    )
    basis = torch.stack([even, odd], 1).flatten(0, 1)  # from slow to fast
    return basis * basis[:, PATCH : PATCH + 1].sign()


class Lapped(nn.Module):
    """Pictures (B, K, F, L) <-> bands (B, 16 K, F / 4, L / 4), the slowest of each channel first, by fixed weights.

    In the middle each undoes the other; the outermost patches are continued beyond the edge.
    """

    to_bands: Tensor
    to_picture: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        basis = lapped_basis()
        # A wave reaches half a patch into its neighbours: between patches it is a kernel of three.
        kernel = torch.zeros(PATCH, PATCH, 3, dtype=torch.float64)  # band, place in the patch, neighbour
        kernel[:, 2:, 0], kernel[:, :, 1], kernel[:, :2, 2] = basis[:, :2], basis[:, 2:6], basis[:, 6:]
        gain = torch.full((PATCH * PATCH,), DETAIL_GAIN)
        gain[0] = MEAN_GAIN
        analysis = torch.einsum("bri,csj->bcrsij", kernel, kernel).reshape(PATCH**2, PATCH**2, 3, 3)
        bands = analysis * gain[:, None, None, None]
        picture = analysis.transpose(0, 1).flip(2, 3) / gain[None, :, None, None]
        self.register_buffer("to_bands", bands.float().repeat(channels, 1, 1, 1), persistent=False)
        self.register_buffer("to_picture", picture.float().repeat(channels, 1, 1, 1), persistent=False)

    def analyse(self, picture: Tensor) -> Tensor:
        """(B, K, F, L) -> (B, 16 K, F / 4, L / 4)."""
        patches = functional.pixel_unshuffle(_continued(picture.float(), PATCH), PATCH)
        return self._between(patches, self.to_bands)

    def synthesise(self, bands: Tensor) -> Tensor:
        """(B, 16 K, F / 4, L / 4) -> (B, K, F, L) float32."""
        patches = self._between(_continued(bands.float(), 1), self.to_picture)
        return functional.pixel_shuffle(patches, PATCH)

    def _between(self, x: Tensor, weight: Tensor) -> Tensor:
        # Details are small differences of large numbers, which bfloat16 would round away.
        with torch.autocast(x.device.type, enabled=False):
            return functional.conv2d(x, weight, groups=self.channels)


def _continued(x: Tensor, by: int) -> Tensor:
    """The outermost rows and frames `by` times more: (B, C, F, L) -> (B, C, F + 2 by, L + 2 by).

    The library's own replicating pad breaks compiled networks: its backward pass forgets the order of memory.
    """
    x = torch.cat([x[..., :1].expand(-1, -1, -1, by), x, x[..., -1:].expand(-1, -1, -1, by)], 3)
    return torch.cat([x[..., :1, :].expand(-1, -1, by, -1), x, x[..., -1:, :].expand(-1, -1, by, -1)], 2)
