"""Hallucinations and what is found: scores, files of any length, real sounds in the space, the map, and their commands."""

import json
import math
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr
import torch
from PIL import Image

from bowerbird.asking import point_of
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.instrument import load
from bowerbird.latent import morph
from bowerbird.latent.drift import Drift
from bowerbird.latent.morph import render, shaped
from bowerbird.latent.projection import fitted, nearest, project
from bowerbird.latent.score import Change, Envelope, Point, Score, read_score
from bowerbird.latent.space import Space, Spot
from bowerbird.latent.strip import _marks
from tests.conftest import here

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
KICK, SNARE = Point(1, {"class": "kick"}), Point(2, {"class": "snare"})


@pytest.fixture(scope="module")
def space(run: Path) -> Space:
    return Space(load(run))


def test_a_score_is_read_as_it_was_written(tmp_path: Path) -> None:
    score = Score(
        [KICK, SNARE], 3, 0.5, 120.0, "spline", True, False, Envelope(attack_s=0.01), {"2": Change(length_s=0.1)}, "f"
    )
    score.save(tmp_path / "s.json")
    assert read_score(tmp_path / "s.json") == score
    assert score.count == 5
    assert score.spacing_s == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("change", "trouble"),
    [
        ({"colour": 1}, 'has no "colour"; known: changes'),
        ({"points": [{"sead": 1}]}, 'has no "sead"'),
        ({"spacing": math.nan}, "spacing of nan is out of range"),
        ({"steps": 1_000_000}, r"would last 69 hours; take fewer steps"),
        ({"steps": -1}, "steps of -1 is out of range"),
        ({"envelope": {"release_s": -0.1}}, "release_s of -0.1 is out of range"),
        ({"path": "detour"}, "known: linear, slerp, spline"),
        ({"points": []}, "number of points"),
        ({"changes": {"99": {"length_s": 1}}}, "from 0 to 4"),
        ({"changes": {"1": {"loudness": 1}}}, r'changes.1 has no "loudness"; known: labels, length_s, moves'),
        ({"changes": {"1": {"moves": {"1": "far"}}}}, r'changes.1.moves.1 is "far"; it must be a number'),
        ({"changes": [1]}, r"changes is \[1\]; it must be names with values, in {braces}"),
        ({"points": ["kick"]}, r'points\[0\] is "kick"; it must be names'),
        ({"points": [{}, {"labels": {"class": 5}}]}, r'points\[1\].labels.class is 5; it must be a text, in "quotes"'),
        ({"points": [{"seed": 1.5}]}, r"points\[0\].seed is 1.5; it must be a whole number"),
        ({"points": [{"seed": -1}]}, r"points\[0\]: a seed of -1 is out of range"),
        ({"points": [{"z": ["a"]}]}, r'points\[0\].z\[0\] is "a"; it must be a number'),
        ({"envelope": None}, "envelope is null; it must be names"),
        ({"envelope": {"length_s": 0}}, "length_s of 0.0 is out of range"),
        ({"mapped": "no"}, 'mapped is "no"; it must be true or false'),
        ({"steps": True}, "steps is true; it must be a whole number"),
        ({"mapped": True, "changes": {"1": {"labels": {"class": "snare"}}}}, "set mapped to false"),
        ({"steps": "many"}, 'steps is "many"; it must be a whole number'),
        ({"what": "song"}, "is no score"),
    ],
)
def test_a_score_that_makes_no_sense_is_refused(change: dict, trouble: str, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    Score([KICK, SNARE], 3).save(path)
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UsageError, match=trouble):
        read_score(path)


def test_the_same_score_gives_the_same_file(space: Space, tmp_path: Path) -> None:
    score = Score([KICK, SNARE, Point(3)], 4, 0.1, instrument=space.instrument.fingerprint)
    done = render(space, score, tmp_path / "a.wav", quiet=True)
    render(space, score, tmp_path / "b.wav", quiet=True)
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert done["sounds"] == done["of"] == 11
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.wav", "b.wav"], "nothing else stays"
    with pytest.raises(UsageError, match="is of the instrument 0000"):
        render(space, Score([KICK], instrument="0000"), tmp_path / "c.wav", quiet=True)


def test_sounds_are_laid_over_each_other(space: Space, tmp_path: Path) -> None:
    plain = Envelope(release_s=0.0)
    score = Score([KICK, SNARE], 1, 0.05, even=False, envelope=plain)
    done = render(space, score, tmp_path / "a.wav", 32, quiet=True)
    keys = [space.at(point) for point in score.points]
    middle = space.between(keys, 0.5)
    sounds = [sound for sound, _ in space.play([keys[0], middle, keys[1]])]
    wanted = np.zeros((1, 2 * 800 + sounds[0].shape[1]))
    for number, sound in enumerate(sounds):
        wanted[:, 800 * number : 800 * number + sound.shape[1]] += sound
    found, rate = soundfile.read(tmp_path / "a.wav", always_2d=True)
    assert rate == 16000
    gain = 10 ** (done["gain_db"] / 20)
    np.testing.assert_allclose(found.T, gain * wanted[:, : len(found)], atol=2e-3)
    assert np.abs(wanted[:, len(found) :]).max(initial=0) == 0


def test_levels_go_evenly_by_what_is_heard(space: Space, tmp_path: Path) -> None:
    score = Score([SNARE, Point(5, {"class": "snare"})], 3, 0.5, envelope=Envelope(trim_s=0.03, length_s=0.2))
    render(space, score, tmp_path / "w.wav", 32, quiet=True)
    sound, rate_hz = soundfile.read(tmp_path / "w.wav", always_2d=True)
    levels = [morph.level_db(sound.T[:, int(k * 0.5 * rate_hz) :][:, : int(0.2 * rate_hz)], rate_hz) for k in range(5)]
    np.testing.assert_allclose(levels, np.linspace(levels[0], levels[-1], 5), atol=0.2)


def test_no_peak_between_samples_clips(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score = Score([KICK, SNARE], 20, 0.002)
    plain = render(space, score, tmp_path / "a.wav", 32, quiet=True)
    sounds, rate = soundfile.read(tmp_path / "a.wav")
    between = np.abs(soxr.resample(sounds, rate, 4 * rate)).max()
    assert 20 * math.log10(between) == pytest.approx(plain["true_peak_db"], abs=0.1)
    monkeypatch.setattr(morph, "LOUDEST", 0.5 * between)  # as if that were full scale
    done = render(space, score, tmp_path / "b.wav", 32, quiet=True)
    assert done["gain_db"] == pytest.approx(-6.02, abs=0.1)
    found, _ = soundfile.read(tmp_path / "b.wav")
    np.testing.assert_allclose(found, sounds * 10 ** (done["gain_db"] / 20), atol=1e-4)


def test_a_walk_that_is_stopped_leaves_what_there_is(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = space.play

    def stopped(spots: Iterable[Spot]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for number, heard in enumerate(played(spots)):
            if number == 3:  # as Ctrl-C does
                raise KeyboardInterrupt
            yield heard

    monkeypatch.setattr(space, "play", stopped)
    done = render(space, Score([KICK, SNARE], 8, 0.1, even=False), tmp_path / "a.wav", quiet=True)
    assert (done["sounds"], done["of"]) == (3, 10)
    assert 0.2 < soundfile.info(tmp_path / "a.wav").duration <= 0.6
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


def test_envelopes_lead_the_level() -> None:
    rate, flat = 1000, np.ones((1, 1000))
    found = shaped(flat, Envelope(0.1, 0.1, 0.2, 0.5, 0.1, 0.8), rate)[0]
    assert len(found) == 800
    assert found[[0, 50, 100, 200, 400, 650]] == pytest.approx([0, 0.5, 1, 0.75, 0.5, 0.5], abs=0.02)
    assert found[-1] < 0.01
    assert shaped(flat, Envelope(release_s=0.0), rate).sum() == 1000
    assert shaped(flat, Envelope(trim_s=2.0), rate).shape == (1, 0)


def test_single_sounds_differ_where_told(space: Space, tmp_path: Path) -> None:
    plain = render(space, Score([KICK, KICK], 3, 0.5), tmp_path / "a.wav", quiet=True)
    changes = {"2": Change({"class": "snare"}), "4": Change(length_s=0.1)}
    changed = render(space, Score([KICK, KICK], 3, 0.5, changes=changes), tmp_path / "b.wav", quiet=True)
    one, other = (soundfile.read(tmp_path / name)[0] for name in ("a.wav", "b.wav"))
    np.testing.assert_allclose(one[:16000], other[:16000], atol=1e-4)
    assert np.abs(one[16000:20000] - other[16000:20000]).max() > 0.01
    assert changed["seconds"] == pytest.approx(2.1, abs=0.01) != plain["seconds"]
    for change, trouble in (
        (Change({"colour": "red"}), 'changes.1 of the score: this instrument has no label "colour"'),
        (Change(moves={"1": 1.0}), "changes.1 of the score: this instrument has no directions yet"),
        (Change(moves={"1": 1e9}), "1=1e.09 is out of range"),
    ):
        with pytest.raises(UsageError, match=trouble):
            render(space, Score([KICK, KICK], 3, changes={"1": change}), tmp_path / "c.wav", quiet=True)
    with pytest.raises(UsageError, match=r"points.1. of the score: .*no label"):
        render(space, Score([KICK, Point(labels={"colour": "red"})]), tmp_path / "c.wav", quiet=True)
    with pytest.raises(UsageError, match=r"trim_s of 50 leaves nothing of sounds of 0.4 s"):
        render(space, Score([KICK], envelope=Envelope(50)), tmp_path / "c.wav", quiet=True)
    assert not (tmp_path / "c.wav").exists()


def test_a_sound_of_the_instrument_is_found_again(space: Space, tmp_path: Path) -> None:
    ((sound, _),) = space.play([space.spot(12345, {"class": "tom"})])
    soundfile.write(tmp_path / "tom.wav", np.pad(0.5 * sound[0], (4000, 0)), 16000)
    wanted = fitted(space, tmp_path / "tom.wav")
    assert wanted.shape == (1, 6400)
    found = project(space, wanted, {"class": "tom"}, quiet=True)
    assert found.distance < found.random.min(), "nearer than any of 512 random ones, though silent before and quieter"
    apart = nearest(space, sound, [np.stack([0.1 * sound, sound]), np.zeros((1, 1, 6400), np.float32)], 2)
    assert apart[0] == (1, pytest.approx(0, abs=1e-6))
    soundfile.write(tmp_path / "silent.wav", np.zeros(4000), 16000)
    (tmp_path / "bad.wav").write_bytes(b"no sound")
    for name, trouble in (("silent.wav", "is silent"), ("none.wav", "no sound at"), ("bad.wav", "bad.wav: not readable")):
        with pytest.raises(BowerbirdError, match=trouble):
            fitted(space, tmp_path / name)


@pytest.fixture(scope="module")
def told(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the instrument with directions, found by its command."""
    path = tmp_path_factory.mktemp("told") / "kit.safetensors"
    shutil.copy(run / "instrument.safetensors", path)
    done = here("directions", path, "--samples", 400, "--components", 5, "--no-describe", "--quiet", "--json")
    assert done.returncode == 0, done.stderr
    assert len(json.loads(done.stdout)["explained"]) == 5
    assert path.with_suffix(".mapping.png").exists()
    return path


def test_a_place_is_written_as_people_think_of_it(run: Path) -> None:
    player = load(run)

    def said(written: str) -> Point:
        return point_of(player, written, 3, {}, {})

    assert said("17") == Point(17)
    assert said("@airy") == Point(name="airy")
    assert said("kick") == said("class=kick") == Point(3, {"class": "kick"})
    assert said("17,class=kick") == Point(17, {"class": "kick"})
    with pytest.raises(UsageError, match="kick"):
        player.choose(said("17,class=kazoo").labels, seed=0)


def test_the_commands_lead_from_place_to_place(told: Path, tmp_path: Path) -> None:
    assert here("directions", told, "--layers").stdout.split() == ["mapping", "start", "widen", "blocks.0", "blocks.1"]
    assert here("keep", told, "thump", "--seed", 3, "-l", "kick", "--move", "1=1").returncode == 0
    assert here("keep", told, "odd", "--move", "1=1", "--move", "2=-0.5").returncode == 0
    assert "@thump: seed 3" in here("keep", told).stdout
    words = ["morph", told, "--point", "@thump", "--point", "snare", "--point", 5, "--steps", 2, "--spacing", 0.1, "--quiet"]
    done = here(*words, "-o", tmp_path / "walk.wav", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["sounds"] == 7
    again = here("morph", told, "--score", tmp_path / "walk.score.json", "-o", tmp_path / "again.wav", "--quiet")
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "walk.wav").read_bytes() == (tmp_path / "again.wav").read_bytes()
    with Image.open(tmp_path / "walk.png") as picture:
        assert picture.size[1] == 256 + 16
    for extra, made in (
        (["--move", "odd=1", "-n", 2], ["kick_odd+1_00000.wav", "kick_odd+1_00001.wav"]),
        (["--like", "@thump", "-n", 2], ["like_@thump_kick_0.5_00000.wav", "like_@thump_kick_0.5_00001.wav"]),
        (
            ["--corners", "1,snare,@thump,4", "-n", 2],
            ["plane_00_00.wav", "plane_00_01.wav", "plane_01_00.wav", "plane_01_01.wav"],
        ),
    ):
        folder = tmp_path / extra[0]
        label = [] if extra[0] == "--corners" else ["kick"]
        done = here("make", told, *label, *extra, "-o", folder, "--quiet")
        assert done.returncode == 0, done.stderr
        assert sorted(file.name for file in folder.glob("*.wav")) == made
    assert here("keep", told, "odd", "--forget").returncode == 0
    assert "odd" not in here("keep", told).stdout
    assert "5 directions of mapping" in here("show", told).stdout


def test_directions_are_not_replaced_unawares(told: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    shutil.copy(told, own)
    walk = ["morph", own, "--steps", 1, "--quiet"]
    assert here(*walk, "--points", 2, "--move", "1=1", "-o", tmp_path / "a.wav").returncode == 0
    assert here(*walk, "--points", 2, "-o", tmp_path / "plain.wav").returncode == 0
    anew = ["directions", own, "--samples", 300, "--components", 5, "--seed", 1, "--no-describe", "--quiet"]
    refused = here(*anew)
    assert refused.returncode == 2
    assert "has directions of mapping; --again finds them anew" in refused.stderr
    assert here("morph", own, "--score", tmp_path / "a.score.json", "-o", tmp_path / "b.wav", "--quiet").returncode == 0
    assert here(*anew, "--again").returncode == 0
    done = here("morph", own, "--score", tmp_path / "a.score.json", "-o", tmp_path / "c.wav", "--quiet")
    assert done.returncode == 2
    assert "goes along directions of mapping that were found anew" in done.stderr
    done = here("morph", own, "--score", tmp_path / "plain.score.json", "-o", tmp_path / "d.wav", "--quiet")
    assert done.returncode == 0, "a score without moves plays as before"
    assert (tmp_path / "plain.wav").read_bytes() == (tmp_path / "d.wav").read_bytes()


def test_marks_of_a_strip_stand_apart() -> None:
    for lasts_s, columns in ((0.4, 35), (3.5, 300), (5.4, 465), (120.0, 1600), (3600.0, 1600)):
        marks = _marks(lasts_s, columns)
        assert np.diff([*marks, lasts_s]).min() / lasts_s * columns > 30
        assert marks[0] == 0


def test_a_score_stays_when_names_are_given_anew(told: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.safetensors"
    shutil.copy(told, own)
    for words in (["place", "--seed", 3, "-l", "kick"], ["way", "--move", "1=1"]):
        assert here("keep", own, *words).returncode == 0
    words = ["morph", own, "--point", "@place", "--point", "class=snare", "--move", "way=1", "--steps", 1, "--quiet"]
    assert here(*words, "-o", tmp_path / "a.wav").returncode == 0
    written = json.loads((tmp_path / "a.score.json").read_text())
    assert written["points"][0]["note"] == "@place"
    assert written["points"][1]["moves"] == {"1": 1.0}
    again = here("keep", own, "place", "--seed", 4)
    assert again.returncode == 2
    assert '"place" is kept' in again.stderr
    (tmp_path / "own.places.json").write_text('{"instrument": 5}')
    done = here("morph", own, "--score", tmp_path / "a.score.json", "-o", tmp_path / "b.wav", "--quiet")
    assert done.returncode == 0, "a sidecar that is damaged is not in the way of what does not need it"
    assert "instrument is 5; it must be a text" in done.stderr
    assert (tmp_path / "a.wav").read_bytes() == (tmp_path / "b.wav").read_bytes()
    assert here("keep", own).returncode == 1, "nothing is written over it"


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        (["make", "--move", "warmth=1"], 'no direction "warmth"'),
        (["make", "--move", "1"], "NAME=AMOUNT"),
        (["make", "--like", "@nobody"], 'no place is named "nobody"'),
        (["make", "--corners", "1,2"], "four places"),
        (["make", "--like", "1", "--corners", "1,2,3,4"], "give one"),
        (["directions", "--layer", "cellar"], "known: mapping"),
        (["keep", "empty"], "would be nothing"),
        (["keep", "brightness", "--move", "1=1"], "is no name for a place or a direction"),
        (["keep", "a,b", "--seed", "1"], "is no name for a place or a direction"),
        (["keep", "far", "--move", "1=100"], "1=100 is out of range"),
        (["morph", "-o", "x.mp3"], "let its name end in .wav"),
        (["morph", "-o", "x.wav", "--trim", "5"], "leaves nothing of sounds"),
        (["keep", "nobody", "--forget"], "nothing is named"),
        (["morph", "-o", "x.wav", "--bits", "8"], "take 16, 24, 32"),
        (["morph", "-o", "x.wav", "--score", "nowhere.json"], "no score at"),
        (["morph", "-o", "x.wav", "--score", "nowhere.json", "--steps", "3"], "instead of giving --steps"),
        (["map", "-n", "3"], "take 8 to 2000"),
    ],
)
def test_commands_refuse_in_one_sentence(words: list[str], trouble: str, told: Path, tmp_path: Path) -> None:
    output = ["-o", tmp_path / "made"] if words[0] == "make" else []
    done = here(words[0], told, *words[1:], *output, "--quiet") if words[0] != "keep" else here(words[0], told, *words[1:])
    assert done.returncode == 2, done.stderr
    assert trouble in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_sound_is_found_and_varied_by_its_command(told: Path, kit: Path, tmp_path: Path) -> None:
    sound = sorted((kit / "kick").glob("*.wav"))[0]
    done = here("find", told, sound, "-n", 2, "-l", "kick", "--keep", "mine", "-o", tmp_path / "found", "--quiet", "--json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert len(result["files"]) == 3
    assert result["closer_than_random"] == 1
    apart = [distance for _, distance in result["generated"]]
    assert len(apart) == 3
    assert result["distance"] < apart[0] <= apart[1] <= apart[2]
    assert "@mine" in here("keep", told).stdout
    assert here("make", told, "--like", "@mine", "-n", 1, "-o", tmp_path / "made", "--quiet").returncode == 0


@pytest.mark.skipif(BROWSER is None, reason="no browser here; apt-get install chromium")
def test_a_browser_draws_the_map_with_a_sound_at_each_point(told: Path, tmp_path: Path) -> None:
    done = here("map", told, "-n", 12, "-o", tmp_path / "map.html", "--quiet")
    assert done.returncode == 0, done.stderr
    words = [
        str(BROWSER),
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        f"--user-data-dir={tmp_path / 'b'}",
        "--dump-dom",
    ]
    page = (tmp_path / "map.html").as_uri()
    dom = subprocess.run([*words, page], capture_output=True, text=True, timeout=120).stdout
    assert dom.count("<circle") == 12
    data = json.loads((tmp_path / "map.html").read_text().split("const data = ")[1].split(";\n")[0])
    assert len(data["sounds"]) == 12
    assert all(sound.startswith("T2dn") for sound in data["sounds"]), "Ogg files"


def test_a_live_walk_follows_its_target_without_a_jump(space: Space) -> None:
    drift = Drift(space, space.spot(1, {"class": "kick"}), pace=0.25)
    before = drift.here.z
    for number in range(12):
        if number == 5:
            drift.aim(space.spot(2, {"class": "snare"}))
        spot = next(drift)
        assert 0 < (spot.z - before).norm() < 0.7 * before.norm(), "a step, not a jump"
        before = spot.z
        if number == 8:
            torch.testing.assert_close(spot.z, space.spot(2).z, atol=1e-4, rtol=1e-4)
            assert spot.labels["class"] == "snare"
    assert not torch.equal(before, space.spot(2).z), "arrived, it goes on"
    with pytest.raises(UsageError, match="at most 1"):
        Drift(space, drift.here, pace=0)
