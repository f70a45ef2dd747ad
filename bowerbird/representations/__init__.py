"""Representations: what a network draws instead of samples. `encode` and `decode` are inverse up to a stated error."""

from bowerbird.representations.log_magnitude import LogMagnitude

__all__ = ["REPRESENTATIONS"]

REPRESENTATIONS = {
    "log_magnitude": LogMagnitude,
}
