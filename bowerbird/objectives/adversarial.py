"""Adversarial losses: from the scores of real and generated sounds, pairs of one label, to the two losses."""

from typing import Protocol

from torch import Tensor
from torch.nn import functional

__all__ = ["Hinge", "Objective", "Relativistic", "Wasserstein"]

DRIFT = 0.001


class Objective(Protocol):
    """Scores are high for what is taken for real."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        """Scores (B,), (B,) -> scalar."""

    def generator(self, fake: Tensor, real: Tensor) -> Tensor:
        """Scores (B,), (B,) -> scalar."""


class Relativistic:
    """Each generated sound against a real one of its label (the RSGAN of Jolicoeur-Martineau 2019; Huang et al. 2024).

    A score says only which of a pair is real: there is no margin past which a missing kind of sound costs nothing.
    """

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return functional.softplus(fake - real).mean()

    def generator(self, fake: Tensor, real: Tensor) -> Tensor:
        return functional.softplus(real - fake).mean()


class Hinge:
    """Scores past the margin count no more (Lim & Ye 2017, eq. 6 and 7; used by Miyato & Koyama 2018)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return functional.relu(1 - real).mean() + functional.relu(1 + fake).mean()

    def generator(self, fake: Tensor, real: Tensor) -> Tensor:
        return -fake.mean()


class Wasserstein:
    """The difference of mean scores (Arjovsky et al. 2017, eq. 2), kept near zero (Karras et al. 2018, appendix A.1)."""

    def discriminator(self, real: Tensor, fake: Tensor) -> Tensor:
        return fake.mean() - real.mean() + DRIFT * real.square().mean()

    def generator(self, fake: Tensor, real: Tensor) -> Tensor:
        return -fake.mean()
