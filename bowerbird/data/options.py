"""What `prepare` is asked, and what it chooses where it is not."""

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bowerbird.audio import UnreadableSound, describe_file
from bowerbird.conditions import CONDITIONS
from bowerbird.conditions.interface import is_measured
from bowerbird.data.clean import CleanOptions
from bowerbird.data.scan import BOTH, LABELS, Source
from bowerbird.errors import UsageError, known
from bowerbird.interrupts import in_threads

__all__ = ["PrepareOptions", "choose"]

RATES_HZ = (8000, 48000)
SECONDS = (0.05, 30.0)
LONGEST_CHOSEN_S = 4.0


@dataclass(frozen=True)
class PrepareOptions:
    """What `prepare` is asked; None leaves the choice to the data."""

    sample_rate_hz: int | None = None
    seconds: float | None = None
    channels: int | None = None
    slices: str | None = None  # "start" or "even"
    level: str = "keep"  # or "peak"
    trim: bool = True
    labels: str = "folder"  # where they come from, one of LABELS
    table: Path | None = None
    pattern: str | None = None
    columns: str | None = None
    group: str | None = None
    validation: float = 0.0  # share of sounds set apart
    licence: str | None = None
    measure: str | None = None  # labels read off the sounds themselves, by commas
    captions: Path | None = None  # a table of texts beside other labels
    encoder: str = "ngrams"  # of texts
    drop_words: str | None = None  # never in captions, by commas
    keep_words: str | None = None  # never taken for marks of where a file comes from

    def __post_init__(self) -> None:
        checks = (
            ("--sample-rate", self.sample_rate_hz, RATES_HZ),
            ("--seconds", self.seconds, SECONDS),
            ("--channels", self.channels, (1, 2)),
            ("--validation", self.validation, (0.0, 0.9)),
        )
        for name, value, (low, high) in checks:
            if value is not None and not low <= value <= high:
                raise UsageError(f"{name} {value} is out of range; it lies between {low} and {high}")
        measured = [kind for kind, cls in CONDITIONS.items() if is_measured(cls)]
        for name in self.measured:
            if name not in measured:
                raise UsageError(f'--measure: "{name}" cannot be measured; {known(measured)}')
        choices = (("--slice", self.slices, ("start", "even", None)), ("--level", self.level, ("keep", "peak")))
        if self.table and self.labels != "csv":
            raise UsageError("--csv is the table of --labels csv; add that")
        if self.pattern and self.labels != "filename":
            raise UsageError("--pattern is of --labels filename; add that")
        if self.labels == "filename" and not self.pattern and (self.columns or self.group):
            raise UsageError("--columns and --group name parts of a --pattern, for example '{class}_{take}'; add one")
        if self.labels in ("folder", BOTH, "none") and (self.columns or self.group):
            raise UsageError("--columns and --group name columns; add --labels csv, filename or nsynth")
        for name, chosen, allowed in (*choices, ("--labels", self.labels, LABELS)):
            if chosen not in allowed:
                raise UsageError(f'{name} "{chosen}" is not known; known: {" or ".join(a for a in allowed if a)}')

    @property
    def measured(self) -> list[str]:
        """Kinds of label that the sounds show."""
        return [name.strip() for name in (self.measure or "").split(",") if name.strip()]


def choose(sources: list[Source], options: PrepareOptions) -> tuple[CleanOptions, list[str]]:
    """What is not asked for, from the files' headers: the commonest rate and channels, a length most sounds fit in."""
    headers = [info for info in in_threads(_header, sources) if info is not None]
    why: list[str] = []
    rate, channels, seconds, slices = options.sample_rate_hz, options.channels, options.seconds, options.slices
    lengths = sorted(info[2] for info in headers) or [1.0]
    if rate is None:
        commonest = Counter(info[0] for info in headers).most_common(1)[0][0] if headers else 44100
        rate = min(max(commonest, RATES_HZ[0]), RATES_HZ[1])
        bound = "" if rate == commonest else f" ({commonest}), brought into {RATES_HZ[0]} to {RATES_HZ[1]}"
        why.append(f"{rate} Hz, the commonest rate of the files{bound}")
    if channels is None:
        stereo = sum(info[1] > 1 for info in headers)
        channels = 2 if stereo > len(headers) / 2 else 1
        why.append(f"{'stereo' if channels == 2 else 'mono'}, as most files are")
    median = lengths[len(lengths) // 2]
    if slices is None:
        slices = "even" if median > 2 * LONGEST_CHOSEN_S else "start"
    if seconds is None:
        fits = lengths[min(len(lengths) - 1, int(0.9 * len(lengths)))]
        seconds = min(max(math.ceil(fits * 10) / 10, 0.1), LONGEST_CHOSEN_S)
        share = sum(length <= seconds for length in lengths) / len(lengths)
        longer = f"the longest chosen unasked; {100 * (1 - share):.0f} % of the files are longer"
        why.append(f"{seconds:g} s, " + (f"which {100 * share:.0f} % of the files fit in" if share >= 0.5 else longer))
    if slices == "even" and options.slices is None:
        why.append("long files are sliced evenly, since most are long")
    return CleanOptions(rate, channels, int(seconds * rate), slices, options.level, options.trim), why


def _header(source: Source) -> tuple[int, int, float] | None:
    """(rate in Hz, channels, seconds), None where soundfile cannot tell."""
    try:
        return describe_file(source.path)
    except UnreadableSound:
        return None
