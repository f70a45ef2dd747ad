"""Sounds to test with: a small kit of our own synthesis, the shared data where it is there."""

import io
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest
import torch

from bowerbird.cli import main
from bowerbird.data.dataset import Dataset
from bowerbird.data.kit import write_kit
from bowerbird.data.options import PrepareOptions
from bowerbird.data.prepare import prepare

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
# A network and pictures small enough to train in seconds.
TINY = [
    "network.width=8",
    "network.widest=16",
    "network.style=16",
    "network.z_dim=8",
    "batch_size=8",
    "checks=2",
    "variants=0",
]


# A script's background job ignores Ctrl-C and so would every process started from here: give it its meaning back.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 drum sounds in 8 folders."""
    folder = tmp_path_factory.mktemp("sounds") / "kit"
    write_kit(folder, 6, quiet=True)
    return folder


@pytest.fixture(scope="session")
def dataset(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    options = PrepareOptions(sample_rate_hz=16000, seconds=0.4)
    return prepare(kit, tmp_path_factory.mktemp("prepared") / "kit", options, quiet=True)


@pytest.fixture(scope="session")
def run(dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of a tiny network."""
    from bowerbird.presets import configure
    from bowerbird.training.loop import train

    folder = tmp_path_factory.mktemp("runs") / "kit"
    model, config = configure(dataset, "quick", None, [*TINY, "examples=160"])[:2]
    train(dataset, folder, model, config, "cpu", quiet=True)
    return folder


@pytest.fixture(scope="session")
def drums(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared drum recordings."""
    if not (SHARED / "unpack.sh").exists():
        pytest.skip(f"no shared data at {SHARED}")
    folder = tmp_path_factory.mktemp("shared")
    subprocess.run(["sh", str(SHARED / "unpack.sh"), str(folder), "drums"], check=True, capture_output=True)
    return folder / "drums"


def command(*words: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Runs `bowerbird WORDS` as a process of its own."""
    arguments = [sys.executable, "-m", "bowerbird", *map(str, words)]
    return subprocess.run(arguments, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload]


def here(*words: object) -> subprocess.CompletedProcess[str]:
    """The same without a process of its own, which takes seconds to start."""
    arguments, out, err = ["bowerbird", *map(str, words)], io.StringIO(), io.StringIO()
    spoken = redirect_stdout(out), redirect_stderr(err)
    with mock.patch.object(sys, "argv", arguments), spoken[0], spoken[1], pytest.raises(SystemExit) as ended:
        main()
    return subprocess.CompletedProcess(arguments, int(str(ended.value.code)), out.getvalue(), err.getvalue())


@pytest.fixture(autouse=True)
def _same_threads() -> None:
    """Sums depend on the number of threads: the same in every test."""
    torch.set_num_threads(2)
