"""Does the ear hear? Known faults given to real sounds, and what evaluation makes of each.

    python -m bench.ear DATASET

One half of the real sounds plays the real ones, the other half, spoilt in a known way, the generated ones. Writes
bench/results/ear.json: figures and verdicts for each fault; bench/results/ear.md: the same as a table.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.signal import butter, sosfilt

from bench.harness import RESULTS, publish
from bowerbird.data.dataset import Dataset
from bowerbird.evaluation.heard import Heard, hear_real
from bowerbird.evaluation.measure import compare
from bowerbird.evaluation.verdict import verdicts
from bowerbird.instrument import LOUDEST
from bowerbird.representations.log_magnitude import LogMagnitude

COLUMNS = {
    "fidelity/kad": "KAD",
    "fidelity/kad_way_to_noise": "way to noise",
    "fidelity/frechet": "Fréchet",
    "fidelity/precision": "precision",
    "fidelity/recall": "recall",
    "fidelity/coverage": "coverage",
    "label/accuracy_ratio": "accuracy, of real's",
    "label/trained_on_generated_ratio": "trained on it, of real's",
    "variety/ratio": "variety",
    "variety/twins": "twins",
    "memory/near_copies": "near-copies",
}
HEADING = """# What the ear makes of known faults

One half of the real sounds plays the real ones, the other half, spoilt, the generated ones (`python -m bench.ear DATASET`).
"""
Spoil = Callable[[Heard, Heard, int, np.random.Generator], Heard]


def _sounds(change: Callable[[np.ndarray, int, np.random.Generator], np.ndarray], loudest: float = LOUDEST) -> Spoil:
    """Changed sounds, those over `loudest` turned down, as an instrument does."""

    def spoil(real: Heard, other: Heard, rate_hz: int, random: np.random.Generator) -> Heard:
        sounds = change(other.sounds.copy(), rate_hz, random)
        sounds /= np.maximum(np.abs(sounds).max((1, 2), keepdims=True) / loudest, 1)
        return replace(other, sounds=sounds.astype(np.float32))

    return spoil


def noisy(snr_db: float) -> Spoil:
    def add(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
        level = np.sqrt(np.square(sounds).mean((1, 2), keepdims=True)) * 10 ** (-snr_db / 20)
        return sounds + level * random.standard_normal(sounds.shape)

    return _sounds(add)


def low_passed(share: float) -> Spoil:
    return _sounds(lambda sounds, rate, _: sosfilt(butter(6, share, output="sos"), sounds, axis=2))


def round_tripped(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    form = LogMagnitude.suited(rate_hz, sounds.shape[1], sounds.shape[2]).fit([torch.from_numpy(sounds)])
    return np.concatenate([form.decode(form.encode(torch.from_numpy(s)[None])).numpy() for s in sounds])


def clicked(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    for sound in sounds:
        sound[:, int(random.uniform(0.2, 0.9) * sound.shape[1])] += 0.5 * np.abs(sound).max()
    return sounds


def blotted(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    """A twentieth of a second near the highest frequency, 30 dB under the peak, in the last third of one sound in five."""
    blot = np.hanning(rate_hz // 20) * np.sin(np.arange(rate_hz // 20) * 0.96 * np.pi)
    for number in np.flatnonzero(random.random(len(sounds)) < 0.2):
        sound = sounds[number]
        start = int(random.uniform(0.67, 0.95) * sound.shape[1]) - len(blot)
        sound[:, start : start + len(blot)] += 10 ** (-30 / 20) * np.abs(sound).max() * blot
    return sounds


def clipped(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    return np.clip(sounds * 4 / np.abs(sounds).max((1, 2), keepdims=True), -1, 1)


def backwards(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    return sounds[..., ::-1].copy()


def beating(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    hop = 256
    wave = 1 + 0.3 * np.cos(2 * np.pi * np.arange(sounds.shape[2]) / (4 * hop))
    return sounds * wave


def copies(real: Heard, other: Heard, rate_hz: int, random: np.random.Generator) -> Heard:
    return replace(
        other, sounds=real.sounds * random.uniform(0.9, 1, (len(real.sounds), 1, 1)).astype(np.float32), names=real.names
    )


def two_a_class(real: Heard, other: Heard, rate_hz: int, random: np.random.Generator) -> Heard:
    rows = [int(random.choice(np.flatnonzero(other.names == name)[:2])) for name in other.names]
    return replace(other, sounds=other.sounds[rows] + 1e-4 * random.standard_normal(other.sounds.shape).astype(np.float32))


def swapped(real: Heard, other: Heard, rate_hz: int, random: np.random.Generator) -> Heard:
    classes = sorted(set(other.names))
    turn = dict(zip(classes, classes[1:] + classes[:1], strict=True))
    return replace(other, names=np.array([turn[name] for name in other.names]))


def some_silent(sounds: np.ndarray, rate_hz: int, random: np.random.Generator) -> np.ndarray:
    sounds[random.random(len(sounds)) < 0.2] = 0
    return sounds


SPOILT: dict[str, Spoil] = {
    "another half": _sounds(lambda sounds, rate, random: sounds),
    "round trip": _sounds(round_tripped),
    "low-passed at 3/4": low_passed(0.75),
    "low-passed at 1/4": low_passed(0.25),
    "noise at 20 dB": noisy(20),
    "noise at 10 dB": noisy(10),
    "noise at 0 dB": noisy(0),
    "copies": copies,
    "two sounds a class": two_a_class,
    "labels swapped": swapped,
    "one in five silent": _sounds(some_silent),
    "a click in each": _sounds(clicked),
    "a blot in one in five": _sounds(blotted),
    "direct current": _sounds(lambda sounds, rate, random: sounds + 0.05),
    "clipped": _sounds(clipped, loudest=1.0),
    "backwards (cut off, late)": _sounds(backwards),
    "beating every 4 hops": _sounds(beating),
}


def main() -> None:
    dataset = Dataset(Path(sys.argv[1]))
    everything = hear_real(dataset, "train")
    order = np.random.default_rng(0).permutation(len(everything.names))
    halves = [
        replace(everything, sounds=everything.sounds[rows], names=everything.names[rows], groups=everything.groups[rows])
        for rows in (order[: len(order) // 2], order[len(order) // 2 :])
    ]
    result: dict[str, object] = {}
    rows: list[str] = []
    for name, spoil in SPOILT.items():
        made = spoil(*halves, dataset.sample_rate_hz, np.random.default_rng(1))
        found = compare(halves[0], made, dataset.sample_rate_hz)
        said = [verdict.sentence for verdict in verdicts(found.figures, found.per_class) if not verdict.good]
        result[name] = {"figures": {key: round(value, 4) for key, value in found.figures.items()}, "complaints": said}
        rows.append(f"| {name} | {' | '.join(f'{found.figures[key]:.2f}' for key in COLUMNS)} | {' '.join(said)} |")
        print(rows[-1], flush=True)
    publish("ear", result)
    head = [f"| known fault | {' | '.join(COLUMNS.values())} | complaints |", "|---" * (len(COLUMNS) + 2) + "|"]
    (RESULTS / "ear.md").write_text("\n".join([HEADING, *head, *rows, ""]))


if __name__ == "__main__":
    main()
