"""The examples do what they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import TINY

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def example(name: str, *words: object) -> str:
    """What an example prints, run as a process of its own."""
    arguments = [sys.executable, str(EXAMPLES / name), *map(str, words)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_kind_of_label_is_one_short_class(kit: Path, tmp_path: Path) -> None:
    assert len((EXAMPLES / "duration.py").read_text().splitlines()) < 40
    dataset, run, made = (tmp_path / name for name in ("dataset", "run", "made"))
    words = ["--sample-rate", 16000, "--seconds", 0.4, "--measure", "duration", "--quiet"]
    assert "duration: 0." in example("duration.py", "prepare", kit, "-o", dataset, *words)
    tiny = [word for setting in TINY for word in ("--set", setting)]
    example("duration.py", "train", dataset, "-o", run, "--preset", "quick", "--examples", 16, *tiny, "--quiet")
    example("duration.py", "make", run, "kick", "--label", "duration=0.2", "-n", 2, "-o", made, "--quiet")
    labels = [one["labels"] for one in json.loads((made / "made.json").read_text()).values()]
    assert labels == [{"class": "kick", "duration": "0.2"}] * 2
