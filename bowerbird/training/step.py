"""The adversarial method, one update. Loop, logging, averaging and checkpoints know nothing of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

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
        self.augment = config.augment  # probability of each augmentation, scheduled from outside as the rate is

    def grow(self, done: float) -> None:
        """Lets both networks grow to what `done`, 0 to 1, of training asks for."""
        self.generator.grow(done)
        self.judge.trunk.grow(done)

    def set_rate(self, rate: float) -> None:
        """The learning rate of both."""
        for optimiser in (self.judge_optimiser, self.generator_optimiser):
            for group in optimiser.param_groups:
                group["lr"] = rate

    def update(
        self, real: Tensor, condition: Tensor, differs: Tensor, anchors: Tensor, seen: int, penalise: bool
    ) -> dict[str, Tensor]:
        """One step of both networks on real pictures (B, C, F, L), and as many generated ones for their labels (B, N).

        The judge tells real from generated, and real ones under their own labels from the same under those of the sound
        before where it `differs` (B) (Reed et al. 2016, algorithm 1), which costs a head only. The first generated ones
        start from `anchors` (B', A) and should also come near their real ones: in their cells, and in what the judge's
        levels see of them (Larsen et al. 2016), which asks for textures where cells ask for their average.

        Both learn from the same pass: about as much from an example as in turns, for less (docs/log.md).
        """
        config = self.config
        random = torch_random(config.seed, seen, "step")
        changes = draw_changes(len(real), self.augment, self.traits, random)
        z = torch.randn(len(real), self.z_dim, generator=random).to(self.device)
        z[: len(anchors), : anchors.shape[1]] = anchors
        shown, wrong = changes(real), condition.roll(1, 0)
        with self.fast():
            made = self.quick_generator(z, condition)
            faked = changes(made)
            scores, real_levels = self.quick_judge(shown, torch.cat([condition, wrong]))
            fake_scores, fake_levels = self.quick_judge(faked, condition)
        real_scores, wrong_scores = scores.split(len(real))

        judge_loss = self.objective.discriminator(real_scores, fake_scores)
        if config.mismatch_weight and differs.any():
            told = self.objective.discriminator(real_scores[differs], wrong_scores[differs])
            judge_loss = judge_loss + config.mismatch_weight * told
        generator_loss = self.objective.generator(fake_scores, real_scores.detach())
        missed = _distance(made, real, len(anchors))
        seen_apart = [_distance(*pair, len(anchors)) for pair in zip(fake_levels, real_levels, strict=True)]
        measured = {
            "loss/judge": judge_loss,
            "loss/generator": generator_loss,
            "loss/anchor": missed,
            "loss/feature": torch.stack(seen_apart).sum(),
            "score/real": real_scores.mean(),
            "score/fake": fake_scores.mean(),
        }
        aim = config.anchor_weight * missed + config.feature_weight * measured["loss/feature"]

        self.judge_optimiser.zero_grad()
        self.generator_optimiser.zero_grad()
        judge_loss.backward(inputs=list(self.judge.parameters()), retain_graph=True)
        (generator_loss + aim).backward(inputs=list(self.generator.parameters()))
        if penalise:
            with self.fast():
                penalty = self.penalty(lambda picture: self.judge(picture, condition)[0], shown, faked.detach(), random)
            # Lazily applied: as much in one step as in `penalty_every` (Karras et al. 2020, section 3.1).
            (penalty * (config.penalty_weight * config.penalty_every)).backward()
            measured[f"penalty/{config.penalty}"] = penalty
        self.judge_optimiser.step()
        self.generator_optimiser.step()
        return {name: value.detach() for name, value in measured.items()}


def _distance(made: Tensor, real: Tensor, count: int) -> Tensor:
    """Mean absolute difference of the first `count` from real ones that stand still."""
    return (made[:count].float() - real[:count].detach().float()).abs().mean()
