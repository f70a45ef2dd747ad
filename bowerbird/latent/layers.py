"""What a generator's stages say, and how they are bent while it draws."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from bowerbird.errors import UsageError, known
from bowerbird.networks.interface import Generator
from bowerbird.networks.mixture import Mixture

__all__ = ["Bend", "activations", "bent", "check_stage"]


@dataclass(frozen=True)
class Bend:
    """What a stage says (B, ...), flattened to (B, D), times `scale` plus `offset` (D,) or (B, D).

    `into` names those of the generator's `steered` parts that get it bent; all of them where it is empty.
    """

    stage: str
    offset: Tensor
    scale: float = 1.0
    into: tuple[str, ...] = ()

    def __call__(self, said: Tensor) -> Tensor:
        return said * self.scale + self.offset.to(said).reshape(-1, *said.shape[1:])


class _Reached(Exception):
    """Ends a drawing whose rest nobody wants."""


def check_stage(generator: Generator, stage: str, into: Sequence[str] = ()) -> None:
    """UsageError that lists the stages, or the parts that the first stage steers."""
    if stage not in generator.stages:
        raise UsageError(f'this instrument has no layer "{stage}"; known: {", ".join(generator.stages)}')
    wrong = [part for part in into if part not in generator.steered or stage != generator.stages[0]]
    if wrong:
        raise UsageError(f'what {stage} says does not go into "{wrong[0]}" alone; {known(generator.steered)}')


@contextmanager
def bent(generator: Generator, bends: Sequence[Bend]) -> Iterator[None]:
    """While the block runs the generator draws with its stages bent, one thread at a time."""
    with ExitStack() as undo:
        for member in generator.whole if isinstance(generator, Mixture) else [generator]:
            for bend in bends:
                for hook in _hooks(member, bend):
                    undo.callback(hook.remove)
        yield


def _hooks(generator: Generator, bend: Bend) -> list[Any]:
    if not bend.into:
        return [generator.get_submodule(bend.stage).register_forward_hook(lambda layer, taken, said: bend(said))]

    def steer(layer: nn.Module, taken: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return (*taken[:-1], bend(taken[-1]))

    return [generator.get_submodule(part).register_forward_pre_hook(steer) for part in bend.into]


def activations(generator: Generator, stage: str, z: Tensor, code: Tensor) -> Tensor:
    """What a stage says of latents (B, Z) and codes (B, N): (B, D); what follows it is not computed."""
    if isinstance(generator, Mixture):
        choice = generator.choose(z, code)
        members = dict(enumerate(generator.whole))
        parts = {number: (choice == number).nonzero()[:, 0] for number in choice.unique().tolist()}
        said = [activations(members.get(n, generator.first), stage, z[rows], code[rows]) for n, rows in parts.items()]
        return torch.cat(said)[torch.cat(list(parts.values())).argsort()]
    found: list[Tensor] = []

    def read(layer: nn.Module, taken: Any, said: Tensor) -> None:
        found.append(said.flatten(1).float().clone())
        raise _Reached

    hook = generator.get_submodule(stage).register_forward_hook(read)
    try:
        generator(z, code)
    except _Reached:
        pass
    finally:
        hook.remove()
    return found[0]
