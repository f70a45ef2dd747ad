"""Directions that mean something: sliders for what is heard, and what each direction found does to it.

Which way a feature lies from a place is the gradient of the feature of what is drawn there. A slider is a linear fit of
those gradients over many places: the way depends on the place and costs a product of matrices.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bowerbird.errors import UsageError
from bowerbird.features import FEATURES, PITCH_FEATURE, WORDS, differentiable, measure
from bowerbird.latent.basis import Basis, Slider
from bowerbird.latent.directions import told_by_labels
from bowerbird.latent.layers import Bend, activations, bent
from bowerbird.latent.space import Space, Spot
from bowerbird.networks.mixture import Mixture
from bowerbird.progress import progress

__all__ = ["add_sliders", "describe_directions"]

PLACES, AT_ONCE = 256, 16  # where gradients are taken
HEARD, TRIED, AMOUNTS = 96, 24, (-1.0, -0.5, 0.0, 0.5, 1.0)  # places listened to, those a slider is tried at, how far
DESCRIBED, FAR = 8, 2.0  # places a component is tried at, and how far in sigmas
ALL = (*FEATURES, PITCH_FEATURE)
LEAST_EFFECT = 0.25  # in spreads of the feature; under it nothing is said
LEAST_SPREAD = 1e-9
STEPS = (0.1, 4.0)  # what calibration may make of the step that gradients tell


def add_sliders(space: Space, basis: Basis, seed: int = 0, *, quiet: bool = False) -> Basis:
    """The same with a slider for every feature that the generator's pictures show.

    One unit is about the feature's spread among sounds of the same labels. `facts["sliders"]` says how sure each is: its
    `rank` is the mean rank correlation of amount and what is measured.
    """
    spots = [space.spot(seed + number) for number in range(PLACES)]
    said, gradients, values = _gradients(space, basis.stage, spots, quiet)
    usual = _spreads(_heard(space, spots[:HEARD], ALL), spots[:HEARD])
    sliders, facts = {}, {}
    told = [name for name in gradients if usual.get(name, 0.0) > LEAST_SPREAD]
    with progress("sliders", len(told), quiet=quiet) as advance:
        for number, name in enumerate(told):
            advance(number, name)
            slider = _fitted(basis, said, gradients[name], float(values[name].std()))
            tried = replace(basis, sliders={name: slider})
            sliders[name], facts[name] = _calibrated(space, tried, name, spots[:TRIED], usual[name])
    return replace(basis, sliders=sliders, facts=basis.facts | {"sliders": facts, "spread": usual})


def _spreads(heard: dict[str, NDArray[np.floating]], spots: list[Spot]) -> dict[str, float]:
    """Of each feature among sounds of the same labels: a kick two octaves brighter is no kick any more."""
    labels = torch.stack([spot.condition for spot in spots])
    spreads = {}
    for name, values in heard.items():
        there = np.isfinite(values)
        if there.any():
            rest = torch.from_numpy(values[there].astype(np.float32))[:, None]
            spreads[name] = float((rest - told_by_labels(labels[there], rest)(labels[there])).std())
    return {name: spread for name, spread in spreads.items() if np.isfinite(spread)}


def _gradients(
    space: Space, stage: str, spots: list[Spot], quiet: bool
) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
    """What the stage says at each spot (B, D), and of every feature its gradient there (B, D) and its value (B,)."""
    instrument, form = space.instrument, space.instrument.model.representation
    size = 1 if isinstance(space.generator, Mixture) else AT_ONCE  # of several generators each draws its own rows
    parts: list[tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]] = []
    with progress("gradients", len(spots), quiet=quiet) as advance:
        for start in range(0, len(spots), size):
            few = spots[start : start + size]
            z, condition = (torch.stack([getattr(spot, part) for spot in few]) for part in ("z", "condition"))
            z, code = z.to(instrument.device), space.generator.code(condition.to(instrument.device))
            said = activations(space.generator, stage, z, code)
            moved = torch.zeros_like(said, requires_grad=True)
            with bent(space.generator, [Bend(stage, moved)]):
                levels = form.levels(space.generator(z, code).float())
            frame_s = form.samples / instrument.sample_rate / levels.shape[3]
            found = differentiable(levels, frame_s, instrument.sample_rate)
            slopes = {name: torch.autograd.grad(one.sum(), moved, retain_graph=True)[0] for name, one in found.items()}
            parts.append(
                (
                    said.detach().cpu(),
                    {k: g.cpu() for k, g in slopes.items()},
                    {k: v.detach().cpu() for k, v in found.items()},
                )
            )
            advance(start + len(few))
    names = [name for name in parts[0][1] if all(name in part[1] for part in parts)]
    gradients = {name: torch.cat([part[1][name] for part in parts]) for name in names}
    values = {name: torch.cat([part[2][name] for part in parts]) for name in names}
    return torch.cat([part[0] for part in parts]), gradients, values


def _fitted(basis: Basis, said: Tensor, gradient: Tensor, spread: float) -> Slider:
    from sklearn.linear_model import RidgeCV

    sizes = gradient.norm(dim=1, keepdim=True)
    usual = sizes.median().clamp_min(1e-12)
    units = gradient / (sizes + 0.1 * usual)  # where the feature is flat the way is chance
    fit = RidgeCV(np.geomspace(1, 1e5, 11)).fit(basis.coordinates(said).numpy(), units.numpy())
    base, field = (torch.from_numpy(np.atleast_1d(part).astype(np.float32)) for part in (fit.intercept_, fit.coef_.T))
    return Slider(base, field, spread / float(usual))


def _heard(space: Space, spots: list[Spot], features: tuple[str, ...]) -> dict[str, NDArray[np.floating]]:
    sounds = np.stack([sound for sound, _ in space.play(spots)])
    return measure(sounds, space.instrument.sample_rate, features)


def _calibrated(space: Space, basis: Basis, name: str, spots: list[Spot], usual: float) -> tuple[Slider, dict[str, Any]]:
    """With a step that takes one unit to one `usual` spread, as far as that can be."""
    slider = basis.sliders[name]

    def tried(amounts: tuple[float, ...]) -> tuple[float, NDArray[np.floating]]:
        of_it = replace(basis, sliders={name: slider})
        heard = _along(space, of_it, name, amounts, spots, (name,))[name] / usual
        return float(np.median((heard[:, -1] - heard[:, 0]) / (amounts[-1] - amounts[0]))), heard

    for _ in range(2):  # a step too wide is seen only from nearer
        slope, _ = tried(AMOUNTS[:: len(AMOUNTS) - 1])
        slider = replace(slider, step=slider.step * float(np.clip(1 / max(slope, 1e-6), *STEPS)))
    slope, heard = tried(AMOUNTS)
    facts = {"rank": round(_rank(heard), 3), "spreads_per_unit": round(slope, 3)}
    return slider, facts | dict(zip(("more", "less"), WORDS[name], strict=True))


def _along(
    space: Space,
    basis: Basis,
    name: str,
    amounts: tuple[float, ...],
    spots: list[Spot],
    features: tuple[str, ...],
) -> dict[str, NDArray[np.floating]]:
    """`features` (spots, amounts) along a direction of a basis that need not be the instrument's yet."""
    places = [replace(spot, moves={f"{basis.stage}:{name}": amount}) for spot in spots for amount in amounts]
    kept = dict(space.instrument.directions)
    space.instrument.directions[basis.stage] = basis
    try:
        heard = _heard(space, places, features)
    finally:
        space.instrument.directions.clear()
        space.instrument.directions.update(kept)
    return {feature: value.reshape(len(spots), len(amounts)) for feature, value in heard.items()}


def _rank(values: NDArray[np.floating]) -> float:
    """Mean rank correlation of rows with rising amounts; a row that stands still counts as none."""
    from scipy.stats import spearmanr

    found = [spearmanr(range(len(row)), row).statistic if np.ptp(row) > 0 else 0.0 for row in values]
    return float(np.mean(found))


def describe_directions(space: Space, basis: Basis, seed: int = 0, *, quiet: bool = False) -> Basis:
    """The same with `facts["effects"]`: of every component how far each feature goes from -2 to 2 sigmas, in its spreads,
    `purity`, the share of the strongest among all effects, and in words what that is.
    """
    usual = basis.facts.get("spread")
    if not usual:
        raise UsageError("describe directions after their sliders are made")
    spots = [space.spot(seed + number) for number in range(DESCRIBED)]
    effects = []
    with progress("describing", basis.count, quiet=quiet) as advance:
        for number in range(basis.count):
            advance(number)
            effects.append(_effect(_along(space, basis, str(number + 1), (-FAR, FAR), spots, ALL), usual))
    return replace(basis, facts=basis.facts | {"effects": effects})


def _effect(heard: dict[str, NDArray[np.floating]], usual: dict[str, float]) -> dict[str, Any]:
    """Of features (spots, 2) at both ends: how far each goes, and the strongest in words."""
    moved: dict[str, float] = {}
    for name, value in heard.items():
        far = value[:, 1] - value[:, 0]
        if usual.get(name, 0.0) > LEAST_SPREAD and np.isfinite(far).any():
            moved[name] = round(float(far[np.isfinite(far)].mean()) / usual[name], 3)
    strongest = max(moved, key=lambda name: abs(moved[name]), default="")
    strength = abs(moved.get(strongest, 0.0))
    words = WORDS[strongest][moved[strongest] < 0] if strength >= LEAST_EFFECT else "nothing that is measured"
    purity = strength / max(sum(map(abs, moved.values())), 1e-9)
    return {"features": moved, "purity": round(purity, 3), "strength": strength, "words": words}
