"""The instrument: loads from its file alone, plays by seed, refuses what it cannot trust."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

import bowerbird
from bowerbird import making
from bowerbird.asking import asked_of
from bowerbird.conditions.category import Category
from bowerbird.conditions.joint import Joint
from bowerbird.conditions.pitch import Pitch
from bowerbird.conditions.tags import Tags
from bowerbird.conditions.text import Text
from bowerbird.config import ModelConfig
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.instrument import Instrument, generator_of, load, tensors_of
from bowerbird.instrument_file import fingerprint, read_tensors, write_tensors
from bowerbird.latent.space import Space
from bowerbird.making import fill, orders, prompted
from bowerbird.networks.residual import ResidualOptions
from bowerbird.representations.log_magnitude import LogMagnitude


@pytest.fixture(scope="module")
def instrument(run: Path) -> bowerbird.Instrument:
    return bowerbird.load(run)


def test_sample_is_float32_of_the_stated_shape(instrument: bowerbird.Instrument) -> None:
    sounds = instrument.sample(3, label="kick", seed=5)
    assert sounds.shape == (3, 1, 6400)
    assert sounds.dtype == np.float32
    assert np.isfinite(sounds).all()
    assert instrument.sample_rate == 16000
    assert "kick" in instrument.labels["class"]


def test_a_seed_is_a_sound_whatever_is_made_beside_it(instrument: bowerbird.Instrument) -> None:
    many, few = instrument.sample(20, seed=7), instrument.sample(3, seed=7)
    np.testing.assert_array_equal(many[:3], few)
    np.testing.assert_array_equal(many[13], instrument.sample(1, seed=20)[0])
    assert not np.allclose(many[0], many[1])


def test_the_label_changes_the_sound(instrument: bowerbird.Instrument) -> None:
    kick, hat = (instrument.sample(1, label=label, seed=1) for label in ("kick", "closed_hat"))
    assert not np.allclose(kick, hat)


def test_a_loud_sound_is_turned_down_and_not_clipped(
    instrument: bowerbird.Instrument, monkeypatch: pytest.MonkeyPatch
) -> None:
    low = 4 * torch.sin(2 * torch.pi * 40 * torch.arange(6400) / 16000)[None, None]
    monkeypatch.setattr(type(instrument.model.representation), "decode", lambda *_: low)
    (sound, _), *_ = instrument.play([instrument.choose({"class": "kick"})], [1])
    assert 0.9 < np.abs(sound).max() < 0.99
    np.testing.assert_allclose(sound / np.abs(sound).max(), low[0].numpy() / 4, atol=1e-6)


def test_wrong_requests(instrument: bowerbird.Instrument) -> None:
    with pytest.raises(UsageError, match=r"known: .*kick"):
        instrument.sample(1, label="trombone")
    with pytest.raises(UsageError, match='no label "colour"; known: class'):
        instrument.sample(1, label={"colour": "red"})
    with pytest.raises(UsageError, match="at least 1"):
        instrument.sample(0)


def test_round_trip_keeps_fingerprint_and_sound(instrument: bowerbird.Instrument, tmp_path: Path) -> None:
    instrument.save(tmp_path / "copy.safetensors")
    copy = load(tmp_path / "copy.safetensors")
    assert copy.fingerprint == instrument.fingerprint
    assert copy.provenance == instrument.provenance
    np.testing.assert_array_equal(copy.sample(2), instrument.sample(2))


def test_provenance_says_where_it_comes_from(instrument: bowerbird.Instrument, run: Path) -> None:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    looks = {line["watch/distance"]: line["seen"] for line in lines if "watch/distance" in line}
    made = instrument.provenance
    assert made["dataset"]["sounds"] == 48
    assert made["examples"] == looks[min(looks)], "not the best of the run"
    assert made["made_by"] == f"bowerbird {bowerbird.__version__}"
    assert made["machine"]


@pytest.mark.parametrize("damage", ["text", "cut", "empty", "foreign", "checkpoint", "format", "weights", "description"])
def test_a_wrong_file_is_one_sentence(run: Path, tmp_path: Path, damage: str) -> None:
    good, bad = run / "instrument.safetensors", tmp_path / "bad.safetensors"
    tensors, header = read_tensors(good)
    if damage == "text":
        bad.write_text("RIFF this is not an instrument")
    elif damage == "cut":
        bad.write_bytes(good.read_bytes()[:-1000])
    elif damage == "empty":
        bad.touch()
    elif damage == "foreign":
        save_file({"weight": torch.zeros(3)}, bad)
    elif damage == "checkpoint":
        bad.write_bytes((run / "checkpoint.safetensors").read_bytes())
    elif damage == "format":
        write_tensors(bad, tensors, header)
        text = bad.read_bytes().replace(b'\\"format\\": 4', b'\\"format\\": 9')
        bad.write_bytes(text)
    elif damage == "weights":
        name = next(iter(tensors))
        write_tensors(bad, {**tensors, name: tensors[name] + 1}, header)
    else:
        header["model"]["network"]["width"] = 32
        write_tensors(bad, tensors, header)
    with pytest.raises(BowerbirdError) as error:
        load(bad)
    assert str(bad) in str(error.value)
    assert "\n" not in str(error.value).strip()


def test_a_file_that_lacks_what_later_versions_know_of_is_played_and_stays_whole(run: Path, tmp_path: Path) -> None:
    tensors, header = read_tensors(run / "instrument.safetensors")
    del header["model"]["steering"]["shared"]
    header["fingerprint"] = fingerprint(tensors, header["model"])
    write_tensors(tmp_path / "older.safetensors", tensors, header | {"format": 3})
    older = load(tmp_path / "older.safetensors")
    assert older.fingerprint == header["fingerprint"] != load(run).fingerprint
    assert np.array_equal(older.sample(1, seed=3), load(run).sample(1, seed=3))
    older.save(tmp_path / "again.safetensors")
    assert load(tmp_path / "again.safetensors").fingerprint == older.fingerprint
    write_tensors(tmp_path / "odd.safetensors", tensors, header | {"model": header["model"] | {"steering": {}}})
    with pytest.raises(BowerbirdError, match="changed after it was written"):
        load(tmp_path / "odd.safetensors")
    wider = header["model"] | {"network": header["model"]["network"] | {"width": 48}}
    write_tensors(
        tmp_path / "odd.safetensors", tensors, header | {"model": wider, "fingerprint": fingerprint(tensors, wider)}
    )
    with pytest.raises(BowerbirdError, match=r"odd.safetensors: its weights are not those of its description[^\n]*$"):
        load(tmp_path / "odd.safetensors")


def test_labels_are_asked_for_as_people_have_them() -> None:
    """By values of Python as by words; a class named alone is a class, whatever else there is to ask."""
    conditions = (
        Text.fit("text", ["dog bark", "rain"]),
        Category.fit("class", ["animals", "Weather", "animals"]),
        Pitch.fit("pitch", ["60", "64"]),
        Tags.fit("qualities", ["bright,dark", "dark"]),
    )
    rows = [("dog bark", "animals", "60", "bright,dark"), ("rain", "Weather", "64", "dark")]
    joint = Joint.fit([dict(zip(("text", "class", "pitch", "qualities"), row, strict=True)) for row in rows],
                      ("text", "class", "pitch", "qualities"))  # fmt: skip
    model = ModelConfig(LogMagnitude.suited(8000, 1, 4000), ResidualOptions(width=4, widest=8), conditions, joint)
    player = Instrument(model, tensors_of(model, generator_of(model)), {}, "cpu")
    assert player.asked("weather") == {"class": "weather"}
    assert player.choose(player.asked("weather"))["class"] == "Weather"
    assert player.asked("dog") == {"text": "dog"}
    asked = player.asked({"pitch": 62.5, "qualities": {"dark", "bright"}, "text": None})
    assert asked == {"pitch": "62.5", "qualities": "bright,dark"}
    assert player.choose(asked)["qualities"] == "bright,dark"
    assert player.asked({"pitch": np.float32(60), "class": 1234567}) == {"pitch": "60", "class": "1234567"}
    assert asked_of(player, None, ["weather"]) == {"class": "weather"}
    assert player.sample(np.int64(1)).shape[0] == 1  # type: ignore[arg-type]
    for odd in (True, b"dog", [60, 64]):
        with pytest.raises(UsageError, match="is no label"):
            player.asked({"text": odd})  # type: ignore[dict-item]
    for count in ("3", 0, 2.5):
        with pytest.raises(UsageError, match=r"at least 1|whole number"):
            player.sample(count)  # type: ignore[arg-type]
    assert player.remarks({"text": "rain", "class": "Weather"}) == []
    assert player.remarks({"text": "dog", "class": "animals", "pitch": "61"}) == []
    (said,) = player.remarks({"text": "rain", "class": "animals"})
    assert "no sound that it learnt from is all of text rain, class animals" in said
    made = orders(Space(player), {"text": "dog"}, 1, 0, each_label=True)
    assert [(str(order.file.parent), order.labels["text"]) for order in made] == [("Weather", "dog"), ("animals", "dog")]


def test_missing_instruments(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no instrument at"):
        load(tmp_path / "none.safetensors")
    with pytest.raises(UsageError, match="no instrument in the folder"):
        load(tmp_path)


def test_file_holds_plain_tensors_and_json(run: Path) -> None:
    tensors = load_file(run / "instrument.safetensors")
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
    _, header = read_tensors(run / "instrument.safetensors")
    assert json.loads(json.dumps(header)) == header


def test_make_names_files_by_label_and_seed_and_draws_a_sheet(instrument: bowerbird.Instrument, tmp_path: Path) -> None:
    files, sheet = fill(
        Space(instrument), orders(Space(instrument), {"class": "kick"}, 3, 7, False), tmp_path / "a", quiet=True
    )
    assert [file.name for file in files] == ["kick_00007.wav", "kick_00008.wav", "kick_00009.wav"]
    assert sheet.read_bytes()[:4] == b"\x89PNG"
    alone, _ = fill(Space(instrument), orders(Space(instrument), {"class": "kick"}, 1, 9, False), tmp_path / "b", quiet=True)
    assert alone[0].read_bytes() == files[2].read_bytes()


def test_a_sheet_of_one_question_is_not_wider_than_can_be_looked_at(tmp_path: Path) -> None:
    pictures = [np.zeros((1, 128, 350), np.float32)] * 8
    making._draw(tmp_path / "one.png", {"glass": pictures})
    making._draw(tmp_path / "two.png", {"glass": pictures, "rain": pictures})
    with Image.open(tmp_path / "one.png") as one, Image.open(tmp_path / "two.png") as two:
        assert 2 * one.width < 1.01 * two.width
        assert one.height == two.height, "two lines each"


def test_make_each_label_in_folders(instrument: bowerbird.Instrument, tmp_path: Path) -> None:
    files, _ = fill(Space(instrument), orders(Space(instrument), {}, 2, 0, True), tmp_path, quiet=True)
    folders = {file.parent.name for file in files}
    assert folders == set(instrument.labels["class"])
    assert len(files) == 2 * len(folders)


def test_a_file_of_prompts_fills_a_folder_per_line(run: Path, tmp_path: Path) -> None:
    instrument = Space(load(run))
    (tmp_path / "list.txt").write_text("kick\n\nsnare\n")
    made = prompted(instrument, tmp_path / "list.txt", {}, 2, 5)
    assert [(str(o.file.parent), o.labels["class"], o.seed) for o in made] == [
        ("001_kick", "kick", 5), ("001_kick", "kick", 6), ("002_snare", "snare", 5), ("002_snare", "snare", 6)
    ]  # fmt: skip
    (tmp_path / "table.csv").write_text("class\nclap\n")
    assert prompted(instrument, tmp_path / "table.csv", {}, 1, 0)[0].labels == {"class": "clap"}
    (tmp_path / "bad.csv").write_text("class\nclap\ntrombone\n")
    with pytest.raises(UsageError, match=r"prompt 2: .*known: "):
        prompted(instrument, tmp_path / "bad.csv", {}, 1, 0)
    (tmp_path / "bad.csv").write_text("txt,class\nx,clap\n")
    with pytest.raises(UsageError, match=r"bad.csv: txt is no label; known: class"):
        prompted(instrument, tmp_path / "bad.csv", {}, 1, 0)
    with pytest.raises(UsageError, match=r'prompt 2: it says "snare" where "kick" is asked of all'):
        prompted(instrument, tmp_path / "list.txt", {"class": "kick"}, 1, 0)
    (tmp_path / "plain.csv").write_text("kick\nsnare\n")
    assert [o.labels["class"] for o in prompted(instrument, tmp_path / "plain.csv", {}, 1, 0)] == ["kick", "snare"]
    (tmp_path / "empty.csv").write_text("\n")
    for name in ("empty.csv", "nowhere.csv"):
        with pytest.raises(UsageError, match=r"no prompts|no file"):
            prompted(instrument, tmp_path / name, {}, 1, 0)
