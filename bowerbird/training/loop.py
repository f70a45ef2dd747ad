"""The training loop: schedules, checkpoints, previews, metrics, a clean end. It knows nothing of the adversarial method."""

import contextlib
import math
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import bowerbird
from bowerbird.config import ModelConfig, TrainConfig, to_json
from bowerbird.data.dataset import Dataset
from bowerbird.data.feed import Feed
from bowerbird.errors import BowerbirdError
from bowerbird.instrument import INSTRUMENT_NAME, Instrument, generator_of, load, tensors_of
from bowerbird.interrupts import Stop, interrupts
from bowerbird.machine import choose_device, compiled, describe_machine, has_fast_bfloat16, keep_freed_memory, usable_cores
from bowerbird.progress import progress
from bowerbird.representations.vocoder import Vocoded
from bowerbird.seeds import torch_random
from bowerbird.training.folder import agree, claimed
from bowerbird.training.judge import judge_of
from bowerbird.training.log import MetricsLog
from bowerbird.training.preview import write_preview
from bowerbird.training.replay import Replay
from bowerbird.training.state import BEST, NEWEST, State
from bowerbird.training.step import Adversary
from bowerbird.training.vocoder import learnt
from bowerbird.training.watch import LEAST_LOOKED_AT, LightEar

__all__ = ["Outcome", "train"]

WARM_UP_STEPS = 50
LAST_RATE = 0.05  # of the first
MEASURE_EVERY = 25  # steps between metric lines and checks for non-finite values
MOST_ROLLBACKS = 5


@dataclass(frozen=True)
class Outcome:
    """How a sitting ended."""

    instrument: Path
    seen: int
    new: int  # examples of them in this sitting
    elapsed_s: float
    finished: bool  # False: interrupted, the same command goes on
    preview: Path
    best_at: int  # examples seen by the instrument, the best of the run
    improving: bool  # the last look found the sounds better than any before


def train(
    dataset: Dataset, folder: Path, model: ModelConfig, config: TrainConfig, device: str = "auto", *, quiet: bool = False
) -> Outcome:
    """Trains in `folder` until config's minutes or examples are reached, going on from a checkpoint where there is one.

    Raises UsageError where the folder holds a run with other settings or of another dataset, BowerbirdError where
    training keeps diverging.
    """
    chosen = choose_device(device)
    with claimed(folder):
        agree(folder, dataset, model, config)
        run = _Run(dataset, folder, model, config, chosen, quiet)
        try:
            return run.go()
        except torch.OutOfMemoryError:
            raise BowerbirdError(
                f"the memory of {describe_machine()} is full; train into a new folder with a smaller --set batch_size"
            ) from None
        finally:
            run.log.close()


class _Run:
    def __init__(
        self, dataset: Dataset, folder: Path, model: ModelConfig, config: TrainConfig, device: torch.device, quiet: bool
    ) -> None:
        self.dataset, self.folder, self.model, self.config, self.device = dataset, folder, model, config, device
        self.quiet = quiet
        keep_freed_memory()
        if device.type == "cpu":
            torch.set_num_threads(usable_cores())
        else:
            torch.set_float32_matmul_precision("high")  # TF32 for what stays outside bfloat16
        self.feed = Feed(dataset, model, config, folder / "cache" / "pictures.f16", quiet=quiet)
        if isinstance(model.representation, Vocoded):
            learnt(model.representation, dataset, folder / "decoder.safetensors", config.seed, quiet=quiet)
        self.state = State(self._adversary())
        self.scores: dict[str, float] = {}
        if State.exists(folder):
            trouble = self.state.load(folder)
            if trouble:
                print(f"going on from the checkpoint before: {trouble}", file=sys.stderr)
        self.state.watch.go_on(self.total, self._checks_due)
        self.log = MetricsLog(folder, self.state.seen)
        self._mend_best()
        self.scores = self.log.last()
        self.begun_at = self.state.seen
        self.stop = Stop()

    def _mend_best(self) -> None:
        """A kill between checkpoint, best state and instrument leaves them apart."""
        state, instrument = self.state, self.folder / INSTRUMENT_NAME
        if not state.watch.best:
            return
        seen = int(state.watch.best["seen"])
        if State.seen_in(self.folder, BEST) != seen:
            if State.seen_in(self.folder, NEWEST[0]) != seen:
                state.watch.best = {}  # lost: the next look begins anew
                return
            state.keep_as_best(self.folder)
        if not instrument.exists() or load(instrument).provenance["examples"] != seen:
            watch = state.watch
            state.load(self.folder, (BEST,))
            self.scores = self.log.last(seen)
            self._instrument().save(instrument)
            state.load(self.folder)
            state.watch = watch

    def _adversary(self) -> Adversary:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_random(self.config.seed, "weights").initial_seed())
            generator = generator_of(self.model)
            generator.begin_at(self.model.representation.traits.silence)
            generator.stay_under(self.feed.ceiling(self.model.representation.traits))
            judge = judge_of(self.model, self.config)
        replay = Replay(self.model.code_width, self.model.code_width).to(self.device) if self.config.replay else None
        for network in (generator, judge):
            network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        kind, bfloat16 = self.device.type, has_fast_bfloat16(self.device)
        compiles = kind == "cuda" and shutil.which("cc") is not None
        if kind == "cuda" and not compiles:
            print("no C compiler (cc) here, so the networks run uncompiled, which is slower", file=sys.stderr)

        def fast() -> contextlib.AbstractContextManager[None]:
            return torch.autocast(kind, torch.bfloat16, enabled=bfloat16)

        quicker = compiled if compiles else lambda network: network
        traits = self.model.representation.traits
        z_dim, spans = self.model.network.z_dim, self.model.spans
        return Adversary(generator, judge, z_dim, traits, self.config, fast, quicker, spans, replay)

    @property
    def total(self) -> float:
        """The length asked for, in examples or in seconds."""
        return self.config.examples or 60 * (self.config.minutes or math.inf)

    @property
    def spent(self) -> float:
        """What of it is done, in the same unit."""
        return self.state.seen if self.config.examples else self.state.elapsed_s

    @property
    def done(self) -> float:
        """Progress from 0 to 1."""
        return self.spent / (self.state.watch.end or self.total)

    @property
    def looks(self) -> bool:
        """Whether the sounds are looked at: of very few there is nothing to tell."""
        return self.config.checks > 0 and len(self.feed.indices) >= LEAST_LOOKED_AT

    @property
    def _checks_due(self) -> int:
        return int(self.spent / self.total * self.config.checks)

    @cached_property
    def ear(self) -> LightEar:
        return LightEar(self.feed, self._instrument(), self.config.seed)

    def go(self) -> Outcome:
        with interrupts() as self.stop, progress("training", 1.0, quiet=self.quiet) as advance:
            self._sitting(advance)
            while not self._save():  # a last step that went wrong was rolled back: go on from there
                self._sitting(advance)
            if self.stop.asked and not self.quiet:
                print("stopping: a last preview, a few seconds", file=sys.stderr, flush=True)
            preview = self._preview()
        instrument = self.folder / INSTRUMENT_NAME
        seen, elapsed_s = self.state.seen, self.state.elapsed_s
        watch, new = self.state.watch, seen - self.begun_at
        best_at = int(watch.best.get("seen", seen))
        improving = best_at == seen and watch.checks > 1 and not watch.stalled
        return Outcome(instrument, seen, new, elapsed_s, self.done >= 1, preview, best_at, improving)

    def _sitting(self, advance: Any) -> None:
        state, config = self.state, self.config
        if not State.exists(self.folder):
            self._save()  # something to roll back to
        began, began_at, first_seen = time.monotonic(), state.elapsed_s, state.seen
        saved = previewed = began
        measured: dict[str, Tensor] = {}
        while self.done < 1 and not self.stop.asked:
            measured |= self._step()  # the penalty is measured in some steps only
            now = time.monotonic()
            state.elapsed_s = began_at + now - began
            rate = (state.seen - first_seen) / (now - began)
            due = (state.seen // config.batch_size) % MEASURE_EVERY == 0 or self.done >= 1 or self.stop.asked
            if due and not self._record(measured, rate):
                measured = {}
                continue
            advance(self.done, f"{state.seen} examples, {rate:.0f}/s")
            if self.looks and (self._checks_due > state.watch.checks or self.done >= 1):
                self._check()
            if now - saved > 60 * config.checkpoint_minutes and self._save():
                saved = time.monotonic()
            if now - previewed > 60 * config.preview_minutes:
                self._preview()
                previewed = time.monotonic()

    def _step(self) -> dict[str, Tensor]:
        state, config, feed = self.state, self.config, self.feed
        batch, seen = config.batch_size, state.seen
        state.adversary.set_rate(self._rate())
        state.adversary.grow(self.done)
        state.averaged.grow(self.done)
        augment = min(1.0, config.augment + state.watch.augment) if config.augment else 0.0
        state.adversary.augment = augment * min(1.0, self.done / max(config.augment_rise, 1e-9))
        anchored, free = (feed.draw(batch // 2, config.seed, seen, purpose) for purpose in ("anchored", "free"))
        drawn = (*feed.real(torch.cat([anchored, free]), config.seed, seen), feed.anchors[anchored])
        real, condition, differs, anchors = (tensor.to(self.device) for tensor in drawn)
        penalise = (seen // batch) % config.penalty_every == 0
        measured = state.adversary.update(real, condition, differs, anchors, seen, penalise)
        state.seen += batch
        state.average(batch, config.ema_examples)
        return measured

    def _rate(self) -> float:
        """Warms up over the first steps, is constant, falls linearly over the last part; halves at each rollback."""
        config = self.config
        warm = min(1.0, (self.state.seen / config.batch_size + 1) / WARM_UP_STEPS)
        left = (1 - self.done) / max(config.decay_fraction, 1e-9)
        return (
            config.learning_rate
            * warm
            * max(LAST_RATE, min(1.0, left))
            * 0.5 ** (self.state.rollbacks + self.state.watch.acts)
        )

    def _record(self, measured: dict[str, Tensor], rate: float) -> bool:
        """Writes a metric line; where a value is not finite, rolls back and returns False."""
        values = {name: value.item() for name, value in measured.items()}
        if not all(map(math.isfinite, values.values())):
            self._roll_back()
            return False
        self.scores = {name: round(value, 6) for name, value in values.items() if name.split("/")[0] in ("loss", "score")}
        schedule = {
            "schedule/rate": self._rate(),
            "schedule/augment": self.state.adversary.augment,
            "schedule/done": self.done,
        }
        speed = {"speed/examples_per_s": rate, "speed/minutes": self.state.elapsed_s / 60}
        self.log.write(self.state.seen, values | schedule | speed)
        return True

    def _roll_back(self) -> None:
        at, rollbacks = self.state.seen, self.state.rollbacks + 1
        if rollbacks > MOST_ROLLBACKS:
            raise BowerbirdError(
                f"training diverged {rollbacks} times; the last good instrument is kept in {self.folder}; "
                "train into a new folder with a lower --set learning_rate"
            )
        self._return_to(NEWEST)
        self.state.rollbacks = rollbacks
        self._say(f"not a number at {at} examples: back to {self.state.seen} examples with half the learning rate")

    def _return_to(self, checkpoints: Sequence[str]) -> None:
        """Takes an earlier state; time goes on and what was seen by the watch stays."""
        state = self.state
        kept = state.elapsed_s, state.rollbacks, state.watch
        state.load(self.folder, checkpoints)
        state.elapsed_s, state.rollbacks, state.watch = kept
        self.log.drop_after(state.seen)

    def _check(self) -> None:
        """A look at the sounds, and what it calls for."""
        if not self.state.is_finite():
            self._roll_back()
            return
        state, watch, seen = self.state, self.state.watch, self.state.seen
        glance = self.ear(self._instrument())
        decay = self.config.decay_fraction
        early = self.spent / (1 - decay) if 0 < decay < 1 else math.inf  # where the falling rate would end from here
        may_end = self.done >= 0.5 and early < self.total
        found = watch.judge(glance, seen, may_augment=0 < state.adversary.augment < 1, may_end=may_end)
        watch.checks = self._checks_due
        self.log.write(seen, {f"watch/{name}": value for name, value in vars(glance).items()})
        if found.sentence:
            self._say(f"{seen} examples: {found.sentence}")
        if found.act == "finish":
            watch.end = early
        if watch.best["seen"] == seen and self._save():
            state.keep_as_best(self.folder)
            self._instrument().save(self.folder / INSTRUMENT_NAME)
        if found.act == "back":
            self._return_to((BEST,))
            watch.checks = self._checks_due

    def _say(self, sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    def _save(self) -> bool:
        """Checkpoint, and the instrument until a best one is known; False (nothing written) where a weight is not finite."""
        if not self.state.is_finite():
            self._roll_back()
            return False
        self.state.save(self.folder, {"dataset": self.dataset.fingerprint})
        if not self.state.watch.best:
            self._instrument().save(self.folder / INSTRUMENT_NAME)
        return True

    def _instrument(self) -> Instrument:
        facts = self.dataset.facts
        provenance = {
            "dataset": {key: facts[key] for key in ("fingerprint", "sounds", "seconds", "licences")},
            "trained_on": len(self.feed.indices),
            "examples": self.state.seen,
            "minutes": round(self.state.elapsed_s / 60, 2),
            "machine": describe_machine(),
            "made_by": f"bowerbird {bowerbird.__version__}",
            "train": to_json(self.config),
            "scores": self.scores,
            "watch": self.state.watch.said,
        }
        tensors = {name: tensor.cpu() for name, tensor in tensors_of(self.model, self.state.averaged).items()}
        return Instrument(self.model, tensors, provenance, "cpu")

    def _preview(self) -> Path:
        folder = self.folder / "previews" / f"{self.state.seen:09d}"
        return write_preview(folder, self._instrument(), self.feed, self.config.seed)
