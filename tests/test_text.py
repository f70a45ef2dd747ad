"""Texts: captions from file names, encoders, asking like a person, and whether sounds are what a text says."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from bowerbird.audio import write
from bowerbird.conditions.category import Category
from bowerbird.conditions.joint import Joint
from bowerbird.conditions.text import Text
from bowerbird.conditions.words import words
from bowerbird.config import ModelConfig
from bowerbird.data.captions import captions, variants
from bowerbird.data.dataset import Dataset
from bowerbird.data.feed import Feed
from bowerbird.data.options import PrepareOptions
from bowerbird.data.prepare import prepare
from bowerbird.encoders import ENCODERS, encoder
from bowerbird.encoders.ngrams import NGrams
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.evaluation.heard import Heard
from bowerbird.evaluation.listener import Listener
from bowerbird.evaluation.queries import Query, ask
from bowerbird.evaluation.wording import wording
from bowerbird.instrument import Instrument, generator_of, load, tensors_of
from bowerbird.networks.residual import ResidualOptions
from bowerbird.presets import configure
from bowerbird.representations.log_magnitude import LogMagnitude
from bowerbird.seeds import numpy_random
from bowerbird.training.loop import train
from tests.conftest import TINY, here

RATE = 16000


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        ("Door_woodOpen-03 (wood)", "door wood open 03"),
        ("UIClick2.final", "ui click final"),
        ("GlassHit7", "glass hit"),
        ("TR808_kick", "tr 808 kick"),
        ("don't Stop!", "don't stop"),
        ("Стекло_Удар ガラス 玻璃 🥁🔥", "стекло удар ガラス 玻璃"),
        ("हिन्दी बोल", "हिन्दी बोल"),
        ("a b 🥁 - _", ""),
        ("", ""),
    ],
)
def test_words_are_read_out_of_anything(raw: str, found: str) -> None:
    assert " ".join(words(raw)) == found


def test_a_text_of_five_thousand_letters_is_a_caption_of_a_few_words() -> None:
    assert len(words("word " * 1000)) == 1
    many = words(" ".join(f"w{'abcdefghij'[k % 10] * (k // 10 + 2)}" for k in range(1500)))
    assert len(many) == 24
    assert len(words("x" * 5000)[0]) == 40


def library() -> tuple[list[str], np.ndarray]:
    """120 sounds of two vendors: what they are like follows from what they are, not from whose."""
    random = numpy_random(0, "library")
    kinds = ["glass break", "door open", "rain soft", "engine start"]
    texts, shapes = [], []
    for number in range(120):
        kind = number % 4
        vendor = "AcmeSounds" if random.random() < 0.4 else "Zed"
        texts.append(f"{vendor}/{kinds[kind].replace(' ', '_')}_{number:02d}")
        shapes.append(np.eye(4)[kind] * 5 + 0.5 * random.standard_normal(4))
    return texts, np.array(shapes)


def test_words_that_say_where_a_file_comes_from_are_found_in_the_data() -> None:
    texts, shapes = library()
    found = captions(texts, shapes)
    assert set(found.marks) == {"acme", "sounds", "zed"}
    assert found.words[:4] == [["glass", "break"], ["door", "open"], ["rain", "soft"], ["engine", "start"]]
    kept = captions(texts, shapes, drop=["soft"], keep=["zed"])
    assert set(kept.marks) == {"acme", "sounds"}
    assert {" ".join(one) for one in kept.words} >= {"zed rain", "rain"}


def test_a_word_of_most_sounds_stays_where_it_says_what_they_are() -> None:
    random = numpy_random(0, "common")
    shapes = np.array([[8.0 * (k < 40), 0.0] for k in range(60)]) + 0.5 * random.standard_normal((60, 2))
    texts = [f"{'step' if k < 40 else 'door'} zed {k:02d}" for k in range(60)]
    assert captions(texts, shapes).marks == ["zed"], "all sounds have it"
    pieces = captions(texts * 20, np.tile(shapes, (20, 1)), files=[f"{k}.wav" for k in range(60)] * 20)
    assert pieces.marks == ["zed"], "pieces of one file are alike whatever their words"


def test_numbers_are_takes_unless_many_sounds_share_them() -> None:
    texts = [f"808 kick {k:03d}" for k in range(8)] + [f"snare {k}" for k in range(8)]
    found = captions(texts, np.random.default_rng(0).standard_normal((16, 3)))
    assert [" ".join(one) for one in (found.words[0], found.words[8])] == ["808 kick", "snare"]


def test_people_type_two_words_give_or_take_two() -> None:
    long = [chr(97 + k % 26) * (2 + k // 26) for k in range(40)]
    said = [text.split() for sound in range(300) for text in variants(long, 16, 0, sound)]
    counts = [len(one) for one in said]
    assert np.mean(counts) == pytest.approx(2, abs=0.1)
    assert np.std(counts) == pytest.approx(2, abs=0.15)
    assert min(counts) == 1
    assert all(one == sorted(one, key=long.index) for one in said)
    assert variants(long, 16, 0, 7) == variants(long, 16, 0, 7) != variants(long, 16, 0, 8)


def test_the_built_in_encoder_knows_spelling() -> None:
    by = NGrams("")
    vectors = by(["glass break", "glas brek", "break glass", "thunder"])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    alike = vectors @ vectors.T
    assert alike[0, 2] == pytest.approx(1, abs=1e-5), "the order of words does not count"
    assert alike[0, 1] > 0.3 > abs(alike[0, 3])


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_name_themselves_and_refuse_what_is_not_there(name: str, tmp_path: Path) -> None:
    if ENCODERS[name].wants_source:
        with pytest.raises(UsageError, match="no text encoder"):
            encoder(name)
        with pytest.raises(BowerbirdError, match=r"pip install|no file|no sentence encoder"):
            encoder(f"{name}:{tmp_path / 'nothing'}")
    else:
        assert len(encoder(name).fingerprint) == 16
    with pytest.raises(UsageError, match="known: ngrams, sentence:…, vectors:…"):
        encoder("clairvoyance")


def test_vectors_from_a_file_answer_for_their_texts_alone(tmp_path: Path) -> None:
    np.savez(tmp_path / "v.npz", texts=np.array(["rain", "fire"]), vectors=np.array([[3.0, 4.0], [1.0, 0.0]]))
    by = encoder(f"vectors:{tmp_path / 'v.npz'}")
    assert by(["fire", "rain"]).tolist() == [[1, 0], [pytest.approx(0.6), pytest.approx(0.8)]]
    with pytest.raises(UsageError, match='no vector of "snow"'):
        by(["snow"])
    np.savez(tmp_path / "w.npz", texts=np.array(["rain"]), vectors=np.zeros((2, 2)))
    with pytest.raises(BowerbirdError, match="do not go with"):
        encoder(f"vectors:{tmp_path / 'w.npz'}")
    np.savez(tmp_path / "zero.npz", texts=np.array(["rain", "fire"]), vectors=np.array([[3.0, 4.0], [0.0, 0.0]]))
    with pytest.raises(BowerbirdError, match='"fire" is all zeros'):
        encoder(f"vectors:{tmp_path / 'zero.npz'}")
    (tmp_path / "x.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(BowerbirdError, match="holds no text vectors"):
        encoder(f"vectors:{tmp_path / 'x.npz'}")


def test_a_prompt_of_unknown_words_says_what_is_known() -> None:
    text = Text.fit("text", ["glass break", "glass hit", "rain", ""])
    assert text.parse("  Glass,BREAK! ") == "glass break"
    assert text.parse("glas") == "glas"
    assert text.remark("glas hit") == '"glas" was never heard (near: glass)'
    assert text.remark("glass") == ""
    for nonsense in ("qwxzv", "🥁", "", "17"):
        with pytest.raises(UsageError, match="knows glass"):
            text.parse(nonsense)
    fits = text.fits("glass", ["glass break", "rain", ""])
    assert fits[0] == pytest.approx(1)
    assert fits[1] < 0.01
    assert fits[2] == 0


def test_other_weights_of_the_encoder_are_refused() -> None:
    text = Text.fit("text", ["glass break"])
    other = Text(text.name, text.encoder, "0" * 16, text.dimensions, text.known)
    with pytest.raises(BowerbirdError, match="put back the same one"):
        other.encode(["glass"])


@pytest.fixture(scope="module")
def spoken(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """48 sounds of four kinds, named as people name files."""
    folder = tmp_path_factory.mktemp("spoken")
    t = np.arange(int(0.3 * RATE)) / RATE
    for number in range(48):
        random = numpy_random(number, "spoken")
        kind, hz = number % 4, 300 * 2 ** (number % 4) * (1 + 0.1 * random.random())
        noise = random.standard_normal(len(t)) * (kind == 2)
        sound = (0.4 * np.sin(2 * np.pi * hz * t) + 0.2 * noise) * np.exp(-t * (8 + 20 * (kind == 3)))
        name = ["Metal_bellRing", "wood knock", "rain_Soft", "glassHit"][kind]
        write(folder / "lib" / f"{name}{number:02d}.wav", sound[None].astype(np.float32), RATE)
    write(folder / "lib" / "17.wav", 0.5 * np.sin(2 * np.pi * 440 * t)[None].astype(np.float32), RATE)
    (folder / "lib" / "extra.csv").write_text("file,caption\n17.wav,quiet tone\nlost.wav,x\n17.wav,Sine Wave\n")
    return prepare(folder / "lib", folder / "dataset", PrepareOptions(labels="filename"), quiet=True)


def test_file_names_become_captions_with_variants_and_vectors(spoken: Dataset) -> None:
    assert spoken.kinds == {"text": "text"}
    said = [one["text"] for one in spoken.labels(list(range(len(spoken))))]
    assert {*said} == {"", "metal bell ring", "wood knock", "rain soft", "glass hit"}
    row = said.index("metal bell ring")
    assert all(set(text.split()) <= {"metal", "bell", "ring"} for text in spoken.captions(row, "text"))
    assert len(set(spoken.captions(row, "text"))) > 3
    assert spoken.captions(said.index(""), "text") == []
    with (spoken.folder / "captions.csv").open(newline="") as file:
        table = {one["file"]: one for one in csv.DictReader(file)}
    assert table["Metal_bellRing00.wav"]["text before"] == "Metal_bellRing00"
    assert table["Metal_bellRing00.wav"]["text"] == "metal bell ring"
    assert "1 of 49 sounds have no text" in (spoken.folder / "report.txt").read_text()


def test_captions_from_a_table_stand_beside_other_labels(spoken: Dataset, tmp_path: Path) -> None:
    folder = spoken.folder.parent / "lib"
    options = PrepareOptions(labels="none", captions=folder / "extra.csv")
    dataset = prepare(folder, tmp_path / "dataset", options, quiet=True)
    said = [one["text"] for one in dataset.labels(list(range(len(dataset))))]
    assert sorted({*said}) == ["", "quiet tone sine wave"]
    variants = dataset.captions(said.index("quiet tone sine wave"), "text")
    assert len(variants) == 16
    assert {"quiet tone", "sine wave"} < {*variants} <= {"quiet", "tone", "quiet tone", "sine", "wave", "sine wave"}
    (tmp_path / "wide.csv").write_text("file;caption_1;caption_2\n17.wav;quiet tone;Sine Wave\n")
    wide = prepare(folder, tmp_path / "w", PrepareOptions(labels="none", captions=tmp_path / "wide.csv"), quiet=True)
    assert wide.labels(list(range(len(wide)))) == dataset.labels(list(range(len(dataset))))
    skipped = json.loads((tmp_path / "dataset" / "report.json").read_text())["skipped"]
    assert "but not there" in skipped["lost.wav"]
    for content, trouble in (
        ("file,colour\n17.wav,red\n", "no column of texts"),
        ("file,text\n17.wav,\n", "no texts"),
        ("file,text\n9.wav,x\n", "captions none"),
    ):
        (tmp_path / "bad.csv").write_text(content)
        with pytest.raises(UsageError, match=trouble):
            prepare(folder, tmp_path / "d", PrepareOptions(labels="none", captions=tmp_path / "bad.csv"), quiet=True)
    with pytest.raises(UsageError, match="are of texts"):
        prepare(folder, tmp_path / "d", PrepareOptions(labels="none", keep_words="wood"), quiet=True)
    (tmp_path / "bad.csv").write_text("file,text\n17.wav,🥁 12\n")
    with pytest.raises(UsageError, match="says anything"):
        prepare(folder, tmp_path / "d", PrepareOptions(labels="none", captions=tmp_path / "bad.csv"), quiet=True)


def test_a_caption_is_wrong_only_where_it_says_what_is_not_said_of_a_sound(spoken: Dataset, tmp_path: Path) -> None:
    model, config, _ = configure(spoken, "quick", None, TINY)
    feed = Feed(spoken, model, config, tmp_path / "pictures", quiet=True)
    said = np.array([one["text"] for one in feed.labels])
    bells, knocks, silent = (np.flatnonzero(said == one).tolist() for one in ("metal bell ring", "wood knock", ""))
    rows = torch.tensor([bells[0], bells[1], knocks[0], silent[0], bells[2]])
    _, drawn, wrong = feed.real(rows, 0, 0)
    assert wrong.tolist() == [False, False, True, False, False], "another bell is not wrong, nor is what is not known"
    assert not torch.equal(drawn, feed.encoded[rows]), "variants, not always the whole caption"
    assert not torch.equal(drawn, feed.real(rows, 0, 8)[1]), "each step others"
    assert torch.equal(drawn, feed.real(rows, 0, 0)[1]), "a function of seed and examples seen"


def test_sounds_of_one_text_are_told_to_differ_and_it_is_said(spoken: Dataset, dataset: Dataset) -> None:
    _, config, why = configure(spoken, "quick", None, [])
    assert config.mode_seeking_weight == 1
    assert any("sounds of one text" in reason for reason in why)
    assert configure(spoken, "wavegan", None, [])[1].mode_seeking_weight == 0, "a baseline goes unaided"
    assert configure(dataset, "quick", None, [])[1].mode_seeking_weight == 0, "classes hold many sounds"


def test_other_vectors_than_those_of_the_dataset_are_refused(spoken: Dataset, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(spoken.folder, tmp_path / "copy"))
    model, config, _ = configure(spoken, "quick", None, TINY)
    for damage, trouble in (("fingerprint", "other weights"), ("texts", "prepare the dataset again")):
        if damage == "fingerprint":
            facts = json.loads((copy / "dataset.json").read_text())
            facts["encoder"]["fingerprint"] = "0" * 16
            (copy / "dataset.json").write_text(json.dumps(facts))
        else:
            np.savez(copy / "captions.npz", texts=np.array(["x"]), vectors=np.ones((1, 512)))
        with pytest.raises(BowerbirdError, match=trouble):
            Feed(Dataset(copy), model, config, tmp_path / "pictures", quiet=True)


@pytest.mark.slow
def test_an_instrument_is_asked_by_text(spoken: Dataset, tmp_path: Path) -> None:
    model, config, _ = configure(spoken, "quick", None, [*TINY, "examples=32"])
    train(spoken, tmp_path / "run", model, config, "cpu", quiet=True)
    sheets = sorted((tmp_path / "run" / "previews").glob("*/*.wav"))
    assert {sheet.stem for sheet in sheets} == {"metal bell ring", "wood knock", "rain soft", "glass hit"}
    instrument = load(tmp_path / "run")
    assert not np.allclose(instrument.sample(1, label="glass", seed=3), instrument.sample(1, label="wood", seed=3))
    done = here("make", tmp_path / "run", "glas hit", "-n", 2, "-o", tmp_path / "made", "--quiet", "--json")
    assert done.returncode == 0, done.stderr
    assert '"glas" was never heard (near: glass)' in done.stderr
    assert [Path(file).name for file in json.loads(done.stdout)["files"]] == ["glas hit_00000.wav", "glas hit_00001.wav"]
    refused = here("make", tmp_path / "run", "qwxzv", "-o", tmp_path / "none", "--quiet")
    assert refused.returncode == 2
    assert "the nearest words are" in refused.stderr


@pytest.mark.slow
def test_an_instrument_needs_its_encoder_for_new_texts_alone(
    spoken: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Captions of its data travel with it; an encoder that was moved is named by the environment."""
    with np.load(spoken.folder / "captions.npz") as known:
        texts = [*known["texts"], "bell"]
    np.savez(
        tmp_path / "mine.npz", texts=np.array(texts), vectors=np.random.default_rng(0).standard_normal((len(texts), 12))
    )
    monkeypatch.chdir(tmp_path)
    options = PrepareOptions(labels="filename", encoder="vectors:mine.npz")
    dataset = prepare(spoken.folder.parent / "lib", tmp_path / "dataset", options, quiet=True)
    assert dataset.encoder == f"vectors:{tmp_path / 'mine.npz'}", "found from other folders too"
    model, config, _ = configure(dataset, "quick", None, [*TINY, "examples=32"])
    train(dataset, tmp_path / "run", model, config, "cpu", quiet=True)
    expected, known_ones = (load(tmp_path / "run").sample(3, label=label, seed=3) for label in ("bell", None))
    (tmp_path / "mine.npz").rename(tmp_path / "moved.npz")
    encoder.cache_clear()
    player = load(tmp_path / "run")
    assert np.array_equal(player.sample(3, seed=3), known_ones)
    assert not np.array_equal(player.sample(1, label="metal bell ring"), player.sample(1, label="rain soft"))
    with pytest.raises(UsageError, match=r"no file of text vectors .*BOWERBIRD_ENCODER"):
        player.sample(1, label="bell")
    monkeypatch.setenv("BOWERBIRD_ENCODER", "vectors:moved.npz")
    assert np.array_equal(player.sample(3, label="bell", seed=3), expected)


def test_what_was_never_heard_is_told_with_what_is_near_in_meaning(tmp_path: Path) -> None:
    vectors = {"dog bark": [1.0, 0, 0], "rain": [0, 1.0, 0], "hound": [0.9, 0.1, 0], "xyzzy": [0, 0, 1.0]}
    np.savez(tmp_path / "v.npz", texts=np.array(list(vectors)), vectors=np.array(list(vectors.values())))
    text = Text.fit("text", ["dog bark", "rain"], f"vectors:{tmp_path / 'v.npz'}")
    text.vectors.update({caption: np.array(vectors[caption], np.float32) for caption in ("dog bark", "rain")})
    assert text.remark("hound") == '"hound" was never heard (near: "dog bark")'
    assert text.remark("xyzzy") == '"xyzzy" was never heard'
    assert text.remark("dog rain") == ""
    assert text.remark("dogg") == '"dogg" was never heard (near: dog)', "by spelling where it has no vector"


def test_what_names_no_sound_is_told_only_where_that_is_so() -> None:
    text = Text.fit("text", ["glass", "glass break small shards", "wood"])
    conditions = (text, Category.fit("class", ["impacts", "breaks", "impacts"]))
    rows = [("glass", "impacts"), ("glass break small shards", "breaks"), ("wood", "impacts")]
    labels = [dict(zip(("text", "class"), row, strict=True)) for row in rows]
    joint = Joint.fit(labels, ("text", "class"))
    assert not joint.lacks(conditions, {"text": "glass", "class": "breaks"})
    assert joint.lacks(conditions, {"text": "wood", "class": "breaks"})
    assert not joint.lacks(conditions, {"class": "breaks"})
    assert not Joint.fit(labels * 2000, ("text", "class")).lacks(conditions, {"text": "wood", "class": "breaks"})
    assert not Joint().lacks(conditions, {"text": "wood", "class": "breaks"})


def test_a_query_of_unknown_words_is_told_and_answered_by_any_sound(capsys: pytest.CaptureFixture[str]) -> None:
    conditions = (Text.fit("text", ["glass", "wood"]), Category.fit("class", ["a", "b"]))
    rows = [{"text": "glass", "class": "a"}, {"text": "wood", "class": "b"}]
    model = ModelConfig(
        LogMagnitude.suited(8000, 1, 4000),
        ResidualOptions(width=4, widest=8),
        conditions,
        Joint.fit(rows, ("text", "class")),
    )
    player = Instrument(model, tensors_of(model, generator_of(model)), {}, "cpu")
    random = numpy_random(0, "queries")
    sounds = 0.1 * random.standard_normal((24, 1, 4000)).astype(np.float32)
    sounds[1::2] = np.repeat(sounds[1::2, :, ::8], 8, 2)
    real = Heard(sounds, np.array(["a", "b"] * 12), np.arange(24))
    listener = Listener.fit(sounds, 8000)
    queries = [Query("glass", "a"), Query("qwxzv", "b"), Query("wood", "b")]
    found = ask(player, "text", queries, real, listener(sounds), listener, 0)
    assert set(found) == {"label/text_queries_generated", "label/text_queries_real", "variety/of_one_query"}
    assert capsys.readouterr().err == 'the query "qwxzv" says nothing to this instrument: any sound answers it\n'


def test_sounds_that_are_not_what_the_text_says_are_heard() -> None:
    random = numpy_random(0, "wording")
    kinds = ["glass break", "door open", "rain soft", "engine start"]
    labels = [{"text": kinds[k % 4]} for k in range(120)]
    a = np.array([np.eye(4)[k % 4] + 0.2 * random.standard_normal(4) for k in range(120)])
    sounds, names = np.zeros((120, 1, 8), np.float32), np.full(120, "all")
    real = Heard(sounds, names, np.arange(120), labels)
    mixed = Heard(sounds, names, np.arange(120), [labels[k] for k in random.permutation(120)])
    good, bad = (wording("text", NGrams(""), real, a, made, a) for made in (real, mixed))
    assert good["label/text_map_real"] > 0.9
    assert good["label/text_map_generated"] > 0.9
    assert good["label/text_own_caption_generated"] > 0.95
    assert bad["label/text_map_generated"] < 0.5
    assert bad["label/text_own_caption_generated"] < 0.65
