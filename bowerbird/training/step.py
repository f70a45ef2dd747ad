"""The adversarial method, one update. Loop, logging, averaging and checkpoints know nothing of it."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

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
from bowerbird.training.replay import Replay

__all__ = ["Adversary"]


@dataclass(frozen=True)
class _Pass:
    """What both networks made of a batch of B sounds."""

    real: Tensor  # pictures (B, C, F, L)
    condition: Tensor  # encoded labels (B, N)
    differs: Tensor  # (B,)
    anchored: int  # the first so many start from anchors
    z: Tensor  # (B + twice, Z)
    twice: int  # so many of the last codes come again, with other latents
    code: Tensor  # of the generator (B, R)
    divergence: Tensor  # scalar
    told: Tensor  # code of the judge (B, R)
    made: Tensor  # (B + twice, C, F, L)
    shown: Tensor  # real pictures as the judge sees them
    faked: Tensor  # generated ones
    real_scores: Tensor  # (B, S)
    wrong_scores: Tensor  # of real ones under the labels of the one before
    fake_scores: Tensor
    old_scores: Tensor | None  # of sounds of codes of earlier steps
    real_levels: list[Tensor]
    fake_levels: list[Tensor]
    shares: Tensor | None  # of several generators (B, G)
    choice: Tensor | None  # which of them made each (B,)


class Adversary:
    """Updates generator and judge on one batch; weights and intervals come from the TrainConfig.

    `fast` is a factory of the context in which the networks run (mixed precision); `compiled` wraps a network for speed;
    `spans` are a ModelConfig's. With a `replay` some sounds of each step are of codes that it holds.
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
        spans: Sequence[tuple[slice, bool]] = ((slice(None), False),),
        replay: Replay | None = None,
    ) -> None:
        self.generator, self.judge, self.z_dim, self.config, self.fast = generator, judge, z_dim, config, fast
        self.traits, self.spans, self.replay = traits, spans, replay
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
        one = self._pass(real, condition, differs, anchors, random)
        judge_loss, generator_loss, measured = self._losses(one)
        self.judge_optimiser.zero_grad()
        self.generator_optimiser.zero_grad()
        judge_loss.backward(inputs=list(self.judge.parameters()), retain_graph=True)
        generator_loss.backward(inputs=list(self.generator.parameters()))
        if penalise:
            with self.fast():
                pictures = one.shown, one.faked.detach()
                penalty = self.penalty(lambda *seen: self.judge(*seen)[0], *pictures, one.told.detach(), random)
            # Lazily applied: as much in one step as in `penalty_every` (Karras et al. 2020, section 3.1).
            (penalty * (config.penalty_weight * config.penalty_every)).backward()
            measured[f"penalty/{config.penalty}"] = penalty
        self.judge_optimiser.step()
        self.generator_optimiser.step()
        return {name: value.detach() for name, value in measured.items()}

    def _pass(self, real: Tensor, condition: Tensor, differs: Tensor, anchors: Tensor, random: torch.Generator) -> _Pass:
        """Draws and judges; for mode seeking the last quarter of the codes twice, for replay as many of earlier steps."""
        config, count = self.config, len(real)
        # Whole groups of the judge's batch statistics, or what comes again would be known by its spread.
        quarter = max(4, count // 16 * 4)
        twice, old = quarter * bool(config.mode_seeking_weight), quarter * (self.replay is not None)
        changes = draw_changes(count, self.augment, self.traits, random)
        z = torch.randn(count + twice + old, self.z_dim, generator=random).to(self.device)
        z[: len(anchors), : anchors.shape[1]] = anchors
        old_scores, shares, choice = None, None, None
        with self.fast():
            code, divergence = self._coded(self.generator.reduction, condition, random)
            told, _ = self._coded(self.judge.reduction, condition, random)
            if config.shared_reduction and self.generator.reduction is not None:
                told = code.detach()
            if isinstance(self.generator, Mixture):
                shares, choice = self.generator.shares(code), self.generator.choose(z[:count], code)
            codes = torch.cat([code, code[count - twice :]]) if twice else code
            if self.replay is not None:
                self.replay.store(code, told)
                old_code, old_told = self.replay.draw(old, random)
                codes = torch.cat([codes, old_code.to(code)])
            made = self.quick_generator(z, codes)
            shown, faked = changes(real), changes(made[:count])
            scores, real_levels = self.quick_judge(shown, torch.cat([told, told.roll(1, 0)]))
            fake_scores, fake_levels = self.quick_judge(faked, told)
            if self.replay is not None:
                again = draw_changes(old, self.augment, self.traits, random)(made[count + twice :])
                old_scores, _ = self.quick_judge(again, old_told.to(told))
        return _Pass(
            real, condition, differs, len(anchors), z[: count + twice], twice, code, divergence, told, made[: count + twice],
            shown, faked, scores[:count], scores[count:], fake_scores, old_scores, real_levels, fake_levels, shares, choice,
        )  # fmt: skip

    def _losses(self, one: _Pass) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """The judge's loss, the generator's, and what is to be logged. Weights are applied here and nowhere else."""
        config, objective = self.config, self.objective
        judge_loss = objective.discriminator(one.real_scores, one.fake_scores)
        generator_loss = objective.generator(one.fake_scores, one.real_scores.detach())
        if config.mismatch_weight and one.differs.any():
            # Only the first column judges a sound with its labels.
            right, wrong = one.real_scores[one.differs, :1], one.wrong_scores[one.differs, :1]
            judge_loss = judge_loss + config.mismatch_weight * objective.discriminator(right, wrong)
        if one.old_scores is not None:
            beside, share = one.real_scores[-len(one.old_scores) :], len(one.old_scores) / len(one.real)
            judge_loss = judge_loss + share * objective.discriminator(beside, one.old_scores)
            generator_loss = generator_loss + share * objective.generator(one.old_scores, beside.detach())
        levels = zip(one.fake_levels[:-1], one.real_levels[:-1], strict=True)  # what still has places
        measured = {
            "loss/judge": judge_loss,
            "loss/generator": generator_loss,
            "loss/anchor": _distance(one.made, one.real, one.anchored),
            "loss/feature": torch.stack([_distance(*pair, one.anchored) for pair in levels]).sum(),
            "score/real": one.real_scores.mean(),
            "score/fake": one.fake_scores.mean(),
        }
        generator_loss = (
            generator_loss
            + config.anchor_weight * measured["loss/anchor"]
            + config.feature_weight * measured["loss/feature"]
        )
        if self.generator.reduction is not None:
            measured["loss/divergence"] = one.divergence
            generator_loss = generator_loss + config.divergence_weight * one.divergence
        if config.mode_seeking_weight:
            measured["loss/mode_seeking"] = mode_seeking(one.made, one.z, one.real, one.twice)
            generator_loss = generator_loss + config.mode_seeking_weight * measured["loss/mode_seeking"]
        if isinstance(self.judge.head, ClassifierHead) and one.condition.shape[1]:
            classify = self.judge.head.classify
            on_real, on_made = (
                unlike(classify(seen[-1]), one.condition, self.spans) for seen in (one.real_levels, one.fake_levels)
            )
            measured["loss/classifier"] = on_real
            judge_loss = judge_loss + config.classifier_weight * on_real
            generator_loss = generator_loss + config.classifier_weight * on_made
        if one.shares is not None and one.choice is not None:
            told_apart = functional.cross_entropy(self.judge.tell(one.fake_levels[-1]), one.choice)
            measured["loss/makers"] = told_apart
            judge_loss = judge_loss + told_apart
            choosing = selected(one.fake_scores[:, 0].detach(), one.shares, one.choice)
            generator_loss = generator_loss + config.makers_weight * told_apart + choosing
        return judge_loss, generator_loss, measured

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
