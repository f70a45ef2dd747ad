"""Ctrl-C in the middle of work in threads: it ends soon, at any moment, and leaves nothing behind."""

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from bowerbird.interrupts import in_threads


def test_in_threads_keeps_the_order() -> None:
    assert list(in_threads(lambda number: number * number, range(300))) == [number * number for number in range(300)]


def test_an_error_of_the_work_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_threads(lambda number: 1 / (50 - number), range(300)))


@pytest.mark.parametrize("moment", [10, 100])  # while the window fills, and later
def test_ctrl_c_waits_until_the_pool_is_not_being_touched(moment: int) -> None:
    handler, threads = signal.getsignal(signal.SIGINT), threading.active_count()
    drawn = []

    def items() -> Iterator[int]:
        for number in range(10**6):
            if number == moment:
                os.kill(os.getpid(), signal.SIGINT)  # raising here, it would raise inside the pool's locks too
            drawn.append(number)
            yield number

    with pytest.raises(KeyboardInterrupt):
        list(in_threads(abs, items()))
    assert moment in drawn
    assert len(drawn) < 200
    assert signal.getsignal(signal.SIGINT) == handler
    assert threading.active_count() == threads
