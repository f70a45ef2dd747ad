"""The sounds that an evaluation listens to: real ones, generated ones of the same labels, and one label again and again."""

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray

from bowerbird.conditions.category import ancestry
from bowerbird.data.dataset import Dataset
from bowerbird.instrument import Instrument
from bowerbird.midi import PITCH, midi_number
from bowerbird.progress import progress
from bowerbird.seeds import numpy_random

__all__ = [
    "TIMES",
    "UNLABELLED",
    "Heard",
    "hear",
    "hear_again",
    "hear_between",
    "hear_instrument",
    "hear_real",
    "round_trip",
]

MOST, MOST_SAMPLES = 1000, 2 * 10**8  # sounds of either kind, and samples of all of them: 800 MB
LEAST_PER_CLASS = 40
BETWEEN = 200  # sounds of pitches that the data lacks
AGAIN = 64  # labels, and
TIMES = 4  # sounds of each
UNLABELLED = "unlabelled"

Sounds = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """Sounds (B, C, T) with the class of each and, for real ones, near-duplicate groups."""

    sounds: Sounds
    names: NDArray[np.str_]
    groups: NDArray[np.integer]
    labels: list[dict[str, str]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    matched: int = 0  # the first so many have their labels in the data's proportions; 0: all of them

    def alike(self) -> "Heard":
        """Those whose labels have the data's proportions."""
        n = self.matched or len(self.sounds)
        return Heard(self.sounds[:n], self.names[:n], self.groups[:n], self.labels[:n], self.seeds[:n])


def hear(dataset: Dataset, indices: list[int]) -> Heard:
    """Real sounds by index."""
    labels, main = dataset.labels(indices), dataset.main
    names = np.array([(ancestry(one[main]) or [UNLABELLED])[0] if main else "all sounds" for one in labels])
    sounds = dataset.padded(indices) if indices else np.zeros((0, dataset.channels, dataset.samples), np.float32)
    # In the order of the conditions, the main label first: files keep them sorted.
    return Heard(
        sounds, names, dataset.groups(indices), [{name: one[name] for name in dataset.conditions} for one in labels]
    )


def hear_real(dataset: Dataset, part: str) -> Heard:
    """Up to MOST real sounds of a part, fewer where they are very long."""
    most = _most(dataset.channels * dataset.samples)
    return hear(dataset, sorted(numpy_random(0, "evaluate", part).permutation(dataset.part(part))[:most].tolist()))


def _most(samples: int) -> int:
    """How many sounds of so many samples are heard at once."""
    return min(MOST, max(8, MOST_SAMPLES // samples))


def hear_instrument(instrument: Instrument, real: Heard, seed: int = 0, *, quiet: bool = False) -> Heard:
    """As many generated sounds as real ones, with their labels, and more of every small class."""
    labels, names = list(real.labels), list(real.names)
    classes = sorted(set(names))
    least = min(LEAST_PER_CLASS, _most(real.sounds[0].size) // len(classes))
    for name in classes:
        own = [one for one, its in zip(real.labels, real.names, strict=True) if its == name]
        chosen = numpy_random(seed, "more", name).integers(len(own), size=max(0, least - len(own)))
        labels += [own[int(k)] for k in chosen]
        names += [name] * len(chosen)
    return _made(instrument, labels, names, seed, len(real.labels), quiet)


def hear_again(instrument: Instrument, real: Heard, seed: int = 0, *, quiet: bool = False) -> Heard:
    """Labels of real sounds, each TIMES in a row from other latents."""
    count = min(AGAIN, _most(real.sounds[0].size) // TIMES)
    rows = np.repeat(numpy_random(seed, "again").permutation(len(real.labels))[:count], TIMES)
    return _made(instrument, [real.labels[row] for row in rows], list(real.names[rows]), seed + 10**6, 0, quiet)


def hear_between(instrument: Instrument, real: Heard, seed: int = 0, *, quiet: bool = False) -> Heard | None:
    """Labels of real sounds, but each pitch somewhere between it and the next in the data. None where there are none.

    Anywhere, not half-way: networks learn half-way pitches as one more, and stay on them for those around.
    """
    pitches = [midi_number(labels[PITCH]) if labels.get(PITCH) else None for labels in real.labels]
    following = dict(pairwise(sorted({pitch for pitch in pitches if pitch is not None})))
    rows = np.array([row for row, pitch in enumerate(pitches) if pitch in following], int)
    random = numpy_random(seed, "between")
    rows = random.permutation(rows)[: min(BETWEEN, _most(real.sounds[0].size))]
    labels = []
    for row, share in zip(rows, random.uniform(size=len(rows)), strict=True):
        pitch = pitches[row] or 0.0
        labels.append({**real.labels[row], PITCH: f"{pitch + share * (following[pitch] - pitch):.3f}"})
    return _made(instrument, labels, list(real.names[rows]), seed + 2 * 10**6, 0, quiet) if labels else None


def _made(
    instrument: Instrument, labels: list[dict[str, str]], names: list[str], seed: int, matched: int, quiet: bool
) -> Heard:
    seeds = [seed + k for k in range(len(labels))]
    sounds = []
    with progress("making sounds", len(labels), quiet=quiet) as advance:
        for sound, _ in instrument.play(labels, seeds):
            sounds.append(sound)
            advance(len(sounds))
    return Heard(np.stack(sounds), np.array(names), np.arange(len(names)), labels, seeds, matched)


def round_trip(instrument: Instrument, sounds: Sounds) -> Sounds:
    """Real sounds, encoded and decoded: the best a perfect network could do."""
    form = instrument.model.representation
    with torch.inference_mode():
        return np.concatenate([form.decode(form.encode(torch.from_numpy(one)[None])).numpy() for one in sounds])
