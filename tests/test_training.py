"""Training: the same bytes when killed and resumed, a clean end, a way back from divergence, damaged checkpoints."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from bowerbird.config import ModelConfig, TrainConfig
from bowerbird.data.anchors import anchors
from bowerbird.data.augment import draw_changes
from bowerbird.data.dataset import Dataset
from bowerbird.data.feed import Feed
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.instrument import load
from bowerbird.instrument_file import read_tensors
from bowerbird.layers import minibatch_stddev
from bowerbird.presets import configure
from bowerbird.seeds import torch_random
from bowerbird.shapes import PictureTraits
from bowerbird.training import loop
from bowerbird.training.loop import train
from bowerbird.training.state import State
from bowerbird.training.step import Adversary
from tests.conftest import TINY


def settings(dataset: Dataset, *more: str) -> tuple[ModelConfig, TrainConfig]:
    return configure(dataset, "quick", None, [*TINY, *more])[:2]


def command_line(dataset: Dataset, folder: Path, *more: str) -> list[str]:
    words = ["train", str(dataset.folder), "-o", str(folder), "--preset", "quick"]
    return [sys.executable, "-m", "bowerbird", *words, *(part for pair in TINY for part in ("--set", pair)), *more]


def wait_for(path: Path, process: subprocess.Popen, text: str = "") -> None:
    for _ in range(1200):
        if path.exists() and text in path.read_text(errors="replace"):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    pytest.fail(f"{path} never held {text!r}")


def test_a_run_leaves_what_it_should(run: Path) -> None:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert lines[-1]["seen"] == 160
    steps = [line for line in lines if "watch/distance" not in line]
    assert steps[-1]["seen"] == 160
    assert {"loss/judge", "loss/generator", "speed/examples_per_s"} <= steps[-1].keys()
    assert [line["seen"] for line in lines if "watch/distance" in line] == [80, 160]
    assert list((run / "tensorboard").iterdir())
    preview = run / "previews" / "000000160"
    assert (preview / "sheet.png").exists()
    assert len(list(preview.glob("*.wav"))) == 8


@pytest.mark.slow
def test_training_moves_pictures_towards_the_data(dataset: Dataset, tmp_path: Path) -> None:
    model, config = settings(dataset, "examples=1600", "learning_rate=0.005")
    train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    feed = Feed(dataset, model, config, tmp_path / "pictures", quiet=True)
    instrument = load(tmp_path / "run")
    labels = [instrument.choose(seed=k) for k in range(64)]
    made = instrument.pictures(labels, torch.randn(64, 8, generator=torch_random(0)))
    real = torch.from_numpy(feed.pictures[:].astype("float32"))
    # Sound at the start, silence at the end, as the real ones have.
    early, late = made[..., :8].mean(), made[..., -8:].mean()
    assert early - late > 0.3 * (real[..., :8].mean() - real[..., -8:].mean())


@pytest.mark.slow
def test_killed_and_resumed_is_the_same_bytes(dataset: Dataset, tmp_path: Path) -> None:
    straight, killed = tmp_path / "straight", tmp_path / "killed"
    pairs = ("checks=6", "checkpoint_minutes=0.01", "preview_minutes=0.05")
    more = ("--examples", "2400", "--quiet", *(word for pair in pairs for word in ("--set", pair)))
    subprocess.run(command_line(dataset, straight, *more), check=True, capture_output=True)
    process = subprocess.Popen(command_line(dataset, killed, *more), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_for(killed / "metrics.jsonl", process, '"seen": 400')
    while read_tensors(killed / "checkpoint.safetensors", "checkpoint")[1]["seen"] == 0:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    at = read_tensors(killed / "checkpoint.safetensors", "checkpoint")[1]["seen"]
    assert 0 < at < 2400
    assert not any((killed / "previews" / "000002400").glob("*"))
    subprocess.run(command_line(dataset, killed, *more), check=True, capture_output=True)
    one, two = (read_tensors(folder / "instrument.safetensors") for folder in (straight, killed))
    assert one[0].keys() == two[0].keys()
    for name, tensor in one[0].items():
        assert tensor.numpy().tobytes() == two[0][name].numpy().tobytes(), name
    assert one[1]["fingerprint"] == two[1]["fingerprint"]
    states = [read_tensors(folder / "checkpoint.safetensors", "checkpoint")[0] for folder in (straight, killed)]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    lines = [json.loads(line) for line in (killed / "metrics.jsonl").read_text().splitlines()]
    for kind in ("loss/judge", "watch/distance"):
        seen = [line["seen"] for line in lines if kind in line]
        assert len(seen) > 1
        assert seen == sorted(set(seen))


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_cleanly_with_a_playable_instrument(dataset: Dataset, tmp_path: Path, number: int) -> None:
    folder = tmp_path / "run"
    words = command_line(dataset, folder, "--minutes", "10")
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_for(folder / "metrics.jsonl", process, "seen")
    os.kill(process.pid, number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 0, error
    assert "the same command goes on" in out
    assert load(folder).sample(1).shape[0] == 1
    assert read_tensors(folder / "checkpoint.safetensors", "checkpoint")[1]["seen"] > 0


def test_finished_run_is_left_whole_and_goes_on_when_asked(dataset: Dataset, tmp_path: Path) -> None:
    model, config = settings(dataset, "examples=40")
    first = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    made = first.instrument.read_bytes()
    first.instrument.unlink()  # as a kill between checkpoint and instrument would leave it
    again = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    assert again.finished
    assert again.seen == first.seen
    assert (first.new, again.new) == (40, 0)
    assert again.instrument.read_bytes() == made
    model, config = settings(dataset, "examples=80")
    assert train(dataset, tmp_path / "run", model, config, "cpu", quiet=True).seen == 80


def test_other_settings_or_data_are_refused(dataset: Dataset, tmp_path: Path, kit: Path) -> None:
    from bowerbird.data.options import PrepareOptions
    from bowerbird.data.prepare import prepare

    model, config = settings(dataset, "examples=40")
    train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    with pytest.raises(UsageError, match=r"learning_rate 0.008, now 0.5"):
        train(dataset, tmp_path / "run", *settings(dataset, "examples=80", "learning_rate=0.5"), "cpu", quiet=True)
    other = prepare(kit, tmp_path / "other", PrepareOptions(sample_rate_hz=16000, seconds=0.3), quiet=True)
    with pytest.raises(UsageError, match="another dataset"):
        train(other, tmp_path / "run", *settings(other, "examples=80"), "cpu", quiet=True)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("precious")
    with pytest.raises(UsageError, match="not a training run"):
        train(dataset, tmp_path / "thesis", model, config, "cpu", quiet=True)


SWAPS = [
    ["representation=instantaneous_frequency"],
    ["representation=complex_spectrum", "penalty=both"],
    ["representation=mel_frequency", "network=progressive", "network.widest=16"],
    ["representation=waveform", "network=wavegan", "objective=wasserstein", "penalty=interpolated"],
]


@pytest.mark.slow
@pytest.mark.parametrize("swaps", SWAPS, ids=lambda swaps: swaps[0].partition("=")[2])
def test_parts_swapped_by_name_train_and_play(dataset: Dataset, tmp_path: Path, swaps: list[str]) -> None:
    more = ["network.width=8", "network.z_dim=8", "batch_size=8", "examples=48", "penalty_every=2", "checks=2"]
    model, config, _ = configure(dataset, "quick", None, [*swaps, *more])
    outcome = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    sound = load(outcome.instrument).sample(1, label="kick", seed=1)
    assert sound.shape == (1, 1, dataset.samples)
    assert np.isfinite(sound).all()
    assert outcome.preview.exists()


@pytest.mark.slow
@pytest.mark.parametrize("preset", ["gansynth", "wavegan"])
def test_baselines_train_and_play(dataset: Dataset, tmp_path: Path, preset: str) -> None:
    model, config, _ = configure(dataset, preset, None, ["examples=32", "batch_size=8", "network.width=8"])
    outcome = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    assert outcome.seen == 32
    assert load(outcome.instrument).sample(1).shape == (1, 1, dataset.samples)


def test_a_lost_instrument_is_made_again_from_the_best_state(dataset: Dataset, tmp_path: Path) -> None:
    model, config = settings(dataset, "examples=80", "checks=2")
    first = train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    before = load(first.instrument).fingerprint
    first.instrument.unlink()
    train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    assert load(first.instrument).fingerprint == before


def test_half_a_checkpoint_falls_back_to_the_one_before(
    dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    train(dataset, folder, *settings(dataset, "examples=40"), "cpu", quiet=True)
    newest = folder / "checkpoint.safetensors"
    newest.write_bytes(newest.read_bytes()[: newest.stat().st_size // 2])
    outcome = train(dataset, folder, *settings(dataset, "examples=80"), "cpu")
    assert outcome.seen == 80
    assert "going on from the checkpoint before" in capsys.readouterr().err
    for name in ("checkpoint.safetensors", "checkpoint.previous.safetensors"):
        (folder / name).write_bytes(b"half")
    with pytest.raises(BowerbirdError, match="no earlier checkpoint"):
        train(dataset, folder, *settings(dataset, "examples=120"), "cpu", quiet=True)


def test_not_a_number_rolls_back_and_says_so(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    honest, calls = Adversary.update, []

    def poisoned(self: Adversary, *arguments: object) -> dict[str, torch.Tensor]:
        calls.append(1)
        if len(calls) == 7:
            with torch.no_grad():
                next(self.judge.parameters()).fill_(float("nan"))
        return honest(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(Adversary, "update", poisoned)
    monkeypatch.setattr(loop, "MEASURE_EVERY", 2)
    outcome = train(dataset, tmp_path / "run", *settings(dataset, "examples=160"), "cpu", quiet=True)
    assert outcome.seen == 160
    assert "half the learning rate" in capsys.readouterr().err
    tensors, header = read_tensors(tmp_path / "run" / "checkpoint.safetensors", "checkpoint")
    assert header["rollbacks"] == 1
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


@pytest.mark.slow
def test_a_full_disk_keeps_the_checkpoint(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    train(dataset, folder, *settings(dataset, "examples=40"), "cpu", quiet=True)
    before = (folder / "checkpoint.safetensors").read_bytes()
    limit = len(before) // 2
    words = command_line(dataset, folder, "--examples", "80", "--quiet")
    small = subprocess.run(
        words, capture_output=True, text=True, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    )
    assert small.returncode == 1
    assert "free some space" in small.stderr
    assert "Traceback" not in small.stderr
    assert (folder / "checkpoint.safetensors").read_bytes() == before
    assert train(dataset, folder, *settings(dataset, "examples=80"), "cpu", quiet=True).seen == 80


@pytest.mark.slow
def test_a_second_training_in_the_same_folder_is_refused(dataset: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    words = command_line(dataset, folder, "--minutes", "10", "--quiet")
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        wait_for(folder / "metrics.jsonl", process, "seen")
        with pytest.raises(UsageError, match="another training is running"):
            train(dataset, folder, *settings(dataset, "minutes=10"), "cpu", quiet=True)
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("channels", [1, 2])
def test_stereo_and_unlabelled_sounds_train_and_play(kit: Path, tmp_path: Path, channels: int) -> None:
    from bowerbird.data.options import PrepareOptions
    from bowerbird.data.prepare import prepare

    options = PrepareOptions(sample_rate_hz=8000, seconds=0.2, channels=channels, labels="none")
    plain = prepare(kit, tmp_path / "plain", options, quiet=True)
    train(plain, tmp_path / "run", *settings(plain, "examples=16"), "cpu", quiet=True)
    instrument = load(tmp_path / "run")
    assert instrument.sample(2).shape == (2, channels, 1600)
    with pytest.raises(UsageError, match="without labels"):
        instrument.sample(1, label="kick")


def test_variety_is_measured_within_real_and_within_generated() -> None:
    varied, same = torch.randn(8, 4, 2, 2), torch.ones(8, 4, 2, 2)
    plane = minibatch_stddev(torch.cat([varied, same]))[:, 4].mean((1, 2))
    assert (plane[:8] > 0.5).all()
    assert (plane[8:] < 1e-3).all()


def test_endless_divergence_stops_with_the_good_instrument(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hopeless(self: Adversary, *arguments: object) -> dict[str, torch.Tensor]:
        return {"loss/judge": torch.tensor(float("inf"))}

    monkeypatch.setattr(Adversary, "update", hopeless)
    monkeypatch.setattr(loop, "MEASURE_EVERY", 1)
    with pytest.raises(BowerbirdError, match="diverged 6 times"):
        train(dataset, tmp_path / "run", *settings(dataset, "examples=160"), "cpu", quiet=True)
    assert load(tmp_path / "run").sample(1).shape[0] == 1


def test_rate_warms_up_holds_and_falls(dataset: Dataset, tmp_path: Path) -> None:
    runner = loop._Run(dataset, tmp_path / "run", *settings(dataset, "examples=8000"), torch.device("cpu"), True)
    rates = []
    for seen in (0, 4000, 7999):
        runner.state.seen = seen
        rates.append(runner._rate())
    runner.log.close()
    assert rates[0] < 0.05 * rates[1]
    assert rates[2] == pytest.approx(loop.LAST_RATE * rates[1])


def test_feed_balances_and_depends_on_seed_and_seen_alone(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = Feed(dataset, *settings(dataset), tmp_path / "pictures", quiet=True)
    assert feed.draw(16, 1, 160, "real").tolist() == feed.draw(16, 1, 160, "real").tolist()
    assert feed.draw(16, 1, 160, "real").tolist() != feed.draw(16, 1, 176, "real").tolist()
    rare = feed.classes[0]
    first = feed.tops.index(rare)
    kept = [index for i, index in enumerate(feed.indices) if feed.tops[i] != rare or i == first]
    common = (len(kept) - 1) / (len(feed.classes) - 1)  # sounds in a class beside the rare one's single one
    monkeypatch.setattr(dataset, "part", lambda name: kept)
    for balance in (0.0, 0.5, 1.0):
        feed = Feed(dataset, *settings(dataset, f"balance={balance}"), tmp_path / str(balance), quiet=True)
        drawn = [feed.tops[i] for i in feed.draw(4000, 0, 0, "real")]
        share = drawn.count(rare) / (len(drawn) - drawn.count(rare)) * (len(feed.classes) - 1)
        assert share == pytest.approx(common ** (balance - 1), rel=0.35)


def test_nothing_is_drawn_far_over_what_the_data_has_there(dataset: Dataset, run: Path, tmp_path: Path) -> None:
    model, config = settings(dataset)
    feed = Feed(dataset, model, config, tmp_path / "pictures", quiet=True)
    traits, pictures = model.representation.traits, torch.from_numpy(feed.pictures[:].astype("float32"))
    ceiling = feed.ceiling(traits)
    assert (ceiling >= pictures.amax(0)).all()
    assert ceiling.min() < -0.5  # somewhere all of them are silent
    headroom_db = (ceiling - functional.max_pool2d(pictures.amax(0), 5, 1, 2)) * traits.db_per_unit
    assert headroom_db.max() < 10.1
    generator = load(run).generator
    torch.nn.init.constant_(generator.get_parameter("draw.bias"), 9.0)  # weights that would have it loud everywhere
    with torch.inference_mode():
        drawn = generator(torch.randn(4, 8), generator.code(torch.zeros(4, model.condition_width)))
    kept = read_tensors(run / "instrument.safetensors")[0]["ceiling"]
    assert torch.equal(kept, ceiling)
    assert (drawn <= kept).all()
    assert (drawn == kept).float().mean() > 0.5


@pytest.mark.slow
def test_the_judge_learns_which_label_a_real_sound_has(dataset: Dataset, tmp_path: Path) -> None:
    def margin(weight: float) -> float:
        """By how much real sounds score better under their own labels than under others, after some steps."""
        chosen = settings(dataset, "examples=8000", f"mismatch_weight={weight}")
        runner = loop._Run(dataset, tmp_path / str(weight), *chosen, torch.device("cpu"), True)
        runner.log.close()
        feed, adversary = runner.feed, runner.state.adversary
        adversary.generator_optimiser.param_groups[0]["lr"] = 0.0
        for seen in range(0, 960, 8):
            chosen_sounds = feed.draw(8, 0, seen, "anchored")
            adversary.update(*feed.real(chosen_sounds, 0, seen), feed.anchors[chosen_sounds], seen, False)
        real, condition, _ = feed.real(torch.arange(len(feed.indices)), 0, 0)
        wrong = condition.roll(3, 0)
        with torch.no_grad():
            right, other = adversary.judge(real, torch.cat([condition, wrong]))[0].chunk(2)
            assert torch.allclose(other, adversary.judge(real, wrong)[0], atol=1e-4)
        return (right - other)[(wrong != condition).any(1)].mean().item()

    told, untold = margin(0.5), margin(0.0)
    assert told > 1.0
    assert told > 2 * untold


def test_each_network_learns_from_its_own_loss_alone(dataset: Dataset, tmp_path: Path) -> None:
    """They share their passes, so what one is asked must not reach the other."""

    def after_a_step(name: str, *extra: str) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        runner = loop._Run(dataset, tmp_path / name, *settings(dataset, *extra), torch.device("cpu"), True)
        runner._step()
        runner.log.close()
        adversary = runner.state.adversary
        return tuple([p.grad for p in network.parameters()] for network in (adversary.generator, adversary.judge))

    def alike(some: list[torch.Tensor], others: list[torch.Tensor]) -> bool:
        return all(torch.allclose(a, b, rtol=1e-4, atol=1e-7) for a, b in zip(some, others, strict=True))

    generator, judge = after_a_step("plain")
    led, same_judge = after_a_step("led", "anchor_weight=100", "feature_weight=0")
    same_generator, told = after_a_step("told", "mismatch_weight=5", "penalty_weight=3")
    assert alike(judge, same_judge)
    assert not alike(generator, led)
    assert alike(generator, same_generator)
    assert not alike(judge, told)


def test_anchors_are_normal_whatever_the_label_and_differ_within_it() -> None:
    random = np.random.default_rng(0)
    encoded = torch.eye(4)[np.repeat(range(4), 100)]
    strength = random.standard_normal((400, 1, 1, 1)) * np.repeat([0.1, 0.2, 0.2, 0.4], 100)[:, None, None, None]
    means = np.repeat(random.standard_normal((4, 1, 16, 16)), 100, 0)
    pictures = (means + strength * random.standard_normal((1, 1, 16, 16))).astype(np.float16)
    found = anchors(pictures, encoded, 3).numpy()
    assert found.shape == (400, 3)
    for label in range(4):
        first = found[100 * label : 100 * (label + 1), 0]
        assert abs(first.mean()) < 0.3
        assert 0.6 < first.std() < 1.4
        # The one thing that varies within a label is what the first latent number says.
        assert abs(np.corrcoef(first, strength[100 * label : 100 * (label + 1), 0, 0, 0])[0, 1]) > 0.95
    assert anchors(pictures[:1], encoded[:1], 3).shape == (1, 0)
    assert anchors(np.zeros((5, 1, 16, 16), np.float16), torch.zeros(5, 0), 16).shape == (5, 0)


@pytest.mark.slow
def test_anchored_sounds_come_near_in_what_the_judge_sees(dataset: Dataset, tmp_path: Path) -> None:
    def missed(weight: float) -> float:
        """What a judge that stands still sees between anchored sounds and their own, after some steps."""
        chosen = settings(dataset, "examples=8000", f"feature_weight={weight}", "anchor_weight=0", "augment=0")
        runner = loop._Run(dataset, tmp_path / str(weight), *chosen, torch.device("cpu"), True)
        runner.log.close()
        feed, adversary = runner.feed, runner.state.adversary
        adversary.judge_optimiser.param_groups[0]["lr"] = 0.0
        for seen in range(0, 480, 8):
            chosen_sounds = feed.draw(8, 0, seen, "anchored")
            adversary.update(*feed.real(chosen_sounds, 0, seen), feed.anchors[chosen_sounds], seen, False)
        everything = torch.arange(len(feed.indices))
        return adversary.update(*feed.real(everything, 0, 0), feed.anchors, 0, False)["loss/feature"].item()

    assert missed(8.0) < 0.8 * missed(0.0)


@pytest.mark.slow
def test_the_latent_says_which_sound_of_its_label(dataset: Dataset, tmp_path: Path) -> None:
    model, config = settings(dataset, "examples=4800", "learning_rate=0.005")
    train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    feed = Feed(dataset, model, config, tmp_path / "pictures", quiet=True)
    instrument, real = load(tmp_path / "run"), torch.from_numpy(feed.pictures[:].astype("float32"))
    z = torch.zeros(len(real), model.network.z_dim)
    z[:, : feed.anchors.shape[1]] = feed.anchors
    made = instrument.pictures(feed.labels, z)
    missed = (made[:, None] - real[None]).abs().mean((2, 3, 4))
    same = torch.tensor([[a == b for b in feed.tops] for a in feed.tops]) & ~torch.eye(len(real), dtype=torch.bool)
    others = torch.where(same, missed, torch.nan).nanmean(1)
    assert (missed.diagonal() < others).float().mean() > 0.8


def test_augmentation_shifts_and_leaves_silence_silent() -> None:
    picture = torch.full((64, 1, 32, 48), -1.0)
    traits = PictureTraits((-1.0,), 1, 45.0, 8, 3)
    changes = draw_changes(64, 1.0, traits, torch_random(0))
    assert torch.equal(changes(picture), picture)
    picture[:, :, 16, 24] = 0.5
    moved = changes(picture)
    for index in range(64):
        row, frame = 16 + changes.rows[index], 24 + changes.frames[index]
        assert moved[index, 0, row, frame] == pytest.approx(0.5 + changes.gain_db[index].item() / 45)
    assert len(set(changes.frames)) > 8
    assert torch.equal(draw_changes(64, 0.0, traits, torch_random(0))(picture), picture)


def test_augmentation_of_samples_multiplies_and_moves() -> None:
    wave = torch.zeros(32, 1, 1, 1024)
    wave[..., 512] = 0.5
    changes = draw_changes(32, 1.0, PictureTraits((0.0,), 0, 1.0, 100, 0), torch_random(0))
    moved = changes(wave)[:, 0, 0]
    assert (moved.argmax(1) == 512 + torch.tensor(changes.frames)).all()
    assert torch.allclose(moved.amax(1), 0.5 * 10 ** (changes.gain_db / 20))


def test_average_starts_short_and_grows_long(dataset: Dataset, tmp_path: Path) -> None:
    runner = loop._Run(dataset, tmp_path / "run", *settings(dataset, "examples=8000"), torch.device("cpu"), True)
    state: State = runner.state
    runner.log.close()
    weight, averaged = (next(iter(net.parameters())) for net in (state.adversary.generator, state.averaged))
    with torch.no_grad():
        averaged.zero_()
        weight.fill_(1.0)
    state.seen = 10**6
    state.average(100, 100.0)
    assert averaged.mean().item() == pytest.approx(0.5)
