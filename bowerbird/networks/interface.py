"""What every network family offers to training and playing."""

from abc import ABC, abstractmethod

from torch import Tensor, nn

from bowerbird.errors import UsageError
from bowerbird.shapes import PictureShape

__all__ = ["Discriminator", "Generator", "cannot_draw"]


class Generator(nn.Module, ABC):
    """Draws pictures: z (B, Z), condition (B, N) -> picture (B, K, F, L) in [-1, 1]."""

    @abstractmethod
    def forward(self, z: Tensor, condition: Tensor) -> Tensor:
        """z (B, Z), condition (B, N) -> picture (B, K, F, L)."""

    @abstractmethod
    def begin_at(self, silence: tuple[float, ...]) -> None:
        """Before training: lets the first pictures be near silence, whose values per picture channel are given."""

    def grow(self, done: float) -> None:
        """Told before every step how much of training is done, 0 to 1."""


class Discriminator(nn.Module, ABC):
    """Looks at pictures level by level; what it sees last are features (B, E) for a head, E = `features`."""

    features: int

    @abstractmethod
    def forward(self, picture: Tensor) -> list[Tensor]:
        """(B, K, F, L) -> what each level sees, (B, …), the last of them (B, E)."""

    def grow(self, done: float) -> None:
        """As a generator's."""


def cannot_draw(network: str, shape: PictureShape) -> UsageError:
    """What to say of pictures whose sides a network has no layers for, and which one draws them."""
    other = "add --set network=wavegan" if shape.rows == 1 else "take another network"
    return UsageError(f"the network {network} cannot draw {shape.rows} x {shape.frames} pictures; {other}")
