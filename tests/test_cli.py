"""The command line as scripts see it: exit codes, one sentence on stderr, JSON."""

import json
import os
import resource
from pathlib import Path

import pytest

from bowerbird.data.dataset import Dataset
from tests.conftest import command


def test_make_show_and_json(run: Path, tmp_path: Path) -> None:
    done = command("make", run, "kick", "-n", 2, "--seed", 3, "-o", tmp_path, "--json", "--quiet")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    assert [Path(file).name for file in made["files"]] == ["kick_00003.wav", "kick_00004.wav"]
    same = command("make", run, "--label", "class=kick", "-n", 1, "--seed", 4, "-o", tmp_path / "b", "--json")
    assert Path(json.loads(same.stdout)["files"][0]).read_bytes() == Path(made["files"][1]).read_bytes()
    for path, word in ((run, "an instrument that makes mono sounds"), (run / "instrument.safetensors", "licences")):
        shown = command("show", path)
        assert shown.returncode == 0
        assert word in shown.stdout


def test_show_dataset(dataset: Dataset) -> None:
    shown = command("show", dataset.folder)
    assert "48 sounds" in shown.stdout
    assert json.loads(command("show", dataset.folder, "--json").stdout)["fingerprint"] == dataset.fingerprint


def test_dry_run_prints_the_configuration_and_writes_nothing(dataset: Dataset, tmp_path: Path) -> None:
    done = command("train", dataset.folder, "-o", tmp_path / "run", "--examples", 8, "--dry-run", "--set", "batch_size=8")
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
        (["prepare", "NOWHERE", "-o", "OUT"], 2, "no folder"),
        (["prepare", "EMPTY", "-o", "OUT"], 1, "no sounds"),
        (["make", "NOWHERE"], 2, "no instrument"),
        (["make", "RUN", "trombone", "-o", "OUT"], 2, "known: "),
        (["make", "RUN", "--label", "colour=red", "-o", "OUT"], 2, "known: class"),
        (["make", "RUN", "kick", "--label", "snare", "-o", "OUT"], 2, "asked for twice"),
        (["show", "NOWHERE"], 2, "nothing at"),
        (["sing"], 2, "No such command"),
        (["make"], 2, "Missing argument"),
        (["make", "RUN", "-n", "many"], 2, "many"),
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
    places["EMPTY"] = tmp_path / "empty"
    done = command(*(places.get(word, word) for word in words))
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert done.stderr.startswith("bowerbird: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    done = command("--debug", "show", tmp_path / "no")
    assert "Traceback" in done.stderr
    assert done.returncode != 0


def small_disk() -> None:
    """No file of this process may grow past 100 kB: what a full disk looks like."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.mark.parametrize("verb", ["prepare", "train"])
def test_full_disk_is_one_sentence_and_loses_nothing(
    verb: str, kit: Path, dataset: Dataset, run: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = {
        "prepare": ["prepare", kit, "-o", out],
        "train": ["train", dataset.folder, "-o", out, "--preset", "quick", "--examples", "160"],
    }[verb]
    done = command(*words, preexec_fn=small_disk)
    assert done.returncode == 1
    assert "free some space" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(Dataset(dataset.folder)) == 48


def test_read_only_folder_is_one_sentence(kit: Path, dataset: Dataset, run: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(0o555)
    other: dict[str, object] = {}
    if os.geteuid() == 0:  # root may write anywhere: files under a file are what nobody can make
        locked.rmdir()
        locked.write_text("a file")
    for words in (
        ["prepare", kit, "-o", locked / "ds"],
        ["make", run, "-o", locked / "sounds"],
        ["train", dataset.folder, "-o", locked / "run", "--examples", "8"],
        ["kit", "-o", locked / "kit"],
    ):
        done = command(*words, **other)
        assert done.returncode in (1, 2), words
        assert done.stderr.startswith("bowerbird: "), done.stderr
        assert "Traceback" not in done.stderr
