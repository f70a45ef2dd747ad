"""Kinds of label: what a person types, what the network sees, what is drawn where labels are left open."""

from dataclasses import replace

import numpy as np
import pytest

from bowerbird.conditions.category import Category
from bowerbird.conditions.joint import Joint
from bowerbird.conditions.number import Brightness, Number
from bowerbird.conditions.pitch import Pitch
from bowerbird.conditions.tags import Tags
from bowerbird.errors import UsageError
from bowerbird.midi import midi_number

TREE = Category.fit("class", ["kick/808"] * 3 + ["kick/909"] + ["snare/rim"] * 2 + ["tom"])


def test_subclass_contains_its_class() -> None:
    encoded = TREE.encode(["kick", "kick/808", "tom"])
    kick, sub = TREE.nodes.index("kick"), TREE.nodes.index("kick/808")
    assert encoded[0].nonzero()[0].tolist() == [kick]
    assert encoded[1].nonzero()[0].tolist() == [kick, sub]
    assert encoded[2].sum() == 1


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("KICK", "kick"), (" kick/808/ ", "kick/808"), ("rim", "snare/rim"), ("909", "kick/909")],
)
def test_people_type_as_they_like(typed: str, meant: str) -> None:
    assert TREE.parse(typed) == meant


def test_unknown_label_names_the_nearest_and_the_known() -> None:
    with pytest.raises(UsageError, match=r'did you mean "snare"\?.*kick/808, kick/909'):
        TREE.parse("snarre")


def test_labels_that_differ_in_case_alone_are_asked_for_exactly() -> None:
    condition = Category.fit("class", ["Kick", "kick"])
    assert condition.parse("Kick") == "Kick"
    with pytest.raises(UsageError, match="any of Kick, kick"):
        condition.parse("KICK")


@pytest.mark.parametrize(
    ("typed", "number"), [("60", 60), ("61.5", 61.5), ("C4", 60), ("f#3", 54), (" Bb2 ", 46), ("B♭2", 46), ("C-1", 0)]
)
def test_notes_have_numbers(typed: str, number: float) -> None:
    assert midi_number(typed) == number


def test_a_pitch_goes_with_a_transposed_sound_and_denies_only_what_is_heard_apart() -> None:
    pitches = Pitch.fit("pitch", ["60", "64"])
    assert pitches.moved({"pitch": "60"}, 1.5) == (1.5, {"pitch": "61.500"})
    assert pitches.moved({"pitch": "60"}, -1.5) == (0.0, {"pitch": "60.000"}), "within the range of the data"
    assert pitches.moved({"pitch": ""}, 1.5) == (0.0, {}), "an unknown pitch stays"
    assert [pitches.denies("60", other) for other in ("60.3", "60.5", "61", "")] == [False, True, True, False]


def test_pitches_between_those_of_the_data_are_shares_of_both() -> None:
    finer = replace(Pitch.fit("pitch", ["60", "64", "72"]), reach=2.0)
    assert finer.knots == (60, 60.5, 61, 61.5, 62, 62.5, 63, 63.5, 64, 72), "what no copy reaches is not cut"
    assert finer.encode(["62.25"])[0].tolist() == [0, 0, 0, 0, 0.5, 0.5, 0, 0, 0, 0]
    assert finer.fits("61", ["60", "64", "72", ""]).tolist() == [0.75, 0.25, 0, 0], "whose sounds are near"
    pitches = Pitch.fit("pitch", ["60", "64", "64", "72"])
    assert pitches.encode(["61", "72"]).tolist() == [[0.75, 0.25, 0], [0, 0, 1]]
    assert pitches.parse("E4") == "64"
    for wrong in ("59", "high", ""):
        with pytest.raises(UsageError, match="from 60 to 72"):
            pitches.parse(wrong)
    assert pitches.encode([""]).tolist() == [[0, 0, 0]], "a missing pitch is none of them"


def test_numbers_part_the_data_evenly_and_are_asked_for_within_it() -> None:
    loud = Number.fit("loud", [str(value) for value in range(101)])
    assert loud.knots[0] == 0
    assert loud.knots[4] == 50
    assert loud.encode(["50"]).argmax() == 4
    assert loud.parse("0.5") == "0.5"
    for wrong in ("101", "-1", "high", "nan", "inf"):
        with pytest.raises(UsageError, match="from 0 to 100"):
            loud.parse(wrong)
    with pytest.raises(ValueError, match="no number"):
        Number.read("very")


def test_brightness_is_the_middle_of_the_spectrum() -> None:
    time_s = np.arange(16000) / 16000
    for hz in (200, 3000):
        tone = np.sin(2 * np.pi * hz * time_s, dtype=np.float32)[None]
        assert float(Brightness.measure(tone, 16000)) == pytest.approx(hz, rel=0.01)
    assert Brightness.measure(np.zeros((1, 100), np.float32), 16000) == "0"


def test_tags_are_asked_for_alone_or_together() -> None:
    tags = Tags.fit("qualities", ["bright,percussive", "bright", "none", ""])
    assert tags.parse(" Percussive + bright") == "bright,percussive"
    assert tags.fits("bright", ["bright,percussive", "none", "bright"]).tolist() == [1, 0, 1]
    assert tags.fits("none", ["bright", "none"]).tolist() == [0, 1]
    assert tags.complete("bright", "bright,percussive") == "bright,percussive"
    assert tags.encode(["none"]).tolist() == [[0, 0, 1]], "known to have none"
    assert not tags.encode([""]).any(), "not known"
    with pytest.raises(UsageError, match=r'did you mean "bright"\?.*bright, none, percussive'):
        tags.parse("brihgt")
    with pytest.raises(UsageError, match="leave one out"):
        tags.parse("none,bright")


JOINT = [{"class": "kick/808", "pitch": "36"}] * 3 + [{"class": "kick/909", "pitch": "38"}] + [{"class": "tom", "pitch": ""}]


def drawn(asked: dict[str, str], count: int = 400) -> list[dict[str, str]]:
    conditions = [kind.fit(name, [row[name] for row in JOINT]) for name, kind in (("class", Category), ("pitch", Pitch))]
    joint = Joint.fit(JOINT, ["class", "pitch"])
    random = np.random.default_rng(0)
    return [joint.draw(random, conditions, asked) for _ in range(count)]


def test_what_is_left_open_comes_as_it_does_in_the_data_with_what_is_asked() -> None:
    assert all(row in JOINT for row in drawn({})), "only combinations that are there"
    assert 0.5 < drawn({}).count(JOINT[0]) / 400 < 0.7
    kicks = drawn({"class": "kick"})
    assert 0.65 < kicks.count(JOINT[0]) / 400 < 0.85, "subclass and pitch go together"
    assert {row["class"] for row in kicks} == {"kick/808", "kick/909"}
    assert {row["pitch"] for row in drawn({"class": "tom"})} == {""}, "missing in the data, missing here"
    between = drawn({"pitch": "37.5"})
    assert {row["pitch"] for row in between} == {"37.5"}, "what is asked stays"
    assert 0.1 < sum(row["class"] == "kick/909" for row in between) / 400 < 0.7, "from both neighbours"


def test_what_never_comes_together_can_be_asked_for() -> None:
    rows = drawn({"class": "tom", "pitch": "36"})
    assert all(row["pitch"] == "36" for row in rows)
    assert all(row["class"] in ("tom", "kick/808", "kick/909") for row in rows)
    assert any(row["class"] == "tom" for row in rows)
