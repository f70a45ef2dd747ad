"""`prepare` on real folders: what it keeps, what it notices, and every kind of bad input."""

import csv
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bowerbird.data.dataset import Dataset
from bowerbird.data.kit import write_kit
from bowerbird.data.options import PrepareOptions
from bowerbird.data.prepare import prepare
from bowerbird.data.tables import Table, resolved
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.table_file import read_header, read_table

RATE = 16000


def tone(seconds: float = 0.3, hz: float = 440.0, level: float = 0.5, rate: int = RATE) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    return level * np.sin(2 * np.pi * hz * t) * np.exp(-4 * t / seconds)


def save(path: Path, sound: np.ndarray, rate: int = RATE, **options: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, sound, rate, **options)


def prepared(folder: Path, **options: object) -> tuple[Dataset, dict]:
    target = folder.parent / "dataset"
    dataset = prepare(folder, target, PrepareOptions(**options), quiet=True)
    return dataset, json.loads((target / "report.json").read_text())


def test_every_format_depth_rate_and_channel_count(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    kinds = {
        "a.wav": ({"subtype": "PCM_16"}, 44100), "b.wav": ({"subtype": "PCM_24"}, 96000),
        "c.wav": ({"subtype": "FLOAT"}, 16000), "d.wav": ({"subtype": "ULAW"}, 8000), "e.flac": ({}, 48000),
        "f.ogg": ({"format": "OGG", "subtype": "VORBIS"}, 44100), "g.mp3": ({"format": "MP3"}, 44100),
        "h.aiff": ({}, 22050), "k.caf": ({}, 22050),
        "i.opus": ({"format": "OGG", "subtype": "OPUS"}, 48000), "j.wav": ({"subtype": "PCM_U8"}, 11025),
    }  # fmt: skip
    for name, (options, rate) in kinds.items():
        sound = tone(rate=rate)
        save(sounds / "x" / name, np.stack([sound] * 3 if name == "e.flac" else [sound] * 2, 1), rate, **options)
    dataset, report = prepared(sounds, sample_rate_hz=RATE)
    assert report["skipped"] == {}
    assert len(dataset) == len(kinds)
    assert dataset.channels == 2
    reference = tone()
    for index, entry in enumerate(dataset.entries):
        sound = dataset.sound(index)[0]
        spectrum = np.abs(np.fft.rfft(sound, RATE))
        assert abs(int(spectrum.argmax()) - 440) <= 2, entry["file"]
        assert 0.9 < np.abs(sound).max() / np.abs(reference).max() < 1.1, entry["file"]


def save_m4a(path: Path, sound: np.ndarray, rate: int) -> None:
    av = pytest.importorskip("av", reason="PyAV is not installed")
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound[None].astype(np.float32), format="fltp", layout="mono")
        frame.sample_rate = rate
        for part in (frame, None):
            container.mux(stream.encode(part))


def test_m4a_with_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_m4a(tmp_path / "sounds" / "a.m4a", tone(0.8), RATE)
    dataset, _ = prepared(tmp_path / "sounds")
    assert dataset.sample_rate_hz == RATE
    sound = dataset.sound(0)[0]
    assert abs(int(np.abs(np.fft.rfft(sound, RATE)).argmax()) - 440) <= 2
    assert 0.6 < len(sound) / RATE < 0.95
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BowerbirdError, match=r"pip install \"bowerbird\[m4a\]\""):
        prepared(tmp_path / "sounds")


def test_short_sounds_are_kept_and_long_ones_cut_with_a_fade(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    save(sounds / "short.wav", tone(0.01))
    save(sounds / "long.wav", np.full(5 * RATE, 0.5))
    dataset, report = prepared(sounds, seconds=1.0)
    lengths = {e["file"]: e["samples"] for e in dataset.entries}
    assert lengths == {"short.wav": 160, "long.wav": RATE}
    assert report["notes"] == {"cut to the first 1 s": ["long.wav"]}
    long = dataset.sound([e["file"] for e in dataset.entries].index("long.wav"))
    assert abs(long[0, -1]) < 1e-3
    assert np.abs(np.diff(long[0])).max() < 0.01


def test_even_slices_cover_a_long_file(tmp_path: Path) -> None:
    save(tmp_path / "sounds" / "field.wav", np.random.default_rng(0).uniform(-0.5, 0.5, int(3.5 * RATE)))
    dataset, _ = prepared(tmp_path / "sounds", seconds=1.0, slices="even")
    assert [entry["start_s"] for entry in dataset.entries] == [0, 1, 2, 3]
    assert sum(entry["samples"] for entry in dataset.entries) == int(3.5 * RATE)


def test_runs_and_files_are_not_folders_of_sounds(run: Path, dataset: Dataset, tmp_path: Path) -> None:
    for wrong, says in ((run, "training run"), (dataset.folder, "prepared dataset"), (run / "config.json", "is a file")):
        with pytest.raises(UsageError, match=says):
            prepare(wrong, tmp_path / "out", PrepareOptions(), quiet=True)


def test_scraps_of_long_files_are_left_out_and_said(tmp_path: Path) -> None:
    save(tmp_path / "sounds" / "field.wav", np.random.default_rng(0).uniform(-0.5, 0.5, int(3.02 * RATE)))
    dataset, report = prepared(tmp_path / "sounds", seconds=1.0, slices="even")
    assert [entry["start_s"] for entry in dataset.entries] == [0, 1, 2]
    assert any("left out" in note for note in report["notes"])


def test_integers_in_a_float_file_do_not_drown_the_others(tmp_path: Path) -> None:
    save(tmp_path / "sounds" / "fine.wav", tone())
    save(tmp_path / "sounds" / "integers.wav", 32767 * tone(), subtype="FLOAT")
    dataset, report = prepared(tmp_path / "sounds")
    assert all(entry["peak_db"] <= 0 for entry in dataset.entries)
    assert any("scaled down" in note for note in report["notes"])


def test_silence_is_trimmed_but_a_quiet_tail_stays(tmp_path: Path) -> None:
    tail = np.linspace(1, 0.003, RATE) * np.random.default_rng(0).uniform(-0.9, 0.9, RATE)
    save(tmp_path / "sounds" / "a.wav", np.concatenate([np.zeros(RATE), tail, np.zeros(RATE)]), subtype="FLOAT")
    dataset, _ = prepared(tmp_path / "sounds", seconds=4.0)
    assert RATE <= dataset.entries[0]["samples"] <= 1.05 * RATE
    kept, _ = prepared(tmp_path / "sounds", seconds=4.0, trim=False)
    assert kept.entries[0]["samples"] == 3 * RATE


def test_level_is_kept_unless_asked(tmp_path: Path) -> None:
    save(tmp_path / "sounds" / "a.wav", tone(level=0.1))
    assert prepared(tmp_path / "sounds")[0].entries[0]["peak_db"] == pytest.approx(-20, abs=1)
    assert prepared(tmp_path / "sounds", level="peak")[0].entries[0]["peak_db"] == pytest.approx(-1, abs=0.05)


def test_labels_are_the_folders_below_the_shared_ones(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    for name in ("audio/kick/808/a.wav", "audio/kick/909/b.wav", "audio/snare/c.wav"):
        save(sounds / name, tone())
    dataset, report = prepared(sounds)
    assert report["labels"] == {"class": {"kick/808": 1, "kick/909": 1, "snare": 1}}
    assert [one["class"] for one in dataset.labels([0, 1, 2])] == ["kick/808", "kick/909", "snare"]
    save(sounds / "loose.wav", tone())
    assert set(prepared(sounds)[1]["labels"]["class"]) == {"audio/kick/808", "audio/kick/909", "audio/snare", "unsorted"}


def test_folders_are_classes_and_names_texts_at_once(tmp_path: Path) -> None:
    for name in ("audio/kick/deepThump_01.wav", "audio/kick/dry knock.wav", "audio/snare/crackSharp.wav"):
        save(tmp_path / "sounds" / name, tone(hz=300 + 50 * len(name)))
    dataset, _ = prepared(tmp_path / "sounds", labels="folder,filename")
    assert dataset.kinds == {"text": "text", "class": "category"}
    said = {(one["class"], one["text"]) for one in dataset.labels([0, 1, 2])}
    assert said == {
        ("kick", "audio kick deep thump"),
        ("kick", "audio kick dry knock"),
        ("snare", "audio snare crack sharp"),
    }


def test_a_folder_without_folders_has_no_labels(tmp_path: Path) -> None:
    save(tmp_path / "sounds" / "a.wav", tone())
    dataset, _ = prepared(tmp_path / "sounds")
    assert dataset.labels([0]) == [{}]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_labels_from_a_table(tmp_path: Path, separator: str) -> None:
    sounds = tmp_path / "sounds"
    rows = [("file", "class", "subclass", "license", "drummer")]
    for number in range(4):
        save(sounds / f"{number}.wav", tone(hz=300 + 200 * number))
        rows.append((f"{number}.wav", "kick", "808" if number else "", "CC0", "ann"))
    rows += [("9.wav", "kick", "", "CC0", "bob"), ("0.wav", "snare", "", "CC0", "bob")]
    save(sounds / "extra.wav", tone())
    with (sounds / "list.csv").open("w", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    _, report = prepared(sounds, labels="csv", group="drummer")
    assert report["labels"] == {"class": {"kick": 1, "kick/808": 3}}
    assert report["licences"] == {"CC0": 4}
    assert set(report["skipped"]) == {"9.wav", "0.wav (again)", "extra.wav"}
    with pytest.raises(UsageError, match='no column "colour"'):
        prepared(sounds, labels="csv", columns="colour")
    with (sounds / "list.csv").open("a") as file:
        file.write(separator.join(["1.wav", "kick", "low", "CC0", "ann", "and more"]) + "\n")
    with pytest.raises(UsageError, match=r"line 8 of .*list.csv has more cells"):
        prepared(sounds, labels="csv")
    (sounds / "list.csv").write_text(f'file{separator}class\n0.wav{separator}"kick\n1.wav{separator}snare\n')
    with pytest.raises(UsageError, match=r"line 2 of .*list.csv has a quote that is never closed"):
        prepared(sounds, labels="csv")


def test_a_table_means_the_one_sound_that_it_can_mean(tmp_path: Path) -> None:
    names = ["audio/animals/Dog.wav", "audio/animals/cat.wav", "audio/doors/cat.flac", "audio/doors/Slam.wav"]
    (tmp_path / "link").symlink_to(tmp_path)

    def means(*written: str, folder: Path = tmp_path) -> list[str]:
        table = Table([{"file": one} for one in written], ["file"], "file", "a table", "")
        return [row["file"] for row in resolved(table, folder, names).rows]

    ways = ("audio/animals/Dog.wav", "./audio/animals/Dog.wav", " animals\\dog.WAV ", "Dog.wav", "dog", "animals/dog")
    for way in (*ways, f"{tmp_path}/audio/animals/Dog.wav"):
        assert means(way) == ["audio/animals/Dog.wav"]
    assert means(f"{tmp_path}/link/dog.wav", folder=tmp_path / "link") == ["audio/animals/Dog.wav"]
    assert means("animals/cat", "cat.flac") == ["audio/animals/cat.wav", "audio/doors/cat.flac"]
    assert means("cat", "bird.wav", "") == ["cat", "bird.wav", ""], "several or none"
    assert means("slam", "audio/doors/Slam.wav") == ["slam", "audio/doors/Slam.wav"], "another row names it exactly"


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('file,text\na.wav,"dog, barking"\n\nb.wav\n', [("a.wav", "dog, barking"), ("b.wav", "")]),
        ("\nfile,text,\na.wav,dog,\n", [("a.wav", "dog")]),
        (",file,text\n0,a.wav,dog\n", [("a.wav", "dog")]),
        ('file, text\na.wav, "dog, barking" \n', [("a.wav", "dog, barking ")]),
        ('file;text\na.wav;5" nail\nb.wav;a 6" one\n', [("a.wav", '5" nail'), ("b.wav", 'a 6" one')]),
    ],
)
def test_tables_of_people_are_read(tmp_path: Path, text: str, rows: list[tuple[str, str]]) -> None:
    (tmp_path / "t.csv").write_text(text)
    read, header = read_table(tmp_path / "t.csv")
    assert header == ["file", "text"]
    assert [(row["file"], row["text"]) for row in read] == rows
    assert [name for name in read_header(tmp_path / "t.csv") if name] == header


@pytest.mark.parametrize(
    ("text", "trouble"),
    [
        ("file,text\na.wav,dog\nb.wav,dog, barking\n", "line 3 .* more cells"),
        (",file,text\n0,a.wav,dog, barking\n", "line 2 .* more cells"),
        ("file,text,\na.wav,dog, barking\n", "line 2 .* more cells"),
        ('file,text\na.wav,dog\nb.wav,"dog\nc.wav,cat\n', "line 3 .* never closed"),
    ],
)
def test_a_table_that_would_lose_what_people_wrote_is_refused(tmp_path: Path, text: str, trouble: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(UsageError, match=trouble):
        read_table(tmp_path / "t.csv")


def test_labels_from_file_names(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    for name in ("seven_ann_1.wav", "seven_bob_1.wav", "two_ann_1.wav", "readme.wav"):
        save(sounds / name, tone())
    pattern = "{class}_{speaker}_{take}"
    dataset, report = prepared(sounds, labels="filename", pattern=pattern, columns="class,speaker", group="speaker")
    assert dataset.conditions == ("class", "speaker")
    assert report["labels"] == {"class": {"seven": 2, "two": 1}, "speaker": {"ann": 2, "bob": 1}}
    assert report["skipped"] == {"readme.wav": f'its name does not fit the pattern "{pattern}"'}
    assert prepared(sounds, labels="filename", pattern=pattern)[0].conditions == ("class",)
    with pytest.raises(UsageError, match="of a --pattern"):
        prepared(sounds, labels="filename", columns="class")
    with pytest.raises(UsageError, match="of --labels filename"):
        prepared(sounds, pattern=pattern)
    with pytest.raises(UsageError, match="twice"):
        prepared(sounds, labels="filename", pattern="{a}_{a}")
    with pytest.raises(BowerbirdError, match="labels none"):
        prepared(sounds, labels="filename", pattern="{a}+{b}")


@pytest.mark.parametrize("suffix", ["wav", "flac"])
def test_labels_as_nsynth_has_them(tmp_path: Path, suffix: str) -> None:
    sounds = tmp_path / "sounds"
    notes = {}
    for pitch in (60, 64):
        save(sounds / "audio" / f"flute_{pitch}.{suffix}", tone())
        facts = {"pitch": pitch, "velocity": 100, "instrument_family_str": "flute", "instrument_source_str": "acoustic"}
        notes[f"flute_{pitch}"] = {**facts, "instrument_str": "flute_000", "qualities_str": ["dark", "bright"][: pitch - 60]}
    notes["lost"] = {**notes["flute_60"], "pitch": "high"}
    (sounds / "examples.json").write_text(json.dumps(notes))
    dataset, report = prepared(sounds, labels="nsynth")
    assert dataset.labels([0, 1]) == [{"family": "flute", "pitch": "60"}, {"family": "flute", "pitch": "64"}]
    assert dataset.conditions == ("family", "pitch")
    assert list(report["skipped"]) == ["lost"]
    everything, _ = prepared(sounds, labels="nsynth", columns="family,source,pitch,velocity,qualities")
    assert everything.labels([1])[0]["qualities"] == "bright,dark"
    assert everything.labels([0])[0] == {
        "family": "flute", "source": "acoustic", "pitch": "60", "velocity": "100", "qualities": "none"
    }  # fmt: skip
    assert list(everything.kinds.values()) == ["category", "category", "pitch", "number", "tags"]
    with pytest.raises(UsageError, match="there is no"):
        prepared(sounds / "audio", labels="nsynth")


def test_a_pitch_that_is_none_is_skipped_and_said(tmp_path: Path) -> None:
    for name in ("bell_C4", "bell_61", "bell_loud"):
        save(tmp_path / "sounds" / f"{name}.wav", tone())
    dataset, report = prepared(tmp_path / "sounds", labels="filename", pattern="{name}_{pitch}")
    assert report["labels"] == {"pitch": {"60": 1, "61": 1}}
    assert report["skipped"] == {"bell_loud.wav": '"loud" is no pitch: a MIDI number or a note such as A3'}
    assert len(dataset) == 2


def test_labels_may_be_missing_and_have_kinds(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    rows = [("file", "class", "wear", "tags", "notes", "empty"), ("0.wav", "door", "0.5", "wood; big", "C4", "")]
    rows += [
        ("1.wav", "", "", "", "", ""),
        ("2.wav", "gate/iron", "2", "none", "", ""),
        ("3.wav", "door", "old", "", "", ""),
    ]
    for number in range(4):
        save(sounds / f"{number}.wav", tone(hz=300 + 200 * number))
    with (sounds / "list.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    dataset, report = prepared(sounds, labels="csv", columns="class,wear:number,tags,notes:pitch", measure="brightness")
    assert dataset.kinds == {
        "class": "category", "wear": "number", "tags": "tags", "notes": "pitch", "brightness": "brightness"
    }  # fmt: skip
    labels = dataset.labels([0, 1, 2])
    for label, hz in zip(labels, (300, 500, 700), strict=True):
        assert float(label.pop("brightness")) == pytest.approx(hz, rel=0.1)
    assert labels[0] == {"class": "door", "wear": "0.5", "tags": "big,wood", "notes": "60"}
    assert labels[1] == {"class": "", "wear": "", "tags": "", "notes": ""}
    assert labels[2] == {"class": "gate-iron", "wear": "2", "tags": "none", "notes": ""}
    assert report["skipped"] == {"3.wav": '"old" is no number'}
    assert "1 of 3 sounds have no class" in (tmp_path / "dataset" / "report.txt").read_text()
    for columns, trouble in (("empty", "is empty"), ("class:kind", "no kind of label"), ("colour", "no column")):
        with pytest.raises(UsageError, match=trouble):
            prepared(sounds, labels="csv", columns=columns)
    with pytest.raises(UsageError, match="cannot be measured; known: brightness"):
        prepared(sounds, measure="wear")


def test_near_duplicates_are_found_and_stay_together(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    write_kit(sounds, 8, quiet=True)
    original, _ = soundfile.read(sounds / "snare" / "snare_000.wav")
    for copy in range(6):
        noise = 1e-4 * np.random.default_rng(copy).standard_normal(len(original))
        save(sounds / "snare" / f"copy_{copy}.wav", (0.9 - 0.1 * copy) * original + noise, 44100)
    dataset, report = prepared(sounds, validation=0.3)
    snares = [e for e in dataset.entries if e["file"] == "snare/snare_000.wav" or "copy" in e["file"]]
    assert len({e["duplicates"] for e in snares}) == 1
    assert snares[0]["duplicates"] is not None
    assert len({e["part"] for e in snares}) == 1
    assert 0.15 < report["validation"] / len(dataset) < 0.35
    different = [e for e in dataset.entries if e["labels"]["class"] == "kick" and e["duplicates"] == snares[0]["duplicates"]]
    assert not different
    for label in report["labels"]["class"]:
        assert any(e["labels"]["class"] == label and e["part"] == "train" for e in dataset.entries)


def test_same_sounds_same_fingerprint(kit: Path, dataset: Dataset, tmp_path: Path) -> None:
    options = PrepareOptions(sample_rate_hz=16000, seconds=0.4)
    again = prepare(kit, tmp_path / "again", options, quiet=True)
    other = prepare(kit, tmp_path / "other", PrepareOptions(sample_rate_hz=16000, seconds=0.3), quiet=True)
    assert again.fingerprint == dataset.fingerprint != other.fingerprint


def test_bad_files_are_reported_and_the_good_ones_used(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    save(sounds / "dir with space" / "ünïcode 🥁.WAV", tone(), format="WAV")
    save(sounds / "nan.wav", np.array([0.1, np.nan, 0.2]), subtype="FLOAT")
    save(sounds / "silent.wav", np.zeros(RATE))
    save(sounds / "no_samples.wav", np.zeros(0))
    save(sounds / "opposite.wav", np.stack([tone(), -tone()], 1))
    (sounds / "zero_bytes.wav").touch()
    (sounds / "text.wav").write_text("not a sound")
    (sounds / "notes.txt").write_text("not a sound either")
    save(sounds / "flac.flac", tone(2.0))
    (sounds / "cut.flac").write_bytes((sounds / "flac.flac").read_bytes()[:3000])
    save(sounds / "long.wav", tone(2.0))
    (sounds / "cut.wav").write_bytes((sounds / "long.wav").read_bytes()[:20001])
    save(sounds / "._kick.wav", tone())
    save(sounds / ".hidden.wav", tone())
    (sounds / "loop").symlink_to(sounds)
    (sounds / "dangling.wav").symlink_to(sounds / "nowhere.wav")
    dataset, report = prepared(sounds, channels=1)
    used = {entry["file"] for entry in dataset.entries}
    assert {"dir with space/ünïcode 🥁.WAV", "flac.flac", "long.wav", "cut.wav"} <= used
    reasons = report["skipped"]
    assert reasons["nan.wav"] == "contains NaN or infinity"
    assert reasons["silent.wav"] == "silent"
    assert reasons["opposite.wav"].startswith("silent when mixed")
    assert reasons["no_samples.wav"] == "no samples in it"
    assert reasons["._kick.wav"] == reasons[".hidden.wav"] == "hidden"
    assert {"zero_bytes.wav", "text.wav", "dangling.wav"} <= set(reasons)
    assert len(report["notes"]["truncated, used what is left"]) == 1
    assert "cut.flac" in reasons or "cut.flac" in used
    assert not any("notes" in name for name in reasons)


def test_a_ten_minute_file_among_one_shots(tmp_path: Path) -> None:
    for number in range(20):
        save(tmp_path / "sounds" / f"{number}.wav", tone(0.2, 300 + 30 * number))
    save(tmp_path / "sounds" / "concert.wav", np.random.default_rng(0).uniform(-0.5, 0.5, 600 * RATE))
    dataset, report = prepared(tmp_path / "sounds")
    assert dataset.samples == int(0.2 * RATE)
    assert list(report["notes"]) == ["cut to the first 0.2 s"]


def test_a_library_with_a_dataset_json_of_its_own_is_never_replaced(tmp_path: Path) -> None:
    save(tmp_path / "sounds" / "a.wav", tone())
    (tmp_path / "sounds" / "dataset.json").write_text("{}")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "report.txt").write_text("precious")
    with pytest.raises(UsageError, match="other things"):
        prepare(tmp_path / "sounds", tmp_path / "other", PrepareOptions(), quiet=True)
    with pytest.raises(UsageError, match="other things"):
        prepare(tmp_path / "sounds", tmp_path / "sounds", PrepareOptions(), quiet=True)
    assert (tmp_path / "sounds" / "a.wav").exists()


def test_odd_bytes_in_names_and_tiny_files(tmp_path: Path) -> None:
    sounds = tmp_path / "sounds"
    save(sounds / "a.wav", tone())
    (sounds / "a.wav").rename(Path(os.fsdecode(os.fsencode(sounds) + b"/caf\xe9.wav")))
    save(sounds / "one_sample.wav", np.array([0.5]), 44100)
    save(sounds / "late.wav", np.concatenate([np.zeros(2 * RATE), tone()]))
    dataset, report = prepared(sounds, sample_rate_hz=8000, seconds=0.5, trim=False)
    assert "caf\\xe9.wav" in {entry["file"] for entry in dataset.entries}
    assert report["skipped"]["late.wav"] == "its first 0.5 s are silent"


@pytest.mark.parametrize("kind", ["missing", "empty", "no audio", "all bad", "target is no dataset"])
def test_hopeless_input_is_one_sentence_and_leaves_nothing(tmp_path: Path, kind: str) -> None:
    sounds, target = tmp_path / "sounds", tmp_path / "dataset"
    if kind != "missing":
        sounds.mkdir()
    if kind == "no audio":
        (sounds / "readme.txt").write_text("hello")
    if kind == "all bad":
        (sounds / "a.wav").write_text("hello")
    if kind == "target is no dataset":
        save(sounds / "a.wav", tone())
        target.mkdir()
        (target / "thesis.txt").write_text("precious")
    with pytest.raises(BowerbirdError) as error:
        prepare(sounds, target, PrepareOptions(), quiet=True)
    assert "\n" not in str(error.value)
    assert not target.exists() or (target / "thesis.txt").read_text() == "precious"
    assert not list(tmp_path.glob(".*partial"))


@pytest.mark.parametrize(
    "options",
    [{"sample_rate_hz": 4000}, {"seconds": 0}, {"channels": 3}, {"validation": 1.0}, {"slices": "odd"}, {"labels": "magic"}],
)
def test_options_out_of_range(options: dict) -> None:
    with pytest.raises(UsageError):
        PrepareOptions(**options)


def test_changed_dataset_is_noticed(kit: Path, tmp_path: Path) -> None:
    target = tmp_path / "dataset"
    prepare(kit, target, PrepareOptions(sample_rate_hz=8000, seconds=0.2), quiet=True)
    dataset = Dataset(target)
    dataset.check(0)
    shard = target / "shard-000.f32"
    samples = bytearray(shard.read_bytes())
    samples[1001] ^= 1
    shard.write_bytes(samples)
    with pytest.raises(BowerbirdError, match="changed after preparing"):
        Dataset(target).check(0)
    shard.write_bytes(samples[:-4])
    with pytest.raises(BowerbirdError, match="cut short"):
        Dataset(target)
    (target / "manifest.jsonl").write_text((target / "manifest.jsonl").read_text().replace("kick", "tick"))
    with pytest.raises(BowerbirdError, match="manifest"):
        Dataset(target)


@pytest.mark.slow
def test_the_shared_drums(drums: Path, tmp_path: Path) -> None:
    options = PrepareOptions(labels="csv", group="collection", validation=0.2)
    dataset = prepare(drums, tmp_path / "drums", options, quiet=True)
    assert len(dataset) == 1092
    assert dataset.facts["licences"]["CC0-1.0"] == 433
    assert sum(dataset.facts["licences"].values()) == 1092
    assert {labels["class"].split("/")[0] for labels in dataset.labels(list(range(1092)))} == {
        "clap", "cymbal", "hihat", "kick", "perc", "snare", "tom"
    }  # fmt: skip
