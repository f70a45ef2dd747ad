"""The category tree: what a person types, what the network sees, what is drawn."""

import numpy as np
import pytest

from bowerbird.conditions.category import Category
from bowerbird.conditions.pitch import Pitch
from bowerbird.errors import UsageError
from bowerbird.midi import midi_number

TREE = Category.fit("class", ["kick/808"] * 3 + ["kick/909"] + ["snare/rim"] * 2 + ["tom"])


def test_subclass_contains_its_class() -> None:
    encoded = TREE.encode(["kick", "kick/808", "tom"])
    kick, sub = TREE.nodes.index("kick"), TREE.nodes.index("kick/808")
    assert encoded[0].nonzero().ravel().tolist() == [kick]
    assert encoded[1].nonzero().ravel().tolist() == [kick, sub]
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


def test_draw_follows_the_data_below_and_balances_above() -> None:
    random = np.random.default_rng(0)
    under = [TREE.draw(random, "kick") for _ in range(400)]
    assert 0.65 < under.count("kick/808") / 400 < 0.85
    tops = [TREE.draw(random).split("/")[0] for _ in range(600)]
    assert all(0.25 < tops.count(top) / 600 < 0.42 for top in TREE.tops)


def test_labels_that_differ_in_case_alone_are_asked_for_exactly() -> None:
    condition = Category.fit("class", ["Kick", "kick"])
    assert condition.parse("Kick") == "Kick"
    with pytest.raises(UsageError, match="any of Kick, kick"):
        condition.parse("KICK")


@pytest.mark.parametrize(
    ("typed", "number"), [("60", 60), ("61.5", 61.5), ("C4", 60), ("f#3", 54), (" Bb2 ", 46), ("C-1", 0)]
)
def test_notes_have_numbers(typed: str, number: float) -> None:
    assert midi_number(typed) == number


def test_pitches_between_those_of_the_data_are_shares_of_both() -> None:
    pitches = Pitch.fit("pitch", ["60", "64", "64", "72"])
    assert pitches.encode(["61", "72"]).tolist() == [[0.75, 0.25, 0], [0, 0, 1]]
    assert pitches.parse("E4") == "64"
    for wrong in ("59", "high", ""):
        with pytest.raises(UsageError, match="from 60 to 72"):
            pitches.parse(wrong)
    random = np.random.default_rng(0)
    assert 0.4 < [pitches.draw(random) for _ in range(400)].count("64") / 400 < 0.6
