"""Network families: a generator and a discriminator trunk that draw and judge any picture of a given shape."""

from typing import NamedTuple

from bowerbird.networks.residual import ResidualDiscriminator, ResidualGenerator, ResidualOptions

__all__ = ["NETWORKS", "NetworkFamily"]


class NetworkFamily(NamedTuple):
    """The members take (shape, condition_width, options) and (shape, options)."""

    options: type[ResidualOptions]
    generator: type[ResidualGenerator]
    discriminator: type[ResidualDiscriminator]


NETWORKS = {
    "residual": NetworkFamily(ResidualOptions, ResidualGenerator, ResidualDiscriminator),
}
