"""Progress without a terminal: plain lines now and then, with the time left."""

import pytest

from bowerbird import progress as module
from bowerbird.progress import progress


def test_time_left_counts_from_where_a_resumed_work_began(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    clock = iter([0.0, 20.0, 40.0, 45.0, 60.0])
    monkeypatch.setattr(module.time, "monotonic", lambda: next(clock))
    with progress("training", 1.0) as advance:
        for done in (0.5, 0.6, 0.61, 0.7):
            advance(done, "note")
    lines = capsys.readouterr().err.splitlines()
    # At 20 s nothing is known yet; then a tenth takes 20 s; 45 s is too soon for another line.
    assert lines == ["training: 50%, note", "training: 60%, 1 min 20 s left, note", "training: 70%, 1 min 0 s left, note"]


def test_quiet_says_nothing(capsys) -> None:
    with progress("training", 1.0, quiet=True) as advance:
        advance(0.5)
    assert capsys.readouterr().err == ""
