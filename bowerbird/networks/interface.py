"""What every network family offers to training and playing."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn

from bowerbird.errors import UsageError
from bowerbird.networks.steering import Reduction
from bowerbird.shapes import PictureShape

__all__ = ["Discriminator", "Generator", "cannot_draw"]


class Generator(nn.Module, ABC):
    """Draws pictures: z (B, Z), code (B, N) -> picture (B, K, F, L) in [-1, 1].

    The code is the condition as it is or, with a `reduction`, what that makes of it.
    """

    last_layers: ClassVar[tuple[str, ...]] = ()  # submodules that alone are several where generators share the rest
    stages: tuple[str, ...] = ()  # submodules, the first ones first, whose outputs are places to look at and to bend
    steered: tuple[str, ...] = ()  # those that take what the first stage gives, as their last argument

    def __init__(self) -> None:
        super().__init__()
        self.reduction: Reduction | None = None

    def code(self, condition: Tensor) -> Tensor:
        """Encoded labels -> what `forward` takes, without chance."""
        return condition if self.reduction is None else self.reduction(condition)

    @abstractmethod
    def forward(self, z: Tensor, code: Tensor) -> Tensor:
        """z (B, Z), code (B, N) -> picture (B, K, F, L)."""

    @abstractmethod
    def begin_at(self, silence: tuple[float, ...]) -> None:
        """Before training: lets the first pictures be near silence, whose values per picture channel are given."""

    def stay_under(self, ceiling: Tensor) -> None:
        """Before training: no cell is to be drawn above these (K, F, L). Families that never do need not care."""

    def grow(self, done: float) -> None:
        """Told before every step how much of training is done, 0 to 1."""


class Discriminator(nn.Module, ABC):
    """Looks at pictures level by level; what it sees last are features (B, E) for a head, E = `features`."""

    features: int
    maps: int  # channels of the level before the last

    @abstractmethod
    def forward(self, picture: Tensor) -> list[Tensor]:
        """(B, K, F, L) -> what each level sees, (B, …), the last of them (B, E)."""

    def grow(self, done: float) -> None:
        """As a generator's."""


def cannot_draw(network: str, shape: PictureShape) -> UsageError:
    """What to say of pictures whose sides a network has no layers for, and which one draws them."""
    other = "add --set network=wavegan" if shape.rows == 1 else "take another network"
    return UsageError(f"the network {network} cannot draw {shape.rows} x {shape.frames} pictures; {other}")
