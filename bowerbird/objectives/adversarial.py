"""Adversarial losses: from the scores of real and generated sounds to the two losses."""

from torch import Tensor
from torch.nn import functional

__all__ = ["Hinge"]


class Hinge:
    """Scores past the margin count no more (Lim & Ye 2017, eq. 6 and 7; used by Miyato & Koyama 2018)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Scores (B,), (B,) -> scalar."""
        return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """Scores (B,) -> scalar."""
        return -fake.mean()
