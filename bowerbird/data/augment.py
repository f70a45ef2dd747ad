"""Discriminator augmentation: small changes to real and generated pictures, so that a small set is not learnt by heart.

Karras et al. 2020 ("Training GANs with limited data"), section 2: applied with a probability under one, changes of real
and generated sounds do not leak into what is generated. Drawing the randomness is apart from applying it.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.shapes import PictureTraits

__all__ = ["Changes", "draw_changes"]

GAIN_DB = 6.0
FLOOR_SLOPE = 10.0  # how fast a gain fades in above the floor: silence stays silent


class Changes(NamedTuple):
    """One draw for a batch: shifts in frames and rows (B,), gains in dB (B,)."""

    traits: PictureTraits

    frames: list[int]
    rows: list[int]
    gain_db: Tensor

    def __call__(self, picture: Tensor) -> Tensor:
        """(B, C, F, L) -> (B, C, F, L); differentiable."""
        traits, (rows, frames) = self.traits, picture.shape[2:]
        silence = torch.tensor(traits.silence, device=picture.device)[:, None, None]
        late, up = traits.shift_frames, traits.shift_rows
        wide = functional.pad(picture - silence, (late, late, up, up))
        moved = torch.stack(
            [
                sound[:, up - higher : up - higher + rows, late - later : late - later + frames]
                for sound, higher, later in zip(wide, self.rows, self.frames, strict=True)
            ]
        )
        gain_db = self.gain_db.to(picture.device)[:, None, None, None]
        if not traits.level_channels:
            return moved * 10 ** (gain_db * traits.db_per_unit / 20) + silence
        level = moved[:, : traits.level_channels]
        louder = level + gain_db / traits.db_per_unit * (level * FLOOR_SLOPE).clamp(0, 1)
        return torch.cat([louder, moved[:, traits.level_channels :]], 1) + silence


def draw_changes(batch: int, probability: float, traits: PictureTraits, random: torch.Generator) -> Changes:
    """Each kind of change happens to each sound with `probability`, independently."""
    happens = torch.rand(3, batch, generator=random) < probability
    frames = torch.randint(-traits.shift_frames, traits.shift_frames + 1, (batch,), generator=random) * happens[0]
    rows = torch.randint(-traits.shift_rows, traits.shift_rows + 1, (batch,), generator=random) * happens[1]
    gain_db = (torch.rand(batch, generator=random) * 2 - 1) * GAIN_DB * happens[2]
    return Changes(traits, frames.tolist(), rows.tolist(), gain_db)
