"""The map of captions and queries: what it says, what it refuses, and that a real browser draws it."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bowerbird.data.dataset import Dataset
from bowerbird.data.options import PrepareOptions
from bowerbird.data.prepare import prepare
from bowerbird.errors import UsageError
from bowerbird.evaluation.heard import hear_real
from bowerbird.evaluation.listener import Listener
from bowerbird.evaluation.queries import Query, ask, read_queries
from bowerbird.evaluation.textmap import textmap
from bowerbird.instrument import Instrument, load, tensors_of
from bowerbird.presets import configure
from bowerbird.training.loop import train
from tests.conftest import TINY, here

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def captioned(kit: Path, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """The kit with its folders as classes and its names, a little varied, as captions."""
    folder = tmp_path_factory.mktemp("captioned")
    words = ["deep", "short", "dry", "soft", "hard", "long"]
    files = sorted(kit.rglob("*.wav"))
    rows = [f"{f.relative_to(kit)},{f.parent.name} {words[k % 6]}" for k, f in enumerate(files)]
    (folder / "captions.csv").write_text("\n".join(["file,text", *rows]))
    options = PrepareOptions(sample_rate_hz=16000, seconds=0.4, captions=folder / "captions.csv")
    return prepare(kit, folder / "dataset", options, quiet=True)


@pytest.fixture(scope="module")
def drawn(captioned: Dataset, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp("textmap")
    model, config, _ = configure(captioned, "quick", None, [*TINY, "steering.reduction=4", "examples=16"])
    train(captioned, folder / "run", model, config, "cpu", quiet=True)
    queries = [Query("hard kick", "kick"), Query("snare </script>", "snare"), Query("anything")]
    return folder / "map", textmap(captioned, queries, folder / "map", str(folder / "run"))


def test_the_three_spaces_stand_side_by_side_with_figures(drawn: tuple[Path, dict]) -> None:
    folder, figures = drawn
    assert list(figures) == ["as encoded", "after the generator's 4 numbers", "after the discriminator's 4 numbers"]
    assert figures["as encoded"]["queries"] == 1
    assert figures["as encoded"]["captions"] > 0.7, "of eight classes"
    assert all(-1 <= found["silhouette"] <= 1 for found in figures.values())
    assert json.loads((folder / "textmap.json").read_text()) == figures
    with Image.open(folder / "textmap.png") as picture:
        assert picture.size[0] > 3 * 500


@pytest.mark.skipif(BROWSER is None, reason="no browser here; apt-get install chromium")
def test_a_browser_draws_every_point_in_every_space(drawn: tuple[Path, dict], captioned: Dataset, tmp_path: Path) -> None:
    page = drawn[0] / "textmap.html"
    words = [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--dump-dom"]
    dom = subprocess.run([*words, page.as_uri()], capture_output=True, text=True, timeout=120).stdout
    captions = {one["text"] for one in captioned.labels(list(range(len(captioned))))}
    assert dom.count("<circle") == 3 * len(captions)
    assert dom.count("<rect") == 3 * 3
    assert dom.count("<button") == len({one["class"] for one in captioned.labels(list(range(len(captioned))))}) + 1


def test_queries_are_read_from_lines_and_tables(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("dog bark\n\n  rain, soft \n🥁\n")
    assert read_queries(tmp_path / "lines.txt") == [Query("dog bark"), Query("rain, soft")]
    (tmp_path / "table.csv").write_text("Text,Class\ndog bark,animals\nrain,\n")
    assert read_queries(tmp_path / "table.csv") == [Query("dog bark", "animals"), Query("rain")]
    (tmp_path / "empty.csv").write_text("")
    for name in ("empty.csv", "nowhere.csv"):
        with pytest.raises(UsageError, match=r"no queries|no file"):
            read_queries(tmp_path / name)


def test_what_cannot_be_mapped_is_refused(dataset: Dataset, captioned: Dataset, run: Path, tmp_path: Path) -> None:
    (tmp_path / "q.txt").write_text("kick\n")
    for words, trouble in (
        ([dataset.folder], "has no captions"),
        ([captioned.folder, run], "not trained on texts"),
        ([captioned.folder, tmp_path], "no instrument"),
    ):
        done = here("textmap", *words, "--queries", tmp_path / "q.txt", "-o", tmp_path / "map")
        assert done.returncode == 2
        assert trouble in done.stderr
    with pytest.raises(UsageError, match='no sound is of class "brass"'):
        textmap(captioned, [Query("tuba", "brass")], tmp_path / "map")


def test_sounds_of_queries_are_heard_as_what_was_meant(drawn: tuple[Path, dict], captioned: Dataset) -> None:
    real = hear_real(captioned, "train")
    listener = Listener.fit(real.sounds, captioned.sample_rate_hz)
    by_name = {name: real.sounds[real.names == name] for name in set(real.names)}

    class Sampler(Instrument):
        """Knows what a query means and plays a real sound of it."""

        def play(self, labels: Sequence[dict[str, str]], seeds: Sequence[int]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
            for one, seed in zip(labels, seeds, strict=True):
                sounds = by_name[one["text"].removeprefix("hard ").replace(" ", "_")]
                yield sounds[seed % len(sounds)], np.zeros(0)

    player = load(drawn[0].parent / "run")
    sampler = Sampler(player.model, tensors_of(player.model, player.generator), player.provenance, "cpu")
    queries = [Query(f"hard {name}", name) for name in by_name]
    right = ask(sampler, "text", queries, real, listener(real.sounds), listener, 0)
    swapped = [Query(one.text, other.meant) for one, other in zip(queries, [*queries[1:], queries[0]], strict=True)]
    wrong = ask(sampler, "text", swapped, real, listener(real.sounds), listener, 0)
    assert right["label/text_queries_generated"] > 0.8, "of eight classes"
    assert wrong["label/text_queries_generated"] < 0.1
    for queries, trouble in (([Query("x", "tuba")], 'of class "tuba"'), ([Query("x")], "what class it means")):
        with pytest.raises(UsageError, match=trouble):
            ask(player, "text", queries, real, listener(real.sounds), listener, 0)
