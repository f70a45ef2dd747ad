"""Several generators that share the work: one of them, drawn by what is asked, makes each sound.

Against mode collapse (Ghosh et al. 2018, MAD-GAN; Hoang et al. 2018, MGAN); here the draw follows the labels, so that what a
generator is good at can be read afterwards.
"""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.func import functional_call

from bowerbird.layers import EqualLinear
from bowerbird.networks.interface import Generator

__all__ = ["Mixture"]


class Mixture(Generator):
    """`count` generators as `build` makes them; where `shared`, the first one with the last layers of the others."""

    def __init__(self, build: Callable[[], Generator], count: int, code_width: int, *, shared: bool) -> None:
        super().__init__()
        self.shared = shared
        self.first = build()
        others = [build() for _ in range(count - 1)]
        lasts = [nn.ModuleList(map(other.get_submodule, self.first.last_layers)) for other in others]
        self.others = nn.ModuleList(lasts if shared else others)
        self.selector = EqualLinear(code_width, count) if code_width else None
        self.stages, self.steered = self.first.stages, self.first.steered

    def shares(self, code: Tensor) -> Tensor:
        """Codes (B, N) -> the probability of each generator (B, G)."""
        if self.selector is None:
            count = 1 + len(self.others)
            return code.new_full((len(code), count), 1 / count)
        return self.selector(code).float().softmax(1)

    def choose(self, z: Tensor, code: Tensor) -> Tensor:
        """Which generator makes each sound: (B, Z), (B, N) -> (B,). The last latent number is the chance in it."""
        chance = torch.special.ndtr(z[:, -1:].float())
        return (chance > self.shares(code).cumsum(1)).sum(1).clamp_max(len(self.others))

    def forward(self, z: Tensor, code: Tensor) -> Tensor:
        """Every generator draws its part of the batch."""
        choice = self.choose(z, code)
        order = choice.argsort(stable=True)
        parts = order.split(torch.bincount(choice, minlength=1 + len(self.others)).tolist())
        drawn = [self._draw(number, z[rows], code[rows]) for number, rows in enumerate(parts) if len(rows)]
        return torch.cat(drawn)[order.argsort()]

    def _draw(self, number: int, z: Tensor, code: Tensor) -> Tensor:
        if number and self.shared:
            return functional_call(self.first, self._last(number), (z, code))
        return self.whole[number](z, code)

    def _last(self, number: int) -> dict[str, Tensor]:
        """The weights of another generator's last layers, under the first one's names for them."""
        layers = zip(self.first.last_layers, cast(nn.ModuleList, self.others[number - 1]), strict=True)
        return {f"{name}.{key}": weight for name, layer in layers for key, weight in layer.named_parameters()}

    @property
    def whole(self) -> list[Generator]:
        """The generators that are whole: each of them or, where they share, the first alone."""
        return [self.first] if self.shared else [self.first, *cast(list[Generator], self.others)]

    def begin_at(self, silence: tuple[float, ...]) -> None:
        for generator in self.whole:
            generator.begin_at(silence)
        with torch.no_grad():
            for number in range(1, 1 + len(self.others) if self.shared else 1):
                for name, weight in self._last(number).items():
                    if name.endswith("bias"):
                        weight.copy_(self.first.get_parameter(name))

    def stay_under(self, ceiling: Tensor) -> None:
        for generator in self.whole:
            generator.stay_under(ceiling)

    def grow(self, done: float) -> None:
        for generator in self.whole:
            generator.grow(done)
