"""The judge: a discriminator trunk that sees, a head that scores, and what becomes of the labels on their way to it."""

from dataclasses import replace

import torch
from torch import Tensor, nn

from bowerbird.config import ModelConfig, TrainConfig
from bowerbird.instrument import family_of
from bowerbird.layers import EqualLinear
from bowerbird.networks import NetworkFamily
from bowerbird.networks.heads import HEADS
from bowerbird.networks.steering import Reduction
from bowerbird.shapes import PictureShape

__all__ = ["Judge", "judge_of"]


class Judge(nn.Module):
    """Scores pictures under codes of `width` N that stand for `labels` numbers, and tells which of `makers` drew them."""

    def __init__(
        self,
        family: NetworkFamily,
        shape: PictureShape,
        options: object,
        head: str,
        width: int,
        labels: int,
        reduction: Reduction | None = None,
        makers: int = 1,
    ) -> None:
        super().__init__()
        kind = HEADS[head]
        self.trunk = family.discriminator(shape._replace(channels=shape.channels + kind.planes), options)
        self.head = kind(self.trunk.maps, self.trunk.features, labels if kind.classifies else width)
        self.plane = EqualLinear(max(width, 1), shape.rows) if kind.planes else None
        self.reduction = reduction
        self.makers = EqualLinear(self.trunk.features, makers) if makers > 1 else None

    def forward(self, picture: Tensor, code: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, C, F, L), (B + B', N) -> scores (B + B', S), and what the trunk's levels see, (B, …) each.

        Codes past the last picture are for the first ones again.
        """
        count, again = len(picture), len(code) - len(picture)
        if self.plane is None:
            levels = self.trunk(picture)
            seen = [torch.cat([level, level[:again]]) for level in levels[-2:]]
        else:  # other labels are another picture here
            row = self.plane(code if code.shape[1] else code.new_zeros(len(code), 1))
            planes = row[:, None, :, None].expand(-1, 1, -1, picture.shape[3]).to(picture.dtype)
            seen = levels = self.trunk(torch.cat([torch.cat([picture, picture[:again]]), planes], 1))
        return self.head(seen, code).float(), [level[:count] for level in levels]

    def tell(self, features: Tensor) -> Tensor:
        """Features (B, E) of generated sounds -> logits of who made each (B, G)."""
        assert self.makers is not None
        return self.makers(features.float())


def judge_of(model: ModelConfig, config: TrainConfig) -> Judge:
    """A fresh judge, with a reduction of its own unless it is to be told by the generator's.

    We differ from Zhang et al. 2017: the judge is told the mean, so that it cannot train the noise away.
    """
    own = model.code_width != model.condition_width and not config.shared_reduction
    reduction = Reduction(model.condition_width, replace(model.steering, augmented=False)) if own else None
    return Judge(
        family_of(model), model.representation.shape, model.network, config.head, model.code_width, model.condition_width,
        reduction, model.steering.generators,
    )  # fmt: skip
