"""The command line as scripts see it: exit codes, one sentence on stderr, JSON."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bowerbird.audio import write
from bowerbird.data.dataset import Dataset
from bowerbird.data.options import PrepareOptions
from bowerbird.data.prepare import prepare
from tests.conftest import TINY, command, here


def test_make_show_and_json(run: Path, tmp_path: Path) -> None:
    done = command("make", run, "kick", "-n", 2, "--seed", 3, "-o", tmp_path, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert [Path(file).name for file in made["files"]] == ["kick_00003.wav", "kick_00004.wav"]
    same = here("make", run, "--label", "class=kick", "-n", 1, "--seed", 4, "-o", tmp_path / "b", "--json", "--quiet")
    assert Path(json.loads(same.stdout)["files"][0]).read_bytes() == Path(made["files"][1]).read_bytes()
    for path, word in ((run, "an instrument that makes mono sounds"), (run / "instrument.safetensors", "licences")):
        shown = here("show", path)
        assert shown.returncode == 0
        assert word in shown.stdout


def test_make_does_not_touch_files_of_others(run: Path, tmp_path: Path) -> None:
    mine = tmp_path / "sounds" / "kick_00000.wav"
    mine.parent.mkdir()
    mine.write_bytes(b"mine")
    done = here("make", run, "kick", "-n", 1, "-o", mine.parent)
    assert done.returncode == 2
    assert "choose another folder" in done.stderr
    assert mine.read_bytes() == b"mine"
    for _ in range(2):  # what make made it may make again
        assert here("make", run, "kick", "-n", 1, "-o", tmp_path / "ours").returncode == 0
    mine = mine.rename(tmp_path / "ours" / "snare_00000.wav")
    assert here("make", run, "snare", "-n", 1, "-o", mine.parent).returncode == 2
    assert mine.read_bytes() == b"mine"


def test_show_refuses_a_damaged_dataset(dataset: Dataset, tmp_path: Path) -> None:
    copy = shutil.copytree(dataset.folder, tmp_path / "copy")
    (copy / "shard-000.f32").unlink()
    shown = here("show", copy)
    assert shown.returncode == 1
    assert "prepare the dataset again" in shown.stderr
    (copy / "dataset.json").write_text('{"format": 1}')
    shown = here("show", copy)
    assert shown.returncode == 1
    assert "prepare it again" in shown.stderr


def test_show_dataset(dataset: Dataset) -> None:
    shown = here("show", dataset.folder)
    assert "48 sounds" in shown.stdout
    assert json.loads(here("show", dataset.folder, "--json").stdout)["fingerprint"] == dataset.fingerprint


def test_dry_run_prints_the_configuration_and_writes_nothing(dataset: Dataset, tmp_path: Path) -> None:
    done = here("train", dataset.folder, "-o", tmp_path / "run", "--examples", 8, "--dry-run", "--set", "batch_size=8")
    printed = json.loads(done.stdout)
    assert printed["train"]["batch_size"] == 8
    assert printed["train"]["examples"] == 8
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["train", "DATASET", "-o", "OUT", "--set", "bach_size=8"], 2, "batch_size"),
        (["train", "DATASET", "-o", "OUT", "--device", "toaster"], 2, "known: auto, cpu, cuda"),
        (["train", "DATASET", "-o", "OUT", "--minutes", "1", "--examples", "8"], 2, "not both"),
        (["train", "NOWHERE", "-o", "OUT"], 2, "no folder"),
        (["train", "EMPTY", "-o", "OUT", "--preset", "stnadard"], 2, "quick, standard"),
        (["train", "EMPTY", "-o", "OUT", "--set", "bach_size=8"], 2, "batch_size"),
        (["train", "EMPTY", "-o", "OUT", "--set", "nonsense=1"], 2, "representation"),
        (["train", "DATASET", "-o", "OUT", "--set", "representation=waveform"], 2, "network=wavegan"),
        (["make", "RUN", "--device", "toaster"], 2, "known: auto, cpu, cuda"),
        (["prepare", "NOWHERE", "-o", "OUT"], 2, "no folder"),
        (["prepare", "EMPTY", "-o", "OUT"], 1, "no sounds"),
        (["make", "NOWHERE"], 2, "no instrument"),
        (["make", "RUN", "trombone", "-o", "OUT"], 2, "known: "),
        (["make", "RUN", "--label", "colour=red", "-o", "OUT"], 2, "known: class"),
        (["make", "RUN", "kick", "--label", "snare", "-o", "OUT"], 2, "asked for twice"),
        (["show", "NOWHERE"], 2, "nothing at"),
        (["show", "REPORT"], 2, "show that"),
        (["sing"], 2, "No such command"),
        (["make"], 2, "Missing argument"),
        (["make", "RUN", "-n", "many"], 2, "'-n'"),
        (["prepare", "DATASET", "-o", "OUT", "--group", "drummer"], 2, "--labels csv"),
        (["show", "EMPTY"], 2, "neither"),
        (["kit", "-o", "DATASET"], 2, "not empty"),
    ],
)
def test_errors_are_one_sentence(
    words: list[str], code: int, says: str, run: Path, dataset: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    places = {"DATASET": dataset.folder, "RUN": run, "OUT": tmp_path / "out", "NOWHERE": tmp_path / "no"}
    places |= {"EMPTY": tmp_path / "empty", "REPORT": dataset.folder / "report.txt"}
    done = here(*(places.get(word, word) for word in words))
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stderr.startswith("bowerbird: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists(), "a refused command leaves nothing"


def test_preparing_into_another_dataset_says_so(kit: Path, tmp_path: Path) -> None:
    first = here("prepare", kit, "-o", tmp_path / "one", "--quiet")
    again = here("prepare", kit, "-o", tmp_path / "one", "--quiet")
    other = here("prepare", kit / "kick", "-o", tmp_path / "one", "--quiet")
    assert "replaced" not in first.stderr + again.stderr
    assert "replaced the dataset of 48 sounds" in other.stderr
    assert "all sounds lie in one folder" in other.stdout


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = command("--debug", "show", tmp_path / "no")
    assert "Traceback" in done.stderr
    assert done.returncode != 0


def small_disk() -> None:
    """No file of this process may grow past 100 kB: what a full disk looks like."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.parametrize("verb", ["prepare", pytest.param("train", marks=pytest.mark.slow)])
def test_full_disk_is_one_sentence_and_loses_nothing(
    verb: str, kit: Path, dataset: Dataset, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = {
        "prepare": ["prepare", kit, "-o", out],
        "train": ["train", dataset.folder, "-o", out, "--preset", "quick", "--examples", "160"],
    }[verb]
    if verb == "prepare":
        before = prepare(kit, out, PrepareOptions(sample_rate_hz=8000, seconds=0.05), quiet=True)
    done = command(*words, preexec_fn=small_disk)
    assert done.returncode == 1
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr
    if verb == "prepare":
        assert Dataset(out).fingerprint == before.fingerprint


def test_read_only_folder_is_one_sentence(kit: Path, dataset: Dataset, run: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    if os.geteuid() == 0:  # root may write anywhere: files under a file are what nobody can make
        locked.rmdir()
        locked.write_text("a file")
    for words in (
        ["prepare", kit, "-o", locked / "ds"],
        ["make", run, "-o", locked / "sounds"],
        ["train", dataset.folder, "-o", locked / "run", "--examples", "8"],
        ["kit", "-o", locked / "kit"],
    ):
        done = here(*words)
        assert done.returncode in (1, 2), words
        assert done.stderr.startswith("bowerbird: "), done.stderr
        assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_train_straight_from_a_folder_of_sounds(kit: Path, tmp_path: Path) -> None:
    sounds, out = tmp_path / "sounds", tmp_path / "run"
    shutil.copytree(kit, sounds)
    tiny = [word for pair in TINY for word in ("--set", pair)]
    words = ["train", sounds, "-o", out, "--preset", "quick", *tiny]
    dry = command(*words, "--dry-run", "--examples", 16)
    assert json.loads(dry.stdout)["train"]["examples"] == 16
    assert not out.exists()
    assert command(*words, "--examples", 16).returncode == 0
    assert command(*words, "--examples", 32).returncode == 0
    assert json.loads(command("show", out, "--json").stdout)["provenance"]["examples"] == 32
    (sounds / "kick" / "kick_000.wav").unlink()
    changed = command(*words, "--examples", 48)
    assert changed.returncode == 2
    assert "has changed since" in changed.stderr
    inside = command("train", sounds, "-o", sounds / "run", "--examples", 16)
    assert inside.returncode == 2
    assert "inside" in inside.stderr


@pytest.mark.slow
def test_one_class_with_one_file_trains(kit: Path, tmp_path: Path) -> None:
    for name in ("kick/kick_000.wav", "snare/snare_000.wav", "snare/snare_001.wav"):
        (tmp_path / "sounds" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(kit / name, tmp_path / "sounds" / name)
    tiny = [word for pair in TINY for word in ("--set", pair)]
    done = command("train", tmp_path / "sounds", "-o", tmp_path / "run", "--examples", 16, *tiny)
    assert done.returncode == 0, done.stderr
    assert "one sound only" in done.stdout
    assert command("make", tmp_path / "run", "kick", "-n", 1, "-o", tmp_path / "out").returncode == 0


@pytest.mark.slow
def test_notes_from_file_names_to_a_pitch_between(tmp_path: Path) -> None:
    t = np.arange(6400) / 16000
    for family, partials in (("pure", 1), ("rich", 6)):
        for pitch in (60, 64, 67):
            hz = 440 * 2 ** ((pitch - 69) / 12)
            wave = sum(np.sin(2 * np.pi * k * hz * t) / k for k in range(1, partials + 1)) * np.exp(-4 * t) / 3
            write(tmp_path / "notes" / f"{family}_{pitch}.wav", wave[None].astype(np.float32), 16000)
    words = ("--pattern", "{family}_{pitch}", "--columns", "family,pitch")
    assert command("prepare", tmp_path / "notes", "-o", tmp_path / "set", *words).returncode == 0
    settings = [word for pair in TINY for word in ("--set", pair)]
    trained = command("train", tmp_path / "set", "-o", tmp_path / "run", "--examples", "80", *settings)
    assert trained.returncode == 0, trained.stderr
    assert "labelled by pitch" in trained.stdout
    made = command("make", tmp_path / "run", "rich", "--pitch", "D4", "-n", "2", "-o", tmp_path / "made", "--json")
    assert made.returncode == 0, made.stderr
    listed = json.loads((tmp_path / "made" / "made.json").read_text())
    assert {tuple(one["labels"].items()) for one in listed.values()} == {(("family", "rich"), ("pitch", "62"))}
    wrong = command("make", tmp_path / "run", "--pitch", "20", "-o", tmp_path / "made")
    assert (wrong.returncode, wrong.stderr.count("\n")) == (2, 1)
    assert "from 60 to 67" in wrong.stderr


def test_ctrl_c_while_preparing_leaves_nothing(kit: Path, tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    for copy in range(60):
        shutil.copytree(kit, sounds / str(copy))
    arguments = [
        sys.executable,
        "-m",
        "bowerbird",
        "prepare",
        str(sounds),
        "-o",
        str(tmp_path / "out"),
        "--sample-rate",
        "48000",
    ]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / ".out.partial").exists():
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error.splitlines()[-1] == "bowerbird: interrupted; the same command starts again"
    assert not (tmp_path / "out").exists()
    assert not (tmp_path / ".out.partial").exists()
