"""The letters that tensor shapes are written in, and what is known of a picture.

B batch    C channels    T samples    F frequency (picture rows)    L frames (picture columns)
Z latent   E embedding   N condition width (encoded labels)
K picture channels: C, or a multiple of it where phase is drawn too
"""

from typing import NamedTuple

__all__ = ["PictureShape", "PictureTraits"]


class PictureShape(NamedTuple):
    """What a representation makes of one sound and a generator draws: (K, F, L)."""

    channels: int
    rows: int
    frames: int


class PictureTraits(NamedTuple):
    """How a picture may be changed and stay the picture of a sound."""

    silence: tuple[float, ...]  # what silence looks like, per picture channel
    level_channels: int  # the first so many hold log levels, to which a gain is added; 0: values that it multiplies
    db_per_unit: float  # of those levels; of values, the power that they are raised to
    shift_frames: int  # a sound may come so much earlier or later
    shift_rows: int  # and so much higher or lower
