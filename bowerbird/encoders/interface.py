"""What every text encoder offers."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Encoder"]


class Encoder(ABC):
    """Turns texts into vectors of unit length. `source` says which weights, where there are several."""

    wants_source: ClassVar[bool] = True
    semantic: ClassVar[bool] = True  # whether words that mean the same lie near each other
    width: int  # E
    fingerprint: str  # sixteen hex digits that change with the weights

    @abstractmethod
    def __init__(self, source: str) -> None: ...

    @abstractmethod
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts -> (B, E); UsageError for a text it has no vector of."""
