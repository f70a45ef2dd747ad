"""Objectives: what generator and discriminator are rewarded for. Weights are applied in training/step.py alone."""

from bowerbird.objectives.adversarial import Hinge

__all__ = ["OBJECTIVES"]

OBJECTIVES = {
    "hinge": Hinge(),
}
