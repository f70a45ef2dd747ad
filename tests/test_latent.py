"""The space inside an instrument: ways, places, labels between labels, layers read and bent, directions, sliders."""

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from bowerbird.conditions.category import Category
from bowerbird.conditions.pitch import Pitch
from bowerbird.conditions.text import Text
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.features import FEATURES, measure
from bowerbird.instrument import Instrument, load
from bowerbird.instrument_file import read_tensors, write_tensors
from bowerbird.latent import sliders
from bowerbird.latent.basis import Basis
from bowerbird.latent.directions import ESTIMATORS, find_directions, samples_of
from bowerbird.latent.layers import Bend, activations, bent
from bowerbird.latent.paths import PATHS, linear, near, slerp, spline
from bowerbird.latent.places import places_beside
from bowerbird.latent.score import Point
from bowerbird.latent.sliders import add_sliders, describe_directions
from bowerbird.latent.space import Space
from bowerbird.machine import has_fast_bfloat16
from bowerbird.networks import NETWORKS
from bowerbird.networks.interface import Generator
from bowerbird.networks.mixture import Mixture
from tests.test_families import SHAPE, SHAPES

# of levels from -1 to 1; places that differ in their last bits are drawn apart by bfloat16's rounding
ROUNDED = 0.02 if has_fast_bfloat16(torch.device("cpu")) else 1e-4


@pytest.fixture
def space(run: Path) -> Space:
    return Space(load(run))


@pytest.mark.parametrize("name", PATHS)
def test_ways_lead_through_their_points(name: str) -> None:
    points = list(torch.randn(5, 64, generator=torch.Generator().manual_seed(0)))
    for place, point in enumerate(points):
        torch.testing.assert_close(PATHS[name](points, place / 4), point, atol=1e-4, rtol=1e-4)
    steps = torch.stack([PATHS[name](points, k / 400) for k in range(401)])
    assert (steps[1:] - steps[:-1]).norm(dim=1).max() < 0.5, "no jumps"
    torch.testing.assert_close(PATHS[name](points[:1], 0.7), points[0])


def test_latents_on_a_great_circle_are_as_long_as_its_ends() -> None:
    one, other = torch.randn(2, 128, generator=torch.Generator().manual_seed(1))
    sizes = sorted([float(one.norm()), float(other.norm())])
    for share in (0.25, 0.5, 0.75):
        assert sizes[0] - 1e-3 <= slerp([one, other], share).norm() <= sizes[1] + 1e-3
        assert linear([one, other], share).norm() < 0.9 * sizes[0] or share != 0.5
    torch.testing.assert_close(slerp([one, -one], 0.5), torch.zeros(128), atol=1e-3, rtol=0)
    assert spline([one, other], 0.5).norm() > 0.9 * sizes[0]


def test_a_bit_different_is_as_far_as_asked() -> None:
    z = torch.randn(4096, generator=torch.Generator().manual_seed(0))
    assert torch.equal(near(z, 0.0, 1), z)
    for distance in (0.3, 0.8, 1.0):
        other = near(z, distance, 1)
        assert float(other @ z / other.norm() / z.norm()) == pytest.approx(math.cos(distance * math.pi / 2), abs=0.06)
        assert float(other.norm() / z.norm()) == pytest.approx(1, abs=0.05)
    assert not torch.equal(near(z, 0.3, 1), near(z, 0.3, 2))


def test_labels_lie_between_labels() -> None:
    pitch = Pitch.fit("pitch", ["60", "64", "67"])
    assert pitch.between("60", "67", 4 / 7) == pytest.approx([0, 1, 0], abs=1e-6), "through 64, not a mixture of both ends"
    kinds = Category.fit("class", ["kick", "snare"])
    half = kinds.between("kick", "snare", 0.5)
    assert half == pytest.approx((kinds.encode(["kick"])[0] + kinds.encode(["snare"])[0]) / 2)
    text = Text.fit("text", ["rain", "fire"])
    assert np.linalg.norm(text.between("rain", "fire", 0.5)) == pytest.approx(1, abs=1e-5)
    assert pitch.between("", "64", 0.5) == pytest.approx([0, 0.5, 0]), "out of nothing"


def test_a_place_sounds_as_its_seed_does(space: Space) -> None:
    spot = space.spot(9, {"class": "kick"})
    ((sound, levels),) = space.play([spot])
    np.testing.assert_array_equal(sound, space.instrument.sample(1, label="kick", seed=9)[0])
    assert levels.shape == tuple(space.instrument.model.representation.shape)


def test_towards_the_mean_sounds_of_a_label_become_one(space: Space) -> None:
    def spread(truncation: float) -> float:
        pictures = torch.cat([space.picture(space.spot(k, {"class": "kick"}, truncation=truncation)) for k in range(6)])
        return float(pictures.std(0).mean())

    assert spread(0.0) < 1e-6 < 0.8 * spread(0.5) < spread(1.0)
    other = space.picture(space.spot(0, {"class": "snare"}, truncation=0.0))
    assert not torch.allclose(other, space.picture(space.spot(0, {"class": "kick"}, truncation=0.0)), atol=1e-3)
    with pytest.raises(UsageError, match="lies between 0"):
        space.spot(0, truncation=-1)


def test_on_the_way_from_place_to_place_everything_changes(space: Space) -> None:
    kick, snare = space.spot(1, {"class": "kick"}), space.spot(2, {"class": "snare"})
    for mapped in (False, True):
        start, half, end = (space.picture(space.between([kick, snare], s, mapped=mapped)) for s in (0.0, 0.5, 1.0))
        torch.testing.assert_close(start, space.picture(kick), atol=ROUNDED, rtol=0)
        torch.testing.assert_close(end, space.picture(snare), atol=ROUNDED, rtol=0)
        assert (half - start).abs().mean() > 1e-3 < (half - end).abs().mean()
    middle = space.between([kick, snare], 0.5)
    quarter = space.between([kick, middle], 0.5)
    torch.testing.assert_close(quarter.condition, 0.75 * kick.condition + 0.25 * snare.condition)


def generators() -> list[tuple[str, Generator]]:
    found: list[tuple[str, Generator]] = []
    for name, family in NETWORKS.items():
        torch.manual_seed(0)
        options, shape = family.options(z_dim=8, width=8), SHAPES.get(name, SHAPE)
        found.append((name, family.generator(shape, 3, options)))
        for shared in (False, True):
            mixture = Mixture(lambda f=family, s=shape, o=options: f.generator(s, 3, o), 3, 3, shared=shared)
            found.append((f"{name} mixture {shared}", mixture))
    return found


@pytest.mark.parametrize(("name", "generator"), generators())
def test_layers_are_read_and_bent(name: str, generator: Generator) -> None:
    z, code = torch.randn(7, 8), torch.eye(3)[torch.arange(7) % 3]
    with torch.inference_mode():
        plain = generator(z, code)
        assert generator.stages
        for stage in generator.stages:
            said = activations(generator, stage, z, code)
            torch.testing.assert_close(activations(generator, stage, z[3:4], code[3:4])[0], said[3], atol=1e-4, rtol=1e-4)
            with bent(generator, [Bend(stage, torch.zeros(said.shape[1]))]):
                torch.testing.assert_close(generator(z, code), plain)
            with bent(generator, [Bend(stage, 3 * torch.ones(said.shape[1]))]):
                assert (generator(z, code) - plain).abs().amax() > 1e-4, stage
            with bent(generator, [Bend(stage, said[3], 0.0)]):
                assert generator(z[:1], code[:1]).shape == plain[:1].shape
        torch.testing.assert_close(generator(z, code), plain, msg="bends stay")


def test_a_mapped_latent_is_bent_for_some_blocks_alone(space: Space) -> None:
    generator, spot = space.generator, space.spot(3)
    offset = torch.ones(len(space.said(spot)))
    z, code = spot.z[None], generator.code(spot.condition[None])

    def drawn(*into: str) -> torch.Tensor:
        with torch.inference_mode(), bent(generator, [Bend("mapping", offset, 1.0, into)]):
            return generator(z, code)

    parts = [drawn(part) for part in generator.steered]
    assert all(not torch.allclose(one, other) for one, other in pairwise(parts))
    torch.testing.assert_close(drawn(*generator.steered), drawn())


def test_directions_are_orthonormal_and_leave_labels_alone(space: Space) -> None:
    basis = find_directions(space, "mapping", samples=2000, components=8, quiet=True)
    torch.testing.assert_close(basis.vectors @ basis.vectors.T, torch.eye(len(basis.vectors)), atol=1e-5, rtol=0)
    assert basis.names == list("12345678")
    few = find_directions(space, "mapping", samples=2000, components=2, quiet=True)
    assert few.names == ["1", "2"]
    assert torch.equal(few.vectors, basis.vectors), "sliders see as much of where a sound is"
    assert basis.facts["explained"] == sorted(basis.facts["explained"], reverse=True)
    assert all(low < 0 < high for low, high in zip(basis.facts["low"], basis.facts["high"], strict=True))

    labels, said = map(torch.cat, zip(*samples_of(space, "mapping", 2000, 5), strict=True))
    named = labels.argmax(1)
    means = torch.stack([said[named == k].mean(0) for k in range(labels.shape[1])])

    def within(basis: Basis) -> float:
        """What part of the variation among sounds of the same label goes along a basis."""
        rest = said - means[named]
        return float((rest @ basis.vectors[:4].T).square().sum() / rest.square().sum())

    others = [
        find_directions(space, "mapping", samples=2000, components=4, over=over, quiet=True) for over in ("both", "labels")
    ]
    assert within(basis) > within(others[0]) > within(others[1])


def test_estimators_agree(space: Space) -> None:
    full, randomised, incremental = (
        find_directions(space, "start", samples=3000, components=4, estimator=name, quiet=True).vectors[:4].double()
        for name in ("full", "randomised", "incremental")
    )
    for other in (randomised, incremental):
        cosines = torch.linalg.svdvals(full @ other.T)
        assert math.degrees(math.acos(min(1.0, float(cosines.min())))) < 5
    factorised = find_directions(space, "mapping", samples=64, components=4, estimator="factorised", quiet=True)
    assert factorised.facts["explained"][0] > factorised.facts["explained"][3] > 0


def test_directions_that_cannot_be_found_are_refused(space: Space) -> None:
    for options, trouble in (
        ({"stage": "basement"}, "known: mapping, start, widen, blocks.0, blocks.1"),
        ({"components": 64, "samples": 32}, "64 components cannot be told from 32 samples"),
        ({"estimator": "guess"}, "known: factorised, full, incremental, randomised"),
        ({"over": "everything"}, "latent, labels, both"),
        ({"stage": "start", "estimator": "factorised", "components": 2}, "which start is not"),
    ):
        with pytest.raises(UsageError, match=trouble):
            find_directions(space, **{"stage": "mapping", "samples": 300, "quiet": True, **options})
    with torch.no_grad():
        space.generator.get_submodule("start").weight.zero_()
    with pytest.raises(UsageError, match="says the same of every sound"):
        find_directions(space, "start", samples=300, components=2, quiet=True)
    assert set(ESTIMATORS) == {"randomised", "full", "incremental", "factorised"}


def test_features_hear_what_they_are_named_after() -> None:
    rate, random = 16000, np.random.default_rng(0)
    t = np.arange(rate) / rate

    def heard(*sounds: np.ndarray) -> dict[str, np.ndarray]:
        return measure(np.stack([0.5 * sound / np.abs(sound).max() for sound in sounds])[:, None].astype(np.float32), rate)

    tone, fall = np.sin(2 * np.pi * 440 * t), np.exp(-6 * t)
    assert np.diff(heard(tone * fall, np.sin(2 * np.pi * 3000 * t) * fall)["brightness"]) > 1
    assert np.diff(heard(tone * fall, tone * np.exp(-2 * t))["decay"]) > 0.2
    assert np.diff(heard(tone * fall, tone * np.minimum(t / 0.2, 1) * fall)["attack"]) > 0.5
    assert np.diff(heard(tone * fall, random.standard_normal(rate) * fall)["noisiness"]) > 3
    assert np.diff(heard(tone, tone * (1 + np.sin(2 * np.pi * 50 * t)))["roughness"]) > 2
    quiet = measure(np.stack([0.05 * tone, 0.5 * tone])[:, None].astype(np.float32), rate)
    assert np.diff(quiet["loudness"]) == pytest.approx(20, abs=0.1)
    assert heard(tone, 0.1 * np.sin(2 * np.pi * 880 * t))["pitch"] == pytest.approx([69, 81], abs=0.1)
    assert set(quiet) == {*FEATURES, "pitch"}


@pytest.fixture(scope="module")
def described(run: Path) -> Instrument:
    """The tiny instrument with sliders and descriptions, from fewer places than usual."""
    patch = pytest.MonkeyPatch()
    for name, value in (("PLACES", 96), ("HEARD", 32), ("TRIED", 8), ("DESCRIBED", 2)):
        patch.setattr(sliders, name, value)
    space = Space(load(run))
    basis = add_sliders(space, find_directions(space, "mapping", samples=600, components=6, quiet=True), quiet=True)
    space.instrument.directions["mapping"] = describe_directions(space, basis, quiet=True)
    patch.undo()
    return space.instrument


def test_a_slider_moves_what_it_is_named_after(described: Instrument) -> None:
    space, basis = Space(described), described.directions["mapping"]
    for name in ("brightness", "loudness"):
        rising = 0
        for seed in range(100, 108):
            places = [space.spot(seed, moves={name: amount}) for amount in (-1.0, 0.0, 1.0)]
            heard = measure(np.stack([sound for sound, _ in space.play(places)]), described.sample_rate, (name,))[name]
            rising += bool(heard[0] < heard[2])
        assert rising >= 7, f"{name} of places that it was not fitted at"
        assert basis.facts["sliders"][name]["rank"] > 0.7
    effects = basis.facts["effects"]
    assert len(effects) == 6
    assert all(0 <= effect["purity"] <= 1 and effect["words"] for effect in effects)


def test_moves_add_up_and_are_refused_by_name(described: Instrument) -> None:
    space = Space(described)
    plain = space.spot(4)
    one, other = replace(plain, moves={"1": 1.5}), replace(plain, moves={"mapping:1": 1.0, "1": 0.5})
    torch.testing.assert_close(space.picture(one), space.picture(other), atol=ROUNDED, rtol=0)
    assert not torch.allclose(space.picture(one), space.picture(plain))
    torch.testing.assert_close(space.picture(replace(plain, moves={"2": 0.0})), space.picture(plain))
    for moves, trouble in (
        ({"warmth": 1.0}, "known: attack, brightness, decay, loudness, noisiness, roughness, 1, 2, 3, 4, 5, 6"),
        ({"widen:1": 1.0}, 'no directions of the layer "widen"'),
        ({"mapping:1@attic": 1.0}, 'into "attic" alone'),
        ({"1": math.nan}, "1=nan is out of range"),
        ({"1": 21.0}, "between -20 and 20"),
    ):
        with pytest.raises(UsageError, match=trouble):
            space.spot(0, moves=moves)


def test_directions_travel_in_the_instrument(described: Instrument, run: Path, tmp_path: Path) -> None:
    described.save(tmp_path / "with.safetensors")
    again = load(tmp_path / "with.safetensors")
    assert again.fingerprint == described.fingerprint == load(run).fingerprint, "directions change no sound"
    basis, kept = described.directions["mapping"], again.directions["mapping"]
    assert torch.equal(basis.vectors, kept.vectors)
    assert basis.facts == kept.facts
    moves = {"brightness": 1.0, "3": -1.0}
    assert torch.equal(
        Space(described).picture(Space(described).spot(1, moves=moves)),
        Space(again).picture(Space(again).spot(1, moves=moves)),
    )
    with pytest.raises(UsageError, match="find them with `bowerbird directions`"):
        Space(load(run)).spot(0, moves={"brightness": 1.0})


def test_damaged_directions_are_refused(described: Instrument, tmp_path: Path) -> None:
    path = tmp_path / "with.safetensors"
    described.save(path)
    tensors, header = read_tensors(path)
    tensors["directions.mapping/vectors"][0, 0] += 1
    write_tensors(path, tensors, {name: value for name, value in header.items() if name != "format"})
    with pytest.raises(BowerbirdError, match="directions of mapping were changed after they were written"):
        load(path)


def test_places_and_directions_of_people_lie_beside_the_instrument(described: Instrument, tmp_path: Path) -> None:
    path = tmp_path / "kit.safetensors"
    described.save(path)
    places = places_beside(path, described.fingerprint)
    assert not places.points
    places.points["thump"] = Point(7, {"class": "kick"}, {"1": 1.0})
    places.directions["airy"] = {"brightness": 1.0, "2": -0.5}
    places.save()
    again = places_beside(path, described.fingerprint)
    assert (again.points, again.directions) == (places.points, places.directions)
    space = Space(described, again)
    assert torch.equal(
        space.picture(space.at(Point(name="thump"))), space.picture(space.spot(7, {"class": "kick"}, {"1": 1.0}))
    )
    torch.testing.assert_close(
        space.picture(space.spot(1, moves={"airy": 2.0})), space.picture(space.spot(1, moves={"brightness": 2.0, "2": -1.0}))
    )
    assert space.at(Point(truncation=0.5, name="thump")).truncation == 0.5
    with pytest.raises(UsageError, match="known: thump"):
        space.at(Point(name="thud"))
    with pytest.raises(UsageError, match="whose space is another"):
        places_beside(path, "0" * 16)
    again.path.write_text("{")
    with pytest.raises(BowerbirdError, match="is damaged"):
        places_beside(path, described.fingerprint)
