"""Directions of a layer of a generator, which travel in the instrument: principal components, sliders for what is heard."""

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from bowerbird.errors import BowerbirdError
from bowerbird.instrument_file import fingerprint

__all__ = ["PREFIX", "Basis", "Slider", "basis_of", "describe_basis", "tensors_of_basis"]

PREFIX = "directions."  # before the names of their tensors in an instrument
LEAST_SIGMA = 1e-3  # of the widest


@dataclass(frozen=True)
class Slider:
    """A direction for a feature that depends on the place: `base` (D,) plus its coordinates (K) times `field` (K, D).

    What makes one sound brighter need not another one: a linear fit of which way a feature lies from each place.
    """

    base: Tensor
    field: Tensor
    step: float  # how far one unit goes, of what the layer says


@dataclass(frozen=True)
class Basis:
    """What was found at a stage: orthonormal `vectors` (K, D) around `mean` (D,), and the spread `sigma` (K,) along each.

    `facts` are plain values for people; `explained`, `low` and `high` among them are the share of the variance and the range
    in the data, in sigmas, of each direction that was asked for. The vectors after those only tell sliders where a sound is.
    """

    stage: str
    mean: Tensor
    vectors: Tensor
    sigma: Tensor
    sliders: dict[str, Slider] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """Changes with any number of it: with directions found anew, what is said of the old ones means others."""
        tensors, steps = _parts(self)
        return fingerprint(tensors, steps)

    @property
    def count(self) -> int:
        """Of components that have a name."""
        return len(self.facts["explained"])

    @property
    def names(self) -> list[str]:
        """Of all directions: sliders by feature, components by number from 1."""
        return [*self.sliders, *(str(number + 1) for number in range(self.count))]

    def coordinates(self, said: Tensor) -> Tensor:
        """What the layer says (..., D) -> in sigmas along each component (..., K)."""
        least = max(1e-9, LEAST_SIGMA * float(self.sigma.max()))  # along which only rounding varies
        return (said - self.mean) @ self.vectors.T / self.sigma.clamp_min(least)

    def offset(self, name: str, amount: float, said: Tensor) -> Tensor:
        """How far to go for `amount` of one of `names` where the layer says `said` (D,): (D,)."""
        if name in self.sliders:
            slider = self.sliders[name]
            way = slider.base + self.coordinates(said) @ slider.field
            return amount * slider.step * way / way.norm().clamp_min(1e-9)
        number = int(name) - 1
        return amount * self.sigma[number] * self.vectors[number]


def _parts(basis: Basis) -> tuple[dict[str, Tensor], dict[str, float]]:
    tensors = {"mean": basis.mean, "vectors": basis.vectors, "sigma": basis.sigma}
    for name, slider in basis.sliders.items():
        tensors |= {f"{name}/base": slider.base, f"{name}/field": slider.field}
    return tensors, {name: slider.step for name, slider in basis.sliders.items()}


def tensors_of_basis(basis: Basis) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Named tensors and plain values for a file."""
    tensors, steps = _parts(basis)
    values = {"steps": steps, "facts": basis.facts, "fingerprint": basis.fingerprint}
    return {f"{PREFIX}{basis.stage}/{k}": t for k, t in tensors.items()}, values


def basis_of(stage: str, tensors: dict[str, Tensor], values: dict[str, Any]) -> Basis:
    """The inverse; KeyError where something is missing, BowerbirdError where something was changed."""
    own = {name.removeprefix(f"{PREFIX}{stage}/"): tensor for name, tensor in tensors.items()}
    sliders = {name: Slider(own[f"{name}/base"], own[f"{name}/field"], step) for name, step in values["steps"].items()}
    basis = Basis(stage, own["mean"], own["vectors"], own["sigma"], sliders, values["facts"])
    if basis.fingerprint != values["fingerprint"]:
        raise BowerbirdError(
            f"the directions of {stage} were changed after they were written (fingerprint differs); copy the file again"
        )
    return basis


def describe_basis(basis: Basis, most: int = 16) -> str:
    """For people: the sliders, and the first components with what they do."""
    facts = basis.facts
    lines = [
        f"{basis.count} directions of {basis.stage} from {facts['samples']} samples ({facts['estimator']}, over "
        f"{facts['over']}, {facts['seconds']:g} s), {sum(facts['explained']):.0%} of the variance"
    ]
    lines += [
        f"  {name}: {one['more']} or {one['less']}, rank correlation {one['rank']:.2f}, "
        f"{one['spreads_per_unit']:.2f} spreads a unit"
        for name, one in facts.get("sliders", {}).items()
    ]
    for number, share in enumerate(facts["explained"][:most]):
        line = f"  {number + 1}: {share:.1%} of the variance, {facts['low'][number]:.1f} to {facts['high'][number]:.1f}"
        if "effects" in facts:
            effect = facts["effects"][number]
            line += f", {effect['words']} (strength {effect['strength']:.2f}, purity {effect['purity']:.2f})"
        lines.append(line)
    return "\n".join(lines)
