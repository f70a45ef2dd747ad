"""Codes of earlier steps, to be drawn and judged again as they were drawn then, with other latents."""

import torch
from torch import Tensor, nn

__all__ = ["Replay"]

STORED = 1024


class Replay(nn.Module):
    """The last STORED codes of generator (N) and judge (M)."""

    codes: Tensor
    told: Tensor
    stored: Tensor  # how many there have been

    def __init__(self, code_width: int, told_width: int) -> None:
        super().__init__()
        self.register_buffer("codes", torch.zeros(STORED, code_width))
        self.register_buffer("told", torch.zeros(STORED, told_width))
        self.register_buffer("stored", torch.zeros((), dtype=torch.long))

    def store(self, code: Tensor, told: Tensor) -> None:
        """Puts (B, N) and (B, M) in the place of the oldest."""
        places = (self.stored + torch.arange(len(code), device=code.device)) % STORED
        self.codes[places], self.told[places] = code.detach().to(self.codes), told.detach().to(self.told)
        self.stored += len(code)

    def draw(self, count: int, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Any `count` of what is stored: (count, N), (count, M)."""
        rows = torch.randint(min(int(self.stored), STORED), (count,), generator=random)
        return self.codes[rows], self.told[rows]
