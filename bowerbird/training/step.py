"""The adversarial method in two updates. Loop, logging, averaging and checkpoints know nothing of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache

import torch
from torch import Tensor, nn

from bowerbird.config import TrainConfig
from bowerbird.data.augment import draw_changes
from bowerbird.networks.interface import Discriminator, Generator
from bowerbird.objectives import OBJECTIVES, PENALTIES
from bowerbird.seeds import torch_random
from bowerbird.shapes import PictureTraits

__all__ = ["Adversary", "Judge"]


class Judge(nn.Module):
    """A discriminator: a trunk that sees and a head that scores."""

    def __init__(self, trunk: Discriminator, head: nn.Module) -> None:
        super().__init__()
        self.trunk, self.head = trunk, head

    def forward(self, picture: Tensor, condition: Tensor) -> tuple[Tensor, list[Tensor]]:
        """(B, C, F, L), (B + B', N) -> scores (B + B',), and what the trunk's levels see, (B, …) each.

        Labels past the last picture are for the first ones again.
        """
        *levels, features = self.trunk(picture)
        again = features[: len(condition) - len(features)]
        return self.head(torch.cat([features, again]), condition).float(), levels


class Adversary:
    """Updates generator and judge on one batch; weights and intervals come from the TrainConfig.

    `fast` is a factory of the context in which the networks run (mixed precision); `compiled` wraps a network for speed.
    """

    def __init__(
        self,
        generator: Generator,
        judge: Judge,
        z_dim: int,
        traits: PictureTraits,
        config: TrainConfig,
        fast: Callable[[], AbstractContextManager[None]],
        compiled: Callable[[nn.Module], nn.Module] = lambda network: network,
    ) -> None:
        self.generator, self.judge, self.z_dim, self.config, self.fast = generator, judge, z_dim, config, fast
        self.traits = traits
        # Double backward does not go through a compiled network: the penalty uses the plain judge.
        self.quick_generator, self.quick_judge = compiled(generator), compiled(judge)
        self.objective, self.penalty = OBJECTIVES[config.objective], PENALTIES[config.penalty]
        device = next(generator.parameters()).device
        self.judge_optimiser, self.generator_optimiser = (
            torch.optim.Adam(network.parameters(), config.learning_rate, (0.0, config.adam_beta2), fused=True)
            for network in (judge, generator)
        )
        self.device = device
        # Scheduled from outside, as the rate is.
        self.augment = config.augment  # probability of each augmentation
        self.anchor_weight = config.anchor_weight

    def grow(self, done: float) -> None:
        """Lets both networks grow to what `done`, 0 to 1, of training asks for."""
        self.generator.grow(done)
        self.judge.trunk.grow(done)

    def set_rate(self, rate: float) -> None:
        """The learning rate of both."""
        for optimiser in (self.judge_optimiser, self.generator_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = rate

    def _latents(self, count: int, seen: int, purpose: str) -> Tensor:
        return torch.randn(count, self.z_dim, generator=torch_random(self.config.seed, seen, purpose)).to(self.device)

    def update_judge(self, real: Tensor, condition: Tensor, seen: int, penalise: bool) -> dict[str, Tensor]:
        """Real pictures (B, C, F, L) with their labels (B, N) against generated ones for the same labels.

        And against themselves under another sound's labels (Reed et al. 2016, algorithm 1), which costs a head only.
        """
        config = self.config
        random = torch_random(config.seed, seen, "judge")
        real = draw_changes(len(real), self.augment, self.traits, random)(real)
        with self.fast():
            with torch.no_grad():
                fake = self.quick_generator(self._latents(len(real), seen, "z of judge"), condition)
            fake = draw_changes(len(fake), self.augment, self.traits, random)(fake)
            wrong = condition.roll(1, 0)
            scores, _ = self.quick_judge(torch.cat([real, fake]), torch.cat([condition, condition, wrong]))
        real_scores, fake_scores, wrong_scores = scores.split([len(real), len(fake), len(wrong)])
        loss = self.objective.discriminator(real_scores, fake_scores)
        differs = (wrong != condition).any(1)
        if config.mismatch_weight and differs.any():
            loss = loss + config.mismatch_weight * self.objective.discriminator(real_scores[differs], wrong_scores[differs])
        measured = {"loss/judge": loss, "score/real": real_scores.mean(), "score/fake": fake_scores.mean()}
        self.judge_optimiser.zero_grad()
        loss.backward()
        if penalise:
            with self.fast():
                penalty = self.penalty(lambda picture: self.judge(picture, condition)[0], real, fake, random)
            # Lazily applied: as much in one step as in `penalty_every` (Karras et al. 2020, section 3.1).
            (penalty * (config.penalty_weight * config.penalty_every)).backward()
            measured[f"penalty/{config.penalty}"] = penalty
        self.judge_optimiser.step()
        return measured

    def update_generator(self, real: Tensor, condition: Tensor, anchors: Tensor, seen: int) -> dict[str, Tensor]:
        """New pictures for the labels (B, N) of real ones (B, C, F, L), scored by the judge.

        The first of them start from `anchors` (B', A) and should also come near the real pictures: in their cells, and in
        what the judge's levels see of them (Larsen et al. 2016), which asks for textures where cells ask for their average.
        """
        self.judge.requires_grad_(False)
        changes = draw_changes(len(real), self.augment, self.traits, torch_random(self.config.seed, seen, "generator"))
        z = self._latents(len(real), seen, "z of generator")
        z[: len(anchors), : anchors.shape[1]] = anchors

        @cache
        def judged() -> tuple[Tensor, list[Tensor]]:
            with torch.no_grad(), self.fast():
                return self.quick_judge(changes(real), condition)

        with self.fast():
            made = self.quick_generator(z, condition)
            scores, levels = self.quick_judge(changes(made), condition)
        loss = self.objective.generator(scores, lambda: judged()[0])
        missed = _distance(made, real, len(anchors))
        measured = {"loss/generator": loss, "loss/anchor": missed}
        loss = loss + self.anchor_weight * missed
        if self.config.feature_weight:
            pairs = zip(levels, judged()[1], strict=True)
            measured["loss/feature"] = torch.stack([_distance(*pair, len(anchors)) for pair in pairs]).sum()
            loss = loss + self.config.feature_weight * measured["loss/feature"]
        self.generator_optimiser.zero_grad()
        loss.backward()
        self.generator_optimiser.step()
        self.judge.requires_grad_(True)
        return measured


def _distance(made: Tensor, real: Tensor, count: int) -> Tensor:
    """Mean absolute difference of the first `count`."""
    return (made[:count].float() - real[:count].float()).abs().mean()
