"""Discriminator augmentation: small changes to real and generated pictures, so that a small set is not learnt by heart.

Karras et al. 2020 ("Training GANs with limited data"), section 2: applied with a probability under one, changes of real
and generated sounds do not leak into what is generated. Drawing the randomness is apart from applying it.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Changes", "draw_changes"]

SHIFT_FRAMES, SHIFT_ROWS = 8, 3
GAIN = 0.13  # of the picture's range of 2: about 6 dB of 90
FLOOR_SLOPE = 10.0  # how fast a gain fades in above the floor: silence stays silent


class Changes(NamedTuple):
    """One draw for a batch: shifts in frames and rows (B,), gains in picture units (B,)."""

    frames: list[int]
    rows: list[int]
    gain: Tensor

    def __call__(self, picture: Tensor) -> Tensor:
        """(B, C, F, L) -> (B, C, F, L); differentiable."""
        rows, frames = picture.shape[2:]
        wide = functional.pad(picture, (SHIFT_FRAMES, SHIFT_FRAMES, SHIFT_ROWS, SHIFT_ROWS), value=-1.0)
        shifted = torch.stack(
            [
                sound[:, SHIFT_ROWS - up : SHIFT_ROWS - up + rows, SHIFT_FRAMES - late : SHIFT_FRAMES - late + frames]
                for sound, up, late in zip(wide, self.rows, self.frames, strict=True)
            ]
        )
        audible = ((shifted + 1) * FLOOR_SLOPE).clamp(0, 1)
        return shifted + self.gain.to(picture.device)[:, None, None, None] * audible


def draw_changes(batch: int, probability: float, random: torch.Generator) -> Changes:
    """Each kind of change happens to each sound with `probability`, independently."""
    happens = torch.rand(3, batch, generator=random) < probability
    frames = torch.randint(-SHIFT_FRAMES, SHIFT_FRAMES + 1, (batch,), generator=random) * happens[0]
    rows = torch.randint(-SHIFT_ROWS, SHIFT_ROWS + 1, (batch,), generator=random) * happens[1]
    gain = (torch.rand(batch, generator=random) * 2 - 1) * GAIN * happens[2]
    return Changes(frames.tolist(), rows.tolist(), gain)
