"""The training loop: schedules, checkpoints, previews, metrics, a clean end. It knows nothing of the adversarial method."""

import contextlib
import fcntl
import json
import math
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import bowerbird
from bowerbird.config import ModelConfig, TrainConfig, to_json
from bowerbird.data.dataset import Dataset
from bowerbird.data.feed import Feed
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.instrument import INSTRUMENT_NAME, Instrument, family_of
from bowerbird.instrument_file import write_whole
from bowerbird.machine import choose_device, describe_machine, has_fast_bfloat16, keep_freed_memory, usable_cores
from bowerbird.networks.heads import HEADS
from bowerbird.progress import progress
from bowerbird.seeds import torch_random
from bowerbird.training.log import MetricsLog
from bowerbird.training.preview import write_preview
from bowerbird.training.state import State
from bowerbird.training.step import Adversary, Judge

__all__ = ["Outcome", "check_folder", "claimed", "train"]

LOCK = ".lock"

WARM_UP_STEPS = 50
LAST_RATE = 0.05  # of the first
LAST_ANCHOR = 0.1  # of the first weight: it shows the way, the judge finishes
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


def train(
    dataset: Dataset, folder: Path, model: ModelConfig, config: TrainConfig, device: str = "auto", *, quiet: bool = False
) -> Outcome:
    """Trains in `folder` until config's minutes or examples are reached, going on from a checkpoint where there is one.

    Raises UsageError where the folder holds a run with other settings or of another dataset, BowerbirdError where
    training keeps diverging.
    """
    chosen = choose_device(device)
    with claimed(folder):
        _agree(folder, dataset, model, config)
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
        self.feed = Feed(
            dataset, model, folder / "cache" / "pictures.f16", config.balance, config.anchor_dimensions, quiet=quiet
        )
        self.state = State(self._adversary())
        if State.exists(folder):
            trouble = self.state.load(folder)
            if trouble:
                print(f"going on from the checkpoint before: {trouble}", file=sys.stderr)
        self.log = MetricsLog(folder, self.state.seen)
        self.scores = self.log.last()
        self.begun_at = self.state.seen
        self.stop = False

    def _adversary(self) -> Adversary:
        family = family_of(self.model)
        shape = self.model.representation.shape
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(torch_random(self.config.seed, "weights").initial_seed())
            generator = family.generator(shape, self.model.condition_width, self.model.network)
            trunk = family.discriminator(shape, self.model.network)
            generator.begin_at(self.model.representation.traits.silence)
            judge = Judge(trunk, HEADS[self.config.head](trunk.features, self.model.condition_width))
        for network in (generator, judge):
            network.to(device=self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        kind, bfloat16 = self.device.type, has_fast_bfloat16(self.device)
        compiles = kind == "cuda" and shutil.which("cc") is not None
        if kind == "cuda" and not compiles:
            print("no C compiler (cc) here, so the networks run uncompiled, which is slower", file=sys.stderr)

        def fast() -> contextlib.AbstractContextManager[None]:
            return torch.autocast(kind, torch.bfloat16, enabled=bfloat16)

        def compiled(network: torch.nn.Module) -> Any:
            # Batches of the judge come in two sizes: two static graphs, not one of symbolic shape.
            return torch.compile(network, dynamic=False) if compiles else network

        traits = self.model.representation.traits
        return Adversary(generator, judge, self.model.network.z_dim, traits, self.config, fast, compiled)

    @property
    def done(self) -> float:
        """Progress from 0 to 1 in whichever unit was given."""
        if self.config.examples is not None:
            return self.state.seen / self.config.examples
        return self.state.elapsed_s / (60 * (self.config.minutes or math.inf))

    def go(self) -> Outcome:
        with _interrupts(self), progress("training", 1.0, quiet=self.quiet) as advance:
            self._sitting(advance)
            while not self._save():  # a last step that went wrong was rolled back: go on from there
                self._sitting(advance)
            if self.stop and not self.quiet:
                print("stopping: a last preview, a few seconds", file=sys.stderr, flush=True)
            preview = self._preview()
        instrument = self.folder / INSTRUMENT_NAME
        return Outcome(
            instrument, self.state.seen, self.state.seen - self.begun_at, self.state.elapsed_s, self.done >= 1, preview
        )

    def _sitting(self, advance: Any) -> None:
        state, config = self.state, self.config
        if not State.exists(self.folder):
            self._save()  # something to roll back to
        began, began_at, first_seen = time.monotonic(), state.elapsed_s, state.seen
        saved = previewed = began
        measured: dict[str, Tensor] = {}
        while self.done < 1 and not self.stop:
            measured |= self._step()  # the penalty is measured in some steps only
            now = time.monotonic()
            state.elapsed_s = began_at + now - began
            rate = (state.seen - first_seen) / (now - began)
            due = (state.seen // config.batch_size) % MEASURE_EVERY == 0 or self.done >= 1 or self.stop
            if due and not self._record(measured, rate):
                measured = {}
                continue
            advance(self.done, f"{state.seen} examples, {rate:.0f}/s")
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
        state.adversary.augment = config.augment * min(1.0, self.done / max(config.augment_rise, 1e-9))
        state.adversary.anchor_weight = config.anchor_weight * max(LAST_ANCHOR, 1 - self.done)
        real, condition = feed.real(feed.draw(batch, config.seed, seen, "real"))
        for_judge = feed.encoded[feed.draw(batch, config.seed, seen, "judge")]
        free = feed.encoded[feed.draw(batch // 2, config.seed, seen, "free")]
        anchored = feed.draw(batch // 2, config.seed, seen, "anchored")
        wanted, labels = feed.real(anchored)
        inputs = (real, condition, for_judge, torch.cat([labels, free]), feed.anchors[anchored], wanted)
        real, condition, for_judge, asked, anchors, wanted = (tensor.to(self.device) for tensor in inputs)
        penalise = (seen // batch) % config.penalty_every == 0
        measured = state.adversary.update_judge(real, condition, for_judge, seen, penalise)
        measured |= state.adversary.update_generator(asked, anchors, wanted, seen)
        state.seen += batch
        state.average(batch, config.ema_examples)
        return measured

    def _rate(self) -> float:
        """Warms up over the first steps, is constant, falls linearly over the last part; halves at each rollback."""
        config = self.config
        warm = min(1.0, (self.state.seen / config.batch_size + 1) / WARM_UP_STEPS)
        left = (1 - self.done) / max(config.decay_fraction, 1e-9)
        return config.learning_rate * warm * max(LAST_RATE, min(1.0, left)) * 0.5**self.state.rollbacks

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
        state = self.state
        at, elapsed_s, rollbacks = state.seen, state.elapsed_s, state.rollbacks + 1
        if rollbacks > MOST_ROLLBACKS:
            raise BowerbirdError(
                f"training diverged {rollbacks} times; the last good instrument is kept in {self.folder}; "
                "train into a new folder with a lower --set learning_rate"
            )
        state.load(self.folder)
        state.elapsed_s, state.rollbacks = elapsed_s, rollbacks
        self.log.drop_after(state.seen)
        text = f"not a number at {at} examples: back to {state.seen} examples with half the learning rate"
        print(text, file=sys.stderr, flush=True)

    def _save(self) -> bool:
        """Checkpoint and instrument; False (nothing written) where a weight is not finite."""
        if not self.state.is_finite():
            self._roll_back()
            return False
        self.state.save(self.folder, {"dataset": self.dataset.fingerprint})
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
        }
        tensors = {name: tensor.cpu() for name, tensor in self.state.averaged.state_dict().items()}
        return Instrument(self.model, tensors, provenance, "cpu")

    def _preview(self) -> Path:
        folder = self.folder / "previews" / f"{self.state.seen:09d}"
        return write_preview(folder, self._instrument(), self.feed, self.config.seed)


def check_folder(folder: Path) -> None:
    """UsageError where `folder` holds something other than a training run."""
    if not folder.exists() or (folder / "config.json").is_file():
        return
    begun = {"dataset", LOCK, ".dataset.partial", ".dataset.old", ".config.json.partial"}
    if not folder.is_dir() or any(child.name not in begun for child in folder.iterdir()):
        raise UsageError(f"{folder} exists and is not a training run; choose a new folder")


_held: set[Path] = set()  # by this process: a lock of ours does not stop ourselves


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keeps a second training out of `folder` while the block runs; UsageError where one is running already.

    Within a block of the same process for the same folder it changes nothing.
    """
    check_folder(folder)
    key = folder.resolve()
    if key in _held:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another training is running in {folder}; wait for it or choose a new folder") from None
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)


def _agree(folder: Path, dataset: Dataset, model: ModelConfig, config: TrainConfig) -> None:
    """Writes the run's configuration, or checks that the run there has the same."""
    path = folder / "config.json"
    mine = {"dataset": dataset.fingerprint, "model": to_json(model), "train": to_json(config)}
    if path.is_file():
        try:
            theirs = json.loads(path.read_text(encoding="utf-8"))
            changes = _changes(theirs, mine)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BowerbirdError(f"{path} is damaged; train into a new folder") from None
        if theirs["dataset"] != mine["dataset"]:
            raise UsageError(
                f"{folder} was begun with another dataset, or {dataset.folder} has changed since; train into a new folder"
            )
        if changes:
            raise UsageError(
                f"{folder} was begun with other settings ({', '.join(changes)}); use the same ones or a new folder"
            )
    write_whole(path, json.dumps(mine, indent=2).encode())


def _changes(theirs: dict[str, Any], mine: dict[str, Any]) -> list[str]:
    """What differs, in words; the length of training and the times of previews and checkpoints may."""
    free = ("minutes", "examples", "preview_minutes", "checkpoint_minutes")
    changes = [
        f"{key} {theirs['train'].get(key)}, now {value}"
        for key, value in mine["train"].items()
        if key not in free and theirs["train"].get(key) != value
    ]
    model = json.loads(json.dumps(mine["model"]))
    return changes + [f"another {part}" for part in model if theirs["model"].get(part) != model[part]]


@contextlib.contextmanager
def _interrupts(run: _Run) -> Iterator[None]:
    """Ctrl-C and SIGTERM end training after the current step; a second Ctrl-C ends it at once."""

    def ask(number: int, frame: Any) -> None:
        if run.stop:
            raise KeyboardInterrupt
        run.stop = True

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever runs us there handles signals
        before = {}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
