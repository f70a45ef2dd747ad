"""The ear: known faults given to real sounds are called by their names, and scores order them sensibly."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from bowerbird.data.dataset import Dataset
from bowerbird.data.kit import CLASSES, RATE_HZ
from bowerbird.evaluation.faults import FAULTS, checkerboard_db
from bowerbird.evaluation.fidelity import frechet, kad, manifold
from bowerbird.evaluation.heard import Heard, hear, hear_real
from bowerbird.evaluation.listener import Listener
from bowerbird.evaluation.measure import compare
from bowerbird.evaluation.obedience import obedience
from bowerbird.evaluation.pretrained import Pretrained
from bowerbird.evaluation.variety import share_repeated, variety_of_one
from bowerbird.evaluation.verdict import verdicts
from bowerbird.seeds import numpy_random
from tests.conftest import command

SAMPLES = RATE_HZ // 2
PER_CLASS = 24


def half(seed: int, per_class: int = PER_CLASS) -> Heard:
    """Kit sounds of four classes, (B, 1, T)."""
    names = np.repeat(["kick", "snare", "closed_hat", "tom"], per_class)
    sounds = np.zeros((len(names), 1, SAMPLES), np.float32)
    for row, name in enumerate(names):
        sound = CLASSES[name](np.random.default_rng(seed * 1000 + row))[:SAMPLES]
        sounds[row, 0, : len(sound)] = 0.7 * sound / np.abs(sound).max()
    sounds[..., -800:] *= np.linspace(1, 0, 800, dtype=np.float32)
    return Heard(sounds, names, np.arange(len(names)))


@pytest.fixture(scope="module")
def real() -> Heard:
    return half(1)


@pytest.fixture(scope="module")
def other() -> Heard:
    return half(2)


def complaints(real: Heard, made: Heard) -> str:
    found = compare(real, made, RATE_HZ)
    return " ".join(verdict.sentence for verdict in verdicts(found.figures, found.per_class) if not verdict.good)


def test_another_half_is_good(real: Heard, other: Heard) -> None:
    found = compare(real, other, RATE_HZ)
    assert found.figures["fidelity/kad_way_to_noise"] < 0.02
    assert found.figures["label/accuracy_ratio"] > 0.9
    assert 0.8 < found.figures["variety/ratio"] < 1.2
    assert complaints(half(1, 50), half(2, 50)) == ""


def test_noise_is_ordered(real: Heard, other: Heard) -> None:
    random = np.random.default_rng(0)
    noise = random.standard_normal(other.sounds.shape).astype(np.float32)
    listener = Listener.fit(real.sounds, RATE_HZ)
    heard = [listener(other.sounds + gain * noise) for gain in (0.0, 0.003, 0.03, 0.3)]
    for measure in (lambda a, b: kad(a, b, draws=0)[0], frechet):
        values = [measure(listener(real.sounds), made) for made in heard]
        assert values == sorted(values)


def test_kad_of_one_source_is_around_zero() -> None:
    random = np.random.default_rng(0)
    value, low, high = kad(random.standard_normal((200, 8)), random.standard_normal((200, 8)))
    assert low < 0 < high
    assert abs(value) < 1
    assert kad(random.standard_normal((200, 8)), random.standard_normal((200, 8)) + 1)[1] > 1


def test_frechet_is_that_of_gaussians() -> None:
    random = np.random.default_rng(0)
    a, b = random.standard_normal((20000, 2)), 2 * random.standard_normal((20000, 2)) + np.array([3.0, 0.0])
    assert frechet(a, b) == pytest.approx(9 + 2 * (1 - 2) ** 2, rel=0.03)  # |m|^2 + sum (s1 - s2)^2


def test_coverage_sees_missing_modes() -> None:
    random = np.random.default_rng(0)
    two = random.standard_normal((200, 2)) + np.repeat([[0, 0], [50, 50]], 100, 0)
    found = manifold(two, two[:100] + 0.01)
    assert found["precision"] == 1
    assert found["coverage"] == pytest.approx(0.5, abs=0.02)


def test_collapse_swapping_and_copying_are_called_by_name(real: Heard, other: Heard) -> None:
    first = {name: np.flatnonzero(other.names == name)[0] for name in set(other.names)}
    collapsed = dataclasses.replace(other, sounds=other.sounds[[first[name] for name in other.names]])
    assert "too much alike" in complaints(real, collapsed)
    assert "twin" in complaints(real, collapsed)
    turned = np.roll(np.unique(other.names), 1)
    swapped = dataclasses.replace(other, names=turned[np.unique(other.names, return_inverse=True)[1]])
    assert "confuses" in complaints(real, swapped)
    copied = complaints(real, dataclasses.replace(real, sounds=0.9 * real.sounds))
    assert "nearly copies" in copied
    assert "repeats of training sounds" in copied


def test_noise_and_labels_that_mean_nothing_are_no_good_news(real: Heard) -> None:
    random = np.random.default_rng(0)
    noise = dataclasses.replace(real, sounds=random.uniform(-1, 1, real.sounds.shape).astype(np.float32))
    assert "unlike any of them" in complaints(real, noise)
    mixed = [dataclasses.replace(heard, names=random.permutation(heard.names)) for heard in (real, real)]
    assert "hardly be told apart even in the real sounds" in complaints(*mixed)


def test_what_the_latent_decides_is_told_from_what_labels_do() -> None:
    random = np.random.default_rng(0)
    groups = np.repeat(np.arange(100), 4)
    by_label, by_latent = (random.standard_normal((count, 6)) for count in (100, 400))
    assert share_repeated(by_label[groups], groups, by_label) < 0.01
    assert share_repeated(by_latent, groups, by_latent) == pytest.approx(1, abs=0.1)
    half = by_label[groups] + by_latent
    assert share_repeated(half, groups, half) == pytest.approx(0.5, abs=0.1)
    assert np.isnan(share_repeated(by_label, np.arange(100), by_label))


def test_sounds_of_one_question_differ_as_far_as_their_class_does() -> None:
    random = np.random.default_rng(0)
    names = np.repeat(["kick", "snare"], 40)
    real = random.normal(size=(80, 8)) * np.repeat([1.0, 3.0], 40)[:, None]
    same, half = np.repeat(real[::8], 8, 0), 0.5 * real
    assert variety_of_one(real, names, real, names, 8) == pytest.approx(1, abs=0.05)
    assert variety_of_one(real, names, half, names, 8) == pytest.approx(0.5, abs=0.03)
    assert variety_of_one(real, names, same, names, 8) == pytest.approx(0, abs=1e-6)
    assert np.isnan(variety_of_one(real, np.arange(80).astype(str), real, names, 8))


def test_copies_are_looked_for_among_all_training_sounds(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bowerbird.evaluation.heard.MOST", 24)
    real = hear_real(dataset, "train")
    assert len(real.sounds) == 24
    indices = dataset.part("train")
    unheard = [index for index in indices if not (real.sounds == dataset.padded([index])).all((1, 2)).any()]
    made = dataclasses.replace(hear(dataset, unheard), groups=np.arange(len(unheard)))
    found = compare(real, made, dataset.sample_rate_hz, dataset=dataset, hop=64)
    assert found.figures["memory/near_copies"] == 1
    assert np.array_equal(found.copied_from.sounds, found.made.sounds[found.copied])
    assert found.figures["memory/sounds"] == 24


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["no labels", "one class", "one sound a class", "all the same", "stereo", "silent"])
def test_odd_sets_are_judged_without_a_stumble(kind: str, real: Heard, other: Heard) -> None:
    count = 12
    names = {"one class": ["kick"] * count, "one sound a class": [f"class {k}" for k in range(count)]}
    change = {
        "all the same": lambda sounds: sounds[[0] * count],
        "stereo": lambda sounds: np.concatenate([sounds, 0.5 * sounds[::-1]], 1),
        "silent": lambda sounds: 0 * sounds,
    }.get(kind, lambda sounds: sounds)
    labels = np.array(names.get(kind, ["all sounds"] * count))
    heard = [Heard(change(one.sounds[:count]), labels, np.arange(count)) for one in (real, other)]
    found = compare(*heard, RATE_HZ, again=dataclasses.replace(heard[1]))
    json.dumps(found.figures, allow_nan=False)
    sentences = [verdict.sentence for verdict in verdicts(found.figures, found.per_class)]
    assert len(sentences) >= 4
    said = "variety within a class cannot be told" in " ".join(sentences)
    assert said == (kind in ("one sound a class", "all the same", "silent"))


def test_few_sounds_make_the_verdict_careful(real: Heard, other: Heard) -> None:
    few = [dataclasses.replace(h, sounds=h.sounds[::2], names=h.names[::2], groups=h.groups[::2]) for h in (real, other)]
    assert "Only 48 real sounds" in complaints(*few)


def test_pitch_and_other_labels_are_measured_where_there_are_any() -> None:
    t = np.arange(RATE_HZ // 2) / RATE_HZ
    pitches, families = np.tile(np.arange(48, 72, 2), 6), np.repeat(["pure", "rich"], 36)
    labels = [{"family": str(f), "pitch": str(p)} for f, p in zip(families, pitches, strict=True)]

    def notes(off: float, seed: int) -> Heard:
        random = np.random.default_rng(seed)
        sounds = []
        for one in labels:
            hz = 440 * 2 ** ((float(one["pitch"]) + off - 69) / 12)
            highest = 8 if one["family"] == "rich" else 2
            partials = sum(random.uniform(0.5, 1) * np.sin(2 * np.pi * k * hz * t) / k for k in range(1, highest))
            sounds.append(0.3 * partials * np.exp(-3 * t))
        return Heard(np.array(sounds, np.float32)[:, None], families, np.arange(len(labels)), labels)

    good, flat = (compare(notes(0, 1), notes(off, 2), RATE_HZ) for off in (0.0, -1.0))
    assert good.figures["pitch/within_50_cents"] > 0.95
    assert flat.figures["pitch/within_50_cents"] < 0.05
    assert good.figures["label/pitch_accuracy_generated"] > flat.figures["label/pitch_accuracy_generated"]
    assert good.figures["label/pitch_entropy"] == pytest.approx(np.log(12), abs=0.3)
    assert "pitch asked for" in " ".join(v.sentence for v in verdicts(flat.figures, flat.per_class) if not v.good)
    assert "pitch asked for" not in " ".join(v.sentence for v in verdicts(good.figures, good.per_class) if not v.good)


def spoil(name: str, sounds: np.ndarray) -> np.ndarray:
    spoilt = sounds.copy()
    if name == "silent":
        return 0 * spoilt
    if name == "clipped":
        return np.clip(4 * spoilt, -1, 1)
    if name == "direct current":
        return spoilt + 0.1
    if name == "click":
        spoilt[..., SAMPLES * 3 // 4] += 0.5
        return spoilt
    if name == "cut off":
        return np.ascontiguousarray(spoilt[..., ::-1])
    assert name == "late"
    return np.concatenate([np.zeros_like(spoilt)[..., : SAMPLES // 2], spoilt[..., : SAMPLES // 2]], 2)


@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_is_heard_and_not_imagined(name: str, real: Heard) -> None:
    assert FAULTS[name](real.sounds, RATE_HZ).mean() < 0.05
    assert FAULTS[name](spoil(name, real.sounds), RATE_HZ).mean() > 0.9
    assert name in complaints(real, dataclasses.replace(real, sounds=spoil(name, real.sounds).astype(np.float32)))


def test_noise_and_lost_treble_and_bass_are_called_by_name(real: Heard, other: Heard) -> None:
    random = np.random.default_rng(0)
    level = np.sqrt(np.square(other.sounds).mean((1, 2), keepdims=True))
    noisy = other.sounds + 0.1 * level * random.standard_normal(other.sounds.shape)
    assert "Noise lies under the sounds" in complaints(real, dataclasses.replace(other, sounds=noisy.astype(np.float32)))
    for kind, corner_hz, word in (("low", 5000, "dull"), ("high", 400, "thin")):
        passed = sosfilt(butter(6, corner_hz, kind, fs=RATE_HZ, output="sos"), other.sounds, axis=2)
        assert word in complaints(real, dataclasses.replace(other, sounds=passed.astype(np.float32)))


def test_blots_are_called_by_name(real: Heard, other: Heard) -> None:
    assert "blot" not in complaints(real, other)
    whistle = np.hanning(2000) * np.sin(np.arange(2000) * 0.9 * np.pi)
    spoilt = other.sounds.copy()
    spoilt[::5, :, -3000:-1000] += 0.02 * whistle.astype(np.float32)
    assert "21% of the sounds have a blot" in complaints(real, dataclasses.replace(other, sounds=spoilt))


def test_a_beat_at_the_grid_is_heard(real: Heard) -> None:
    beat = 1 + 0.6 * np.cos(2 * np.pi * np.arange(SAMPLES) / 1024, dtype=np.float32)
    plain, beating = checkerboard_db(real.sounds, 256), checkerboard_db(real.sounds * beat, 256)
    assert np.median(beating) > np.median(plain) + 3


@pytest.mark.slow
def test_evaluate_writes_figures_and_a_page(run: Path, dataset, tmp_path: Path) -> None:
    result = command("evaluate", run, dataset.folder, "-o", tmp_path / "report", "--json")
    assert result.returncode == 0, result.stderr
    figures = json.loads(result.stdout)["figures"]
    assert figures == json.loads((tmp_path / "report" / "evaluation.json").read_text())["figures"]
    page = (tmp_path / "report" / "evaluation.html").read_text()
    assert page.count("<audio") > 20
    assert "http://" not in page
    assert "https://" not in page


def test_a_pretrained_embedding_names_its_extra_or_its_folder(run: Path, dataset, tmp_path: Path) -> None:
    result = command("evaluate", run, dataset.folder, "-o", tmp_path / "report", "--embedding", tmp_path / "none")
    assert result.returncode in (1, 2)
    assert 'pip install "bowerbird[clap]"' in result.stderr or f"no CLAP model at {tmp_path / 'none'}" in result.stderr


def test_a_pretrained_embedding_from_a_folder(real: Heard, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason="the extra bowerbird[clap] is not installed")
    sizes = {"patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [2, 2], "hidden_size": 16}
    config = transformers.ClapAudioConfig(**sizes, projection_dim=12)
    transformers.ClapAudioModelWithProjection(config).save_pretrained(tmp_path / "clap")
    transformers.ClapFeatureExtractor(truncation="rand_trunc").save_pretrained(tmp_path / "clap")
    embedded = Pretrained(str(tmp_path / "clap"), RATE_HZ)(real.sounds[:5])
    assert embedded.shape == (5, 12)
    assert np.isfinite(embedded).all()


def test_numbers_and_tags_beside_the_main_label_are_heard() -> None:
    random = numpy_random(0, "obedience")
    values = random.uniform(0, 1, 200)
    labels = [{"class": "a", "wear": f"{v:.3f}", "tags": "bright" if v > 0.5 else "none"} for v in values]
    labels[0] = {"class": "a", "wear": "", "tags": ""}
    a = np.stack([values, random.standard_normal(200)], 1)
    sounds = np.zeros((200, 1, 8), np.float32)
    real = Heard(sounds, np.full(200, "a"), np.arange(200), labels)
    shuffled = Heard(sounds, real.names, real.groups, [labels[k] for k in random.permutation(200)])
    for made, obeys in ((real, True), (shuffled, False)):
        figures = obedience("wear", "number", real, a, made, a, 8000) | obedience("tags", "tags", real, a, made, a, 8000)
        assert figures["label/wear_rank_real"] > 0.95
        assert figures["label/tags_accuracy_real"] > 0.9
        assert (figures["label/wear_rank_generated"] > 0.95) == obeys
        assert (figures["label/tags_accuracy_generated"] > 0.9) == obeys
