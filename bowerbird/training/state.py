"""Everything a training run is at one moment, and the checkpoint that holds it."""

import copy
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.instrument_file import read_tensors, write_tensors
from bowerbird.networks.interface import Generator
from bowerbird.training.step import Adversary
from bowerbird.training.watch import Watch

__all__ = ["BEST", "NEWEST", "State"]

CHECKPOINT = "checkpoint.safetensors"
PREVIOUS = "checkpoint.previous.safetensors"
BEST = "checkpoint.best.safetensors"
NEWEST = (CHECKPOINT, PREVIOUS)
NEXT = "checkpoint.next.safetensors"


@dataclass
class State:
    """A named set of things with state; one object owns the run.

    Randomness needs no place here: it is drawn from (seed, seen).
    """

    adversary: Adversary
    averaged: Generator = field(init=False)  # exponential moving average of the generator
    seen: int = 0  # examples
    elapsed_s: float = 0.0  # training time so far, earlier sittings included
    rollbacks: int = 0
    watch: Watch = field(default_factory=Watch)

    def __post_init__(self) -> None:
        self.averaged = copy.deepcopy(self.adversary.generator).requires_grad_(False)

    def average(self, batch: int, half_life: float) -> None:
        """Moves the average towards the generator; early on the half-life is shorter (Karras et al. 2020, ADA)."""
        keep = 0.5 ** (batch / min(half_life, max(0.05 * self.seen, 1.0)))
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averaged.parameters()), list(self.adversary.generator.parameters()), 1 - keep)

    def is_finite(self) -> bool:
        """Whether every weight is a number."""
        networks = (self.adversary.generator, self.adversary.judge, self.averaged)
        return all(bool(torch.isfinite(p).all()) for network in networks for p in network.parameters())

    def save(self, folder: Path, facts: dict[str, Any]) -> None:
        """Writes the checkpoint and keeps the one before."""
        header = {
            "what": "checkpoint",
            "seen": self.seen,
            "elapsed_s": self.elapsed_s,
            "rollbacks": self.rollbacks,
            "watch": asdict(self.watch),
            **facts,
        }
        write_tensors(folder / NEXT, self._tensors(), header)  # first of all, so that a full disk costs nothing
        with suppress(FileNotFoundError):
            (folder / CHECKPOINT).replace(folder / PREVIOUS)
        (folder / NEXT).replace(folder / CHECKPOINT)

    def keep_as_best(self, folder: Path) -> None:
        """Keeps the checkpoint just saved for going back to."""
        shutil.copyfile(folder / CHECKPOINT, folder / NEXT)
        (folder / NEXT).replace(folder / BEST)

    def load(self, folder: Path, names: Sequence[str] = NEWEST) -> str | None:
        """Takes the first readable checkpoint of `names`; returns what was wrong with one before it, if anything.

        Raises BowerbirdError where there are checkpoints and none is readable.
        """
        trouble: list[str] = []
        for name in names:
            try:
                tensors, header = read_tensors(folder / name, "checkpoint")
                self._restore(tensors)
            except UsageError:
                continue
            except (BowerbirdError, KeyError, RuntimeError) as error:
                trouble.append(str(error))
                continue
            self.seen, self.elapsed_s, self.rollbacks = header["seen"], header["elapsed_s"], header["rollbacks"]
            self.watch = Watch(**header["watch"])
            if not trouble:
                return None
            (folder / CHECKPOINT).unlink()  # or the next save would put it in the place of the good one
            return trouble[0]
        reason = trouble[0] if trouble else f"there is no checkpoint in {folder}"
        raise BowerbirdError(f"{reason}; no earlier checkpoint is left, so train into a new folder")

    @staticmethod
    def seen_in(folder: Path, name: str) -> int | None:
        """The examples seen by a checkpoint, None where it cannot be read."""
        with suppress(UsageError, BowerbirdError):
            return int(read_tensors(folder / name, "checkpoint")[1]["seen"])
        return None

    @staticmethod
    def exists(folder: Path) -> bool:
        return (folder / CHECKPOINT).exists() or (folder / PREVIOUS).exists()

    def _networks(self) -> dict[str, nn.Module]:
        networks = {"generator": self.adversary.generator, "judge": self.adversary.judge, "averaged": self.averaged}
        return networks if self.adversary.replay is None else networks | {"replay": self.adversary.replay}

    def _optimisers(self) -> dict[str, torch.optim.Optimizer]:
        return {"generator": self.adversary.generator_optimiser, "judge": self.adversary.judge_optimiser}

    def _tensors(self) -> dict[str, Tensor]:
        tensors = {
            f"{name}/{key}": value
            for name, network in self._networks().items()
            for key, value in network.state_dict().items()
        }
        for name, optimiser in self._optimisers().items():
            for index, moments in optimiser.state_dict()["state"].items():
                tensors.update({f"optimiser/{name}/{index}/{key}": value for key, value in moments.items()})
        return tensors

    def _restore(self, tensors: dict[str, Tensor]) -> None:
        for name, network in self._networks().items():
            prefix = f"{name}/"
            network.load_state_dict({k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)})
        for name, optimiser in self._optimisers().items():
            state: dict[int, dict[str, Tensor]] = {}
            weights = [weight for group in optimiser.param_groups for weight in group["params"]]
            for key, value in tensors.items():
                if key.startswith(f"optimiser/{name}/"):
                    index, moment = key.split("/")[2:]
                    # In the weight's own memory layout, which the file does not keep.
                    like = torch.empty_like(weights[int(index)]) if value.dim() else torch.empty_like(value)
                    state.setdefault(int(index), {})[moment] = like.copy_(value)
            optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})
