"""Heads: how a discriminator's features become a score."""

import math

from torch import Tensor, nn

from bowerbird.layers import EqualLinear

__all__ = ["HEADS", "ProjectionHead"]


class ProjectionHead(nn.Module):
    """Realism plus the agreement of features and label (Miyato & Koyama 2018, eq. 4): (B, E), (B, N) -> (B,).

    With no labels (N = 0) it is the plain score.
    """

    def __init__(self, features: int, condition_width: int) -> None:
        super().__init__()
        self.score = EqualLinear(features, 1)
        # One or two of the N inputs are ones: undo the scaling by their number.
        self.embed = EqualLinear(condition_width, features, gain=math.sqrt(condition_width)) if condition_width else None

    def forward(self, features: Tensor, condition: Tensor) -> Tensor:
        features = features.float()
        score = self.score(features)[:, 0]
        if self.embed is None:
            return score
        return score + (self.embed(condition) * features).sum(1) / math.sqrt(features.shape[1])


HEADS = {
    "projection": ProjectionHead,
}
