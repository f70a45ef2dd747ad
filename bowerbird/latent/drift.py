"""An endless walk that follows a slowly changing target, for playing live."""

from collections.abc import Iterator
from dataclasses import replace

import torch

from bowerbird.errors import UsageError
from bowerbird.latent.space import Space, Spot
from bowerbird.seeds import torch_random

__all__ = ["Drift"]


class Drift(Iterator[Spot]):
    """Places one after the other, `pace` (0 to 1) of the way to the target each; `aim` sets another at any time.

    Arrived, and with nothing new to aim at, it goes on to places of its own choice with the same labels.
    """

    def __init__(self, space: Space, start: Spot, pace: float = 0.1, seed: int = 0) -> None:
        if not 0 < pace <= 1:
            raise UsageError(f"a pace of {pace:g} is out of range; it lies above 0, at most 1")
        self.space, self.pace, self.seed = space, pace, seed
        self.here = self._from = start
        self._share, self._chosen = 0.0, 0
        self.target = self._own()

    def aim(self, target: Spot) -> None:
        """From where it is now to another place; nothing jumps."""
        self._from, self.target, self._share = self.here, target, 0.0

    def __next__(self) -> Spot:
        self._share = min(1.0, self._share + self.pace)
        self.here = self.space.between([self._from, self.target], self._share)
        if self._share == 1:
            self.aim(self._own())
        return self.here

    def _own(self) -> Spot:
        self._chosen += 1
        random = torch_random(self.seed, "drift", self._chosen)
        return replace(self.here, z=torch.randn(len(self.here.z), generator=random))
