"""Progress of long work: a bar with rate and time left in a terminal, plain lines now and then elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Advance", "progress", "seconds_in_words"]

PLAIN_EVERY_S = 15.0


class Advance(Protocol):
    """Called with the work done so far (in `total`'s unit) and a note shown beside the bar."""

    def __call__(self, done: float, note: str = "") -> None: ...


@contextmanager
def progress(what: str, total: float, *, quiet: bool = False) -> Iterator[Advance]:
    """Shows the progress of `what` until the block ends; nothing at all when `quiet`."""
    if quiet:
        yield lambda done, note="": None
    elif sys.stderr.isatty():
        with _bar(what, total) as advance:
            yield advance
    else:
        yield _plain(what, total)


@contextmanager
def _bar(what: str, total: float) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    bar_columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%"))
    words = (TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    # A step can take seconds: the time left is judged over ten minutes instead of half of one.
    with Progress(*bar_columns, *words, console=Console(stderr=True), speed_estimate_period=600) as bar:
        task = bar.add_task(what, total=total, note="")
        yield lambda done, note="": bar.update(task, completed=done, note=note)


def _plain(what: str, total: float) -> Advance:
    last = time.monotonic()
    first: tuple[float, float] | None = None  # when and how far: a resumed work does not begin at zero

    def advance(done: float, note: str = "") -> None:
        nonlocal last, first
        now = time.monotonic()
        began, done_before = first = first or (now, done)
        if now - last < PLAIN_EVERY_S:
            return
        last = now
        text = f"{what}: {100 * done / max(total, 1e-9):.0f}%"
        if done > done_before:
            text += f", {seconds_in_words((now - began) * (total - done) / (done - done_before))} left"
        print(f"{text}, {note}" if note else text, file=sys.stderr, flush=True)

    return advance


def seconds_in_words(seconds: float) -> str:
    """93 -> "1 min 33 s"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
