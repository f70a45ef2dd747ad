"""Places in the space of an instrument, and what is heard there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from bowerbird.conditions.interface import Condition
from bowerbird.errors import UsageError, known
from bowerbird.features import FEATURES
from bowerbird.instrument import Instrument
from bowerbird.latent.basis import Basis
from bowerbird.latent.layers import Bend, activations, bent, check_stage
from bowerbird.latent.paths import PATHS
from bowerbird.latent.places import Places
from bowerbird.latent.score import Point
from bowerbird.seeds import latents, torch_random

__all__ = ["Space", "Spot"]

OF_A_MEAN = 256  # latents
FARTHEST = 20.0  # units or sigmas along a direction: no sound of the data is a fifth as far


@dataclass(frozen=True)
class Spot:
    """A place: a latent `z` (Z,), encoded labels (N,), and how far along which directions from there.

    `truncation` is how much is left of the difference from the mean of the same labels; 0 is that mean, whatever the latent.
    `mapped` (D,) stands in the place of what the first layer says. `labels` are for people.
    """

    z: Tensor
    condition: Tensor
    labels: Mapping[str, str] = field(default_factory=dict)
    moves: Mapping[str, float] = field(default_factory=dict)
    truncation: float = 1.0
    mapped: Tensor | None = None


class Space:
    """An instrument as a space, with the `places` and directions that people have named in it."""

    def __init__(self, instrument: Instrument, places: Places | None = None) -> None:
        self.instrument, self.places = instrument, places
        self.generator = instrument.generator
        self._means: dict[bytes, Tensor] = {}

    def spot(
        self,
        seed: int,
        asked: dict[str, str] | None = None,
        moves: Mapping[str, float] | None = None,
        truncation: float = 1.0,
    ) -> Spot:
        """The place of a seed: the sound there is `make`'s of the same seed and labels."""
        return self.place(self.instrument.choose(asked, seed=seed), seed, moves, truncation)

    def place(
        self, labels: Mapping[str, str], seed: int, moves: Mapping[str, float] | None = None, truncation: float = 1.0
    ) -> Spot:
        """The same of a full set of labels."""
        if not 0 <= truncation <= 2:
            raise UsageError(f"a truncation of {truncation:g} is out of range; it lies between 0 (the mean) and 2")
        model = self.instrument.model
        z, condition = latents([seed], model.network.z_dim)[0], model.encode([dict(labels)])[0]
        found = Spot(z, condition, labels, self.expanded(moves or {}), truncation)
        if moves:
            self._bends(found)  # directions that are not there are said at once
        return found

    def settled(self, point: Point) -> Point:
        """The same without names that people gave: what they stand for now, so that it stays when they are given anew."""
        moves = self.expanded(point.moves)
        if point.name is None:
            return replace(point, moves=moves)
        if self.places is None:
            raise UsageError(f'no places were named that "{point.name}" could be; write its seed')
        named = self.places.point(point.name)
        own = self.expanded(named.moves)
        moves = self.expanded({name: own.get(name, 0.0) + moves.get(name, 0.0) for name in {**own, **moves}})
        labels, truncation = {**named.labels, **point.labels}, named.truncation * point.truncation
        return replace(named, labels=labels, moves=moves, truncation=truncation, note=point.note or f"@{point.name}")

    def at(self, point: Point) -> Spot:
        """The place of a point; UsageError for a name, label or direction that is not there."""
        point = self.settled(point)
        spot = self.spot(point.seed, dict(point.labels), point.moves, point.truncation)
        if point.z is None:
            return spot
        z = torch.tensor(point.z, dtype=torch.float32)
        if z.shape != spot.z.shape or not z.isfinite().all():
            raise UsageError(f"z of a point has {len(point.z)} numbers, or some that are none; it wants {len(spot.z)}")
        return replace(spot, z=z)

    def expanded(self, moves: Mapping[str, float]) -> dict[str, float]:
        """Moves with those that people have named taken apart; UsageError for amounts out of all range."""
        named = self.places.directions if self.places else {}
        total: dict[str, float] = {}
        for name, amount in moves.items():
            for part, share in named.get(name, {name: 1.0}).items():
                total[part] = total.get(part, 0.0) + share * amount
        for name, amount in total.items():
            if not abs(amount) <= FARTHEST:
                raise UsageError(f"{name}={amount:g} is out of range; it lies between {-FARTHEST:g} and {FARTHEST:g}")
        return total

    def said(self, spot: Spot, stage: str | None = None) -> Tensor:
        """What a layer, the first unless told otherwise, says at a place before any move: (D,)."""
        stage = stage or self.generator.stages[0]
        if stage == self.generator.stages[0] and spot.mapped is not None:
            return spot.mapped
        found = self._said(stage, spot.z[None], spot.condition[None])[0]
        if stage == self.generator.stages[0] and spot.truncation != 1:
            mean = self.mean(spot.condition)
            found = mean + spot.truncation * (found - mean)
        return found

    def _said(self, stage: str, z: Tensor, condition: Tensor) -> Tensor:
        device = self.instrument.device
        with torch.inference_mode():
            return activations(self.generator, stage, z.to(device), self.generator.code(condition.to(device))).cpu()

    def mean(self, condition: Tensor) -> Tensor:
        """What the first layer says of encoded labels (N,) on average: (D,)."""
        key = condition.numpy().tobytes()
        if key not in self._means:
            z = torch.randn(OF_A_MEAN, self.instrument.model.network.z_dim, generator=torch_random(0, "mean"))
            self._means[key] = self._said(self.generator.stages[0], z, condition.expand(OF_A_MEAN, -1)).mean(0)
            if len(self._means) > OF_A_MEAN:  # of a long walk through labels
                self._means.pop(next(iter(self._means)))
        return self._means[key]

    def basis(self, stage: str = "") -> Basis:
        """What was found at a layer, or at the first where anything was."""
        directions = self.instrument.directions
        if not directions:
            raise UsageError("this instrument has no directions yet; find them with `bowerbird directions`")
        stage = stage or next(one for one in self.generator.stages if one in directions)
        if stage not in directions:
            raise UsageError(f'no directions of the layer "{stage}" were found; {known(directions)}')
        return directions[stage]

    def _bends(self, spot: Spot) -> list[Bend]:
        """Moves are written `brightness`, `3`, `widen:3`, and with the parts that get it `mapping:3@blocks.0+blocks.1`."""
        first = self.generator.stages[0]
        found: list[Bend] = []
        if spot.mapped is not None:
            found.append(Bend(first, spot.mapped, 0.0))
        elif spot.truncation != 1:
            found.append(Bend(first, (1 - spot.truncation) * self.mean(spot.condition), spot.truncation))
        for written, amount in spot.moves.items():
            place, _, parts = written.partition("@")
            stage, _, name = place.rpartition(":")
            basis = self.basis(stage)
            into = tuple(parts.split("+")) if parts else ()
            check_stage(self.generator, basis.stage, into)
            if name not in basis.names:
                own = self.places.directions if self.places else {}
                hint = "; sliders are made by `bowerbird directions`" if name in FEATURES and not basis.sliders else ""
                raise UsageError(f'there is no direction "{name}" at {basis.stage}; {known([*own, *basis.names])}{hint}')
            found.append(Bend(basis.stage, basis.offset(name, amount, self.said(spot, basis.stage)), 1.0, into))
        return found

    def picture(self, spot: Spot) -> Tensor:
        """What is drawn at a place: (1, K, F, L)."""
        with bent(self.generator, self._bends(spot)):
            return self.instrument.draw(spot.condition[None], spot.z[None])

    def play(self, spots: Iterable[Spot]) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        """Sound (C, T) and log levels (C, F, L) at each place, in order."""
        return self.instrument.heard(map(self.picture, spots))

    def between(self, spots: Sequence[Spot], share: float, path: str = "slerp", *, mapped: bool = False) -> Spot:
        """The place so far along the way through places; labels change on it too, and moves.

        `path` is one of PATHS. With `mapped` the way leads through what the first layer says instead of latents.
        """
        last = len(spots) - 1
        place = min(max(share, 0.0), 1.0) * last
        before = min(int(place), max(last - 1, 0))
        rest = place - before
        one, other = spots[before], spots[min(before + 1, last)]
        names = dict.fromkeys([*one.moves, *other.moves])
        moves = {name: one.moves.get(name, 0.0) * (1 - rest) + other.moves.get(name, 0.0) * rest for name in names}
        truncation = one.truncation * (1 - rest) + other.truncation * rest
        model = self.instrument.model
        parts = [self._label_between(one, other, rest, *of) for of in zip(model.conditions, model.spans, strict=True)]
        condition = torch.cat(parts) if parts else one.condition
        around = spots[max(before - 1, 0) : before + 3]  # no path looks farther
        way, local = PATHS[path], (place - max(before - 1, 0)) / max(len(around) - 1, 1)
        z = way([spot.z for spot in around], local)
        mapped_at = way([self.said(spot) for spot in around], local) if mapped else None
        return replace(
            one if rest < 0.5 else other, z=z, condition=condition, moves=moves, truncation=truncation, mapped=mapped_at
        )

    def changed(self, spot: Spot, asked: Mapping[str, str], moves: Mapping[str, float]) -> Spot:
        """The same place with other labels, and farther along some directions; UsageError for one that is not there."""
        conditions = {condition.name: condition for condition in self.instrument.model.conditions}
        condition = spot.condition.clone()
        for (name, label), (span, _) in zip(conditions.items(), self.instrument.model.spans, strict=True):
            if name in asked:
                condition[span] = torch.from_numpy(label.encode([label.parse(asked[name])])[0])
        if unknown := set(asked) - set(conditions):
            raise UsageError(f'this instrument has no label "{min(unknown)}"; {known(conditions)}')
        more = self.expanded(moves)
        total = {name: spot.moves.get(name, 0.0) + more.get(name, 0.0) for name in {**spot.moves, **more}}
        found = replace(spot, labels={**spot.labels, **asked}, condition=condition, moves=total)
        if more:
            self._bends(found)
        return found

    @staticmethod
    def _label_between(one: Spot, other: Spot, share: float, condition: Condition, span: tuple[slice, bool]) -> Tensor:
        """The columns of one condition; by its labels, unless a place lies between labels itself."""
        label, to_label = one.labels.get(condition.name, ""), other.labels.get(condition.name, "")
        start, end = one.condition[span[0]], other.condition[span[0]]
        if torch.equal(torch.stack([start, end]), torch.from_numpy(condition.encode([label, to_label]))):
            return torch.from_numpy(condition.between(label, to_label, share))
        return torch.lerp(start, end, share)
