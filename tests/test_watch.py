"""Watching a run: the best state is kept, trouble is recognised, said and acted on."""

import dataclasses
from pathlib import Path

import pytest
import torch
from torch.nn import functional

from bowerbird.data.dataset import Dataset
from bowerbird.data.feed import Feed
from bowerbird.data.kit import write_kit
from bowerbird.data.options import PrepareOptions
from bowerbird.data.prepare import prepare
from bowerbird.instrument import load
from bowerbird.presets import configure
from bowerbird.training.loop import train
from bowerbird.training.watch import Glance, LightEar, Watch
from tests.conftest import TINY

GOOD = Glance(0.2, 1.0, 1.5)


def after(*glances: Glance) -> tuple[Watch, list[str]]:
    watch = Watch()
    return watch, [watch.judge(glance, 1000 * number).act for number, glance in enumerate(glances, 1)]


def test_the_best_is_kept() -> None:
    watch, acts = after(Glance(0.5, 0.9, 1), GOOD, Glance(0.25, 1, 1.5))
    assert acts == ["best", "best", "go on"]
    assert watch.best["seen"] == 2000
    assert not watch.said


def test_of_states_as_good_the_last_is_kept() -> None:
    close = [dataclasses.replace(GOOD, distance=distance) for distance in (0.22, 0.24)]
    watch, acts = after(GOOD, *close)
    assert acts == ["best", "best", "go on"], "each a little worse than the one before it: the standard would slip"
    assert watch.best["seen"] == 2000


@pytest.mark.parametrize(
    ("glance", "word"),
    [(Glance(0.9, 1.0, 1.5), "drift away"), (Glance(0.25, 0.4, 1.5), "all alike")],
)
def test_divergence_and_collapse_go_back_and_say_so(glance: Glance, word: str) -> None:
    watch, acts = after(GOOD, glance)
    assert acts == ["best", "back"]
    assert word in watch.said[0]
    assert "back to 1000 examples" in watch.said[0]
    _, acts = after(GOOD, *[glance] * 5)
    assert acts.count("back") == 3, "it would go back for ever"


def test_a_noisy_start_varies_more_and_that_is_no_standard() -> None:
    _, acts = after(Glance(0.9, 1.6, 2.0), Glance(0.3, 0.55, 1.5), Glance(0.31, 0.55, 1.5))
    assert acts == ["best", "best", "best"]


def test_a_slow_collapse_is_one_too() -> None:
    slowly = [Glance(0.2, variety, 1.5) for variety in (0.8, 0.62)]
    _, acts = after(GOOD, *slowly, Glance(0.21, 0.5, 1.5))
    assert acts == ["best", "best", "best", "back"]


def test_sounds_that_do_not_vary_yet_have_not_collapsed() -> None:
    _, acts = after(Glance(0.9, 0.06, 1.5), Glance(1.0, 0.02, 1.5))
    assert acts == ["best", "best"]


def test_memorising_raises_augmentation() -> None:
    watch, acts = after(GOOD, Glance(0.1, 1.0, 0.2))
    assert acts[1] == "augment"
    assert watch.augment > 0
    assert "by heart" in watch.said[0]


def test_no_more_progress_finishes_early() -> None:
    watch, acts = after(GOOD, *[Glance(0.199 + 0.01 * (k % 2), 1.0, 1.5) for k in range(5)])
    assert "finish" in acts
    assert watch.best["seen"] == 6000, "of states as good the last"
    assert "no more progress" in watch.said[0]


def test_light_ear_tells_real_sounds_from_one_sound_for_all(dataset: Dataset, run: Path) -> None:
    instrument = load(run)
    model, config, _ = configure(dataset, "quick", None, [*TINY, "examples=80"])
    feed = Feed(dataset, model, config, run / "cache" / "again.f16", quiet=True)
    ear = LightEar(feed, instrument, 0)
    real = torch.from_numpy(feed.pictures[:].astype("float32"))
    order = [next(i for i, one in enumerate(feed.labels) if one is label) for label in ear.labels]

    class Plays:
        def __init__(self, pictures: torch.Tensor) -> None:
            self.model, self.made, self.at = model, pictures, 0

        def pictures(self, labels: list, z: torch.Tensor) -> torch.Tensor:
            self.at += len(labels)
            return self.made[self.at - len(labels) : self.at]

    copies, same, noise = ear(Plays(real[order])), ear(Plays(real[[0] * 48])), ear(Plays(torch.rand_like(real) * 2 - 1))
    assert copies.distance == pytest.approx(0, abs=0.01)
    assert copies.variety == pytest.approx(1, abs=0.01)
    assert copies.memory < 0.1
    assert same.variety < 0.01
    assert copies.distance < same.distance < noise.distance
    smeared = ear(Plays(functional.avg_pool2d(real[order], (1, 5), 1, (0, 2), count_include_pad=False)))
    assert smeared.distance > 0.1
    assert noise.memory > 1


def test_a_longer_run_is_looked_at_again() -> None:
    watch, _ = after(GOOD)
    watch.go_on(60.0, 12)
    watch.checks, watch.end, watch.stalled = 12, 50.0, 4
    watch.go_on(60.0, 12)
    assert (watch.checks, watch.end) == (12, 50.0)
    watch.go_on(120.0, 6)
    assert (watch.checks, watch.end, watch.stalled) == (6, 0.0, 0)


def test_better_sounds_that_vary_less_are_no_collapse() -> None:
    _, acts = after(Glance(0.9, 1.6, 2.0), Glance(0.3, 0.9, 1.5))
    assert acts == ["best", "best"]


@pytest.mark.slow
def test_best_state_and_instrument_are_mended_after_a_kill(dataset: Dataset, tmp_path: Path) -> None:
    model, config, _ = configure(dataset, "quick", None, [*TINY, "examples=80"])
    first = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    before = load(first.instrument).fingerprint
    for lost in ("instrument.safetensors", "checkpoint.best.safetensors"):
        (tmp_path / "run" / lost).unlink()
        again = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
        assert again.instrument.exists()
        if first.best_at == 80 or lost.startswith("instrument"):
            assert load(again.instrument).fingerprint == before


@pytest.mark.slow
def test_the_state_that_ends_a_run_early_is_kept_too(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, config, _ = configure(dataset, "quick", None, [*TINY, "examples=320", "checks=8"])
    monkeypatch.setattr(LightEar, "__call__", lambda ear, instrument: GOOD)
    outcome = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    assert not outcome.improving
    assert outcome.best_at == outcome.seen == load(tmp_path / "run").provenance["examples"]


@pytest.mark.slow
def test_one_sound_of_each_class_is_looked_at(tmp_path: Path) -> None:
    write_kit(tmp_path / "kit", 1, quiet=True)
    few = prepare(tmp_path / "kit", tmp_path / "few", PrepareOptions(sample_rate_hz=16000, seconds=0.4), quiet=True)
    model, config, _ = configure(few, "quick", None, [*TINY, "variants=1", "examples=80"])
    assert train(few, tmp_path / "run", model, config, "cpu", quiet=True).seen == 80


@pytest.mark.slow
def test_a_run_that_collapses_goes_back_and_keeps_its_best(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model, config, _ = configure(dataset, "quick", None, [*TINY, "examples=160", "checks=4"])
    glances = [GOOD, dataclasses.replace(GOOD, distance=0.25, variety=0.1), *[dataclasses.replace(GOOD, distance=0.24)] * 9]
    waiting = iter(glances)
    monkeypatch.setattr(LightEar, "__call__", lambda ear, instrument: next(waiting))
    outcome = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    said = capsys.readouterr().err
    assert "all alike" in said
    assert outcome.seen == 160
    assert outcome.best_at == 40
    assert load(tmp_path / "run").provenance["examples"] == 40
    assert (tmp_path / "run" / "checkpoint.best.safetensors").exists()
