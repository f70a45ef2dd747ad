"""Adversarial losses: from the scores of real and generated sounds to the two losses."""

from typing import Protocol

from torch import Tensor
from torch.nn import functional

__all__ = ["Hinge", "Objective", "Wasserstein"]

DRIFT = 0.001


class Objective(Protocol):
    """Scores are high for what is taken for real."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Scores (B,), (B,) -> scalar."""

    def generator(self, fake: Tensor) -> Tensor:
        """Scores (B,) -> scalar."""


class Hinge:
    """Scores past the margin count no more (Lim & Ye 2017, eq. 6 and 7; used by Miyato & Koyama 2018)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        return -fake.mean()


class Wasserstein:
    """The difference of mean scores (Arjovsky et al. 2017, eq. 2), kept near zero (Karras et al. 2018, appendix A.1)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean() + DRIFT * real.square().mean()

    def generator(self, fake: Tensor) -> Tensor:
        return -fake.mean()
