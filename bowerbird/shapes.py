"""The letters that tensor shapes are written in, and the shape of a picture.

B batch    C channels    T samples    F frequency (picture rows)    L frames (picture columns)
Z latent   E embedding   N condition width (encoded labels)
"""

from typing import NamedTuple

__all__ = ["PictureShape"]


class PictureShape(NamedTuple):
    """What a representation makes of one sound and a generator draws: (C, F, L)."""

    channels: int
    rows: int
    frames: int
