"""Bowerbird learns a folder of sounds and sings back new ones.

import bowerbird
instrument = bowerbird.load("runs/drums")
sounds = instrument.sample(8, label="snare", seed=7)   # float32 (8, channels, samples)
"""

from typing import TYPE_CHECKING, Any

from bowerbird.errors import BowerbirdError, UsageError

if TYPE_CHECKING:
    from bowerbird.instrument import Instrument, load

__version__ = "0.1.0"
__all__ = ["BowerbirdError", "Instrument", "UsageError", "__version__", "load"]


def __getattr__(name: str) -> Any:
    # Late, so that `import bowerbird` and `bowerbird --help` do not wait for torch.
    if name in ("Instrument", "load"):
        from bowerbird import instrument

        return getattr(instrument, name)
    raise AttributeError(f"module 'bowerbird' has no attribute '{name}'")
