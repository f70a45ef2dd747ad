"""The adversarial method, one update. Loop, logging, averaging and checkpoints know nothing of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torch.nn import functional

from bowerbird.config import TrainConfig
from bowerbird.data.augment import draw_changes
from bowerbird.networks.heads import ClassifierHead
from bowerbird.networks.interface import Generator
from bowerbird.networks.mixture import Mixture
from bowerbird.networks.steering import Reduction, dropped
from bowerbird.objectives import OBJECTIVES, PENALTIES
from bowerbird.objectives.terms import mode_seeking, selected, unlike
from bowerbird.seeds import torch_random
from bowerbird.shapes import PictureTraits
from bowerbird.training.judge import Judge

__all__ = ["Adversary"]


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
        count, twice = len(real), len(real) // 4 if config.replay or config.mode_seeking_weight else 0
        changes = draw_changes(count, self.augment, self.traits, random)
        z = torch.randn(count + twice, self.z_dim, generator=random).to(self.device)
        z[: len(anchors), : anchors.shape[1]] = anchors
        with self.fast():
            code, divergence = self._coded(self.generator.reduction, condition, random)
            told, _ = self._coded(self.judge.reduction, condition, random)
            # The last codes come again as they are, with other latents.
            made = self.quick_generator(z, torch.cat([code, code[count - twice :]]))
            shown, faked = changes(real), changes(made[:count])
            scores, real_levels = self.quick_judge(shown, torch.cat([told, told.roll(1, 0)]))
            fake_scores, fake_levels = self.quick_judge(faked, told)
        real_scores, wrong_scores = scores.split(count)
        # Only the first column judges a sound with its labels.
        real_labelled, wrong_labelled = real_scores[differs, :1], wrong_scores[differs, :1]

        judge_loss = self.objective.discriminator(real_scores, fake_scores)
        generator_loss = self.objective.generator(fake_scores, real_scores.detach())
        if config.mismatch_weight and differs.any():
            judge_loss = judge_loss + config.mismatch_weight * self.objective.discriminator(real_labelled, wrong_labelled)
        if config.replay:
            again = draw_changes(twice, self.augment, self.traits, random)
            with self.fast():
                again_scores, _ = self.quick_judge(again(made[count:]), told[count - twice :])
            beside = real_scores[count - twice :]
            judge_loss = judge_loss + self.objective.discriminator(beside, again_scores) * twice / count
            generator_loss = generator_loss + self.objective.generator(again_scores, beside.detach()) * twice / count
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
        if self.generator.reduction is not None:
            measured["loss/divergence"] = divergence
            aim = aim + config.divergence_weight * divergence
        if config.mode_seeking_weight:
            measured["loss/mode_seeking"] = mode_seeking(made, z, real, twice)
            aim = aim + config.mode_seeking_weight * measured["loss/mode_seeking"]
        if isinstance(self.judge.head, ClassifierHead) and condition.shape[1]:
            classify = self.judge.head.classify
            on_real, on_made = (unlike(classify(levels[-1]), condition) for levels in (real_levels, fake_levels))
            measured["loss/classifier"] = on_real
            judge_loss, aim = judge_loss + config.classifier_weight * on_real, aim + config.classifier_weight * on_made

        if isinstance(self.generator, Mixture):
            choice, shares = self.generator.choose(z[:count], code), self.generator.shares(code)
            told_apart = functional.cross_entropy(self.judge.tell(fake_levels[-1]), choice)
            measured["loss/makers"] = told_apart
            judge_loss, aim = judge_loss + told_apart, aim + config.makers_weight * told_apart
            aim = aim + selected(fake_scores[:, 0].detach(), shares, choice)

        self.judge_optimiser.zero_grad()
        self.generator_optimiser.zero_grad()
        judge_loss.backward(inputs=list(self.judge.parameters()), retain_graph=True)
        (generator_loss + aim).backward(inputs=list(self.generator.parameters()))
        if penalise:
            told = told.detach()
            with self.fast():
                penalty = self.penalty(lambda picture: self.judge(picture, told)[0], shown, faked.detach(), random)
            # Lazily applied: as much in one step as in `penalty_every` (Karras et al. 2020, section 3.1).
            (penalty * (config.penalty_weight * config.penalty_every)).backward()
            measured[f"penalty/{config.penalty}"] = penalty
        self.judge_optimiser.step()
        self.generator_optimiser.step()
        return {name: value.detach() for name, value in measured.items()}

    def _coded(self, reduction: Reduction | None, condition: Tensor, random: torch.Generator) -> tuple[Tensor, Tensor]:
        """Encoded labels (B, N) -> a code as training draws it, and the divergence of what it is drawn from."""
        if reduction is None:
            code, divergence = condition, condition.new_zeros(())
        else:
            code, divergence = reduction.sample(condition, random)
        return dropped(code, self.config.condition_dropout, random), divergence


def _distance(made: Tensor, real: Tensor, count: int) -> Tensor:
    """Mean absolute difference of the first `count` from real ones that stand still."""
    return (made[:count].float() - real[:count].detach().float()).abs().mean()
