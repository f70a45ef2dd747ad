"""Altered copies: what is asked to change changes, within its bounds, and nothing else does."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from bowerbird.data.dataset import Dataset
from bowerbird.data.feed import Feed
from bowerbird.data.options import PrepareOptions
from bowerbird.data.prepare import prepare
from bowerbird.data.vary import Variation, drawn, vary
from bowerbird.presets import configure
from bowerbird.tracker import hear_pitch
from tests.conftest import TINY

RATE_HZ, SAMPLES = 16000, 12000
NOTE = 57.0


def note(midi: float = NOTE) -> np.ndarray:
    """A decaying note with four partials, (1, T)."""
    t = np.arange(SAMPLES) / RATE_HZ
    hz = 440 * 2 ** ((midi - 69) / 12)
    partials = sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, 5))
    return (0.2 * partials * np.exp(-2 * t)).astype(np.float32)[None]


def altered(most: Variation, seeds: int = 6) -> list[np.ndarray]:
    return [vary(note(), RATE_HZ, drawn(most, np.random.default_rng(seed))) for seed in range(seeds)]


def heard(sound: np.ndarray) -> float:
    return float(hear_pitch(sound[None], RATE_HZ).midi[0])


def test_pitch_moves_within_its_bound_and_length_stays() -> None:
    moved = altered(Variation(3.0, 0.0, 0.0, 0.0))
    changes = [heard(sound) - NOTE for sound in moved]
    assert max(map(abs, changes)) <= 3.1
    assert np.std(changes) > 0.5
    assert all(abs(sound.shape[1] - SAMPLES) < 0.01 * SAMPLES for sound in moved)


def test_length_changes_and_pitch_stays() -> None:
    moved = altered(Variation(0.0, 0.3, 0.0, 0.0))
    lengths = [sound.shape[1] / SAMPLES for sound in moved]
    assert all(0.69 < length < 1.31 for length in lengths)
    assert np.std(lengths) > 0.05
    assert all(heard(sound) == pytest.approx(NOTE, abs=0.2) for sound in moved)


def test_gain_alone_is_a_factor() -> None:
    sounds = altered(Variation(0.0, 0.0, 6.0, 0.0))
    gains_db = [20 * np.log10(np.abs(sound).max() / np.abs(note()).max()) for sound in sounds]
    assert all(-6.01 < gain_db < 0.01 for gain_db in gains_db), "louder than the sound itself"
    assert np.std(gains_db) > 0.5
    for sound, gain_db in zip(sounds, gains_db, strict=True):
        assert np.allclose(sound, note() * 10 ** (gain_db / 20), atol=1e-5)


def test_equaliser_changes_bands_within_its_bound() -> None:
    noise = np.random.default_rng(9).standard_normal((1, SAMPLES)).astype(np.float32)
    for seed in range(4):
        moved = vary(noise, RATE_HZ, drawn(Variation(0.0, 0.0, 0.0, 6.0), np.random.default_rng(seed)))
        after, before = (np.array_split(np.abs(np.fft.rfft(sound[0])) ** 2, 20) for sound in (moved, noise))
        bands_db = [10 * np.log10(a.sum() / b.sum()) for a, b in zip(after, before, strict=True)]
        assert max(map(abs, bands_db)) < 6.5
        assert np.ptp(bands_db) > 0.5


def test_few_sounds_are_altered_by_default_and_it_is_said(dataset: Dataset) -> None:
    choice = configure(dataset, "quick", None, [])
    assert choice.train.variants == 4
    assert "48 sounds" in " ".join(choice.why)
    assert configure(dataset, "quick", None, ["variants=0"]).train.variants == 0


def test_variants_are_learnt_beside_the_sounds(dataset: Dataset, tmp_path: Path) -> None:
    model, config, _ = configure(dataset, "quick", None, [*TINY, "variants=2"])
    feed = Feed(dataset, model, config, tmp_path / "pictures", quiet=True)
    sounds = len(dataset)
    assert len(feed.pictures) == len(feed.labels) == len(feed.anchors) == 3 * sounds
    assert feed.labels[0] == feed.labels[sounds] == feed.labels[2 * sounds]
    apart = np.abs(feed.pictures[:sounds].astype(float) - feed.pictures[sounds : 2 * sounds]).mean((1, 2, 3))
    assert (apart > 0).all()
    others = np.abs(feed.pictures[:sounds].astype(float) - np.roll(feed.pictures[:sounds], 7, 0)).mean((1, 2, 3))
    assert np.median(apart) < np.median(others)


def test_sounds_of_known_pitch_are_learnt_at_pitches_between(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "48.wav", note(48)[0], RATE_HZ)
    soundfile.write(tmp_path / "52.wav", note(52)[0], RATE_HZ)
    dataset = prepare(tmp_path, tmp_path / "d", PrepareOptions(labels="filename", pattern="{pitch}"), quiet=True)
    model, config, _ = configure(dataset, "quick", None, [one for one in TINY if "variants" not in one])
    assert (config.variants > 0, config.vary_semitones) == (True, 2.0), "half the widest gap"
    assert model.condition_width == 9, "each half semitone has its knot"
    plain = configure(dataset, "quick", None, [*(one for one in TINY if "variants" not in one), "variants=0"])[0]
    assert plain.condition_width == 2, "but where no copies are learnt"
    feed = Feed(dataset, model, config, tmp_path / "pictures", quiet=True)
    told = [float(labels["pitch"]) for labels in feed.labels]
    assert told[:2] == [48, 52]
    assert all(48 <= pitch <= 52 for pitch in told)
    assert any(abs(pitch - round(pitch)) > 0.05 for pitch in told)
    form = model.representation
    for picture, pitch in zip(feed.pictures, told, strict=True):
        sound = form.decode(torch.from_numpy(picture.astype(np.float32))[None])[0].numpy()
        assert heard(sound) == pytest.approx(pitch, abs=0.3)
