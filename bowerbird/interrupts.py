"""Ctrl-C and SIGTERM as a question asked between two steps, and work in threads that they cannot hang."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any, TypeVar

__all__ = ["Stop", "in_threads", "interrupts"]

T = TypeVar("T")
R = TypeVar("R")
IN_FLIGHT = 64


class Stop:
    """Whether somebody asked to stop."""

    asked = False


@contextmanager
def interrupts() -> Iterator[Stop]:
    """Until the block ends, Ctrl-C and SIGTERM only set `asked`; a second one raises KeyboardInterrupt at once."""
    stop = Stop()

    def ask(number: int, frame: Any) -> None:
        if stop.asked:
            raise KeyboardInterrupt
        stop.asked = True

    try:
        before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    except ValueError:  # not the main thread: whoever runs us there handles signals
        before = {}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def in_threads(work: Callable[[T], R], items: Iterable[T], most: int = IN_FLIGHT) -> Iterator[R]:
    """The results of `work`, in order, from a thread for each core; raises KeyboardInterrupt between two of them.

    Not in the middle: an exception inside the pool's own locks leaves one taken, and the pool then waits for ever. At
    most `most` items are in flight, which keeps memory constant. Threads, not processes: decoding, resampling and NumPy
    leave the interpreter lock, and nothing is copied.
    """
    waiting = iter(items)
    with interrupts() as stop:
        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            window = [pool.submit(work, item) for item in islice(waiting, most)]
            while window:
                yield window.pop(0).result()
                if stop.asked:
                    raise KeyboardInterrupt
                window.extend(pool.submit(work, item) for item in islice(waiting, 1))
        finally:
            pool.shutdown(cancel_futures=True)
