"""Objectives: what generator and discriminator are rewarded for. Weights are applied in training/step.py alone.

An objective turns scores (B,) of real and generated sounds into losses; a penalty takes (score, real, fake, code, random).
"""

from bowerbird.objectives.adversarial import Hinge, Objective, Relativistic, Wasserstein
from bowerbird.objectives.penalties import both, interpolated, matching_aware, r1

__all__ = ["OBJECTIVES", "PENALTIES"]

OBJECTIVES: dict[str, Objective] = {
    "relativistic": Relativistic(),
    "hinge": Hinge(),
    "wasserstein": Wasserstein(),
}

PENALTIES = {
    "r1": r1,
    "both": both,
    "interpolated": interpolated,
    "matching_aware": matching_aware,
}
