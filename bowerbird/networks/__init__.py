"""Network families: a generator and a discriminator trunk that draw and judge any picture of a given shape."""

from collections.abc import Callable
from typing import Any, NamedTuple

from bowerbird.networks.interface import Discriminator, Generator
from bowerbird.networks.progressive import ProgressiveDiscriminator, ProgressiveGenerator, ProgressiveOptions
from bowerbird.networks.residual import ResidualDiscriminator, ResidualGenerator, ResidualOptions
from bowerbird.networks.wavegan import WaveganDiscriminator, WaveganGenerator, WaveganOptions

__all__ = ["NETWORKS", "NetworkFamily"]


class NetworkFamily(NamedTuple):
    """`options` is a frozen dataclass of sizes, with `z_dim` among them.

    The members take (shape, code_width, options) and (shape, options); UsageError for a shape they cannot draw.
    """

    options: type[Any]
    generator: Callable[..., Generator]
    discriminator: Callable[..., Discriminator]


NETWORKS = {
    "residual": NetworkFamily(ResidualOptions, ResidualGenerator, ResidualDiscriminator),
    "progressive": NetworkFamily(ProgressiveOptions, ProgressiveGenerator, ProgressiveDiscriminator),
    "wavegan": NetworkFamily(WaveganOptions, WaveganGenerator, WaveganDiscriminator),
}
