"""Watching a run: a light ear at intervals, the best state kept, trouble recognised, said in words and acted on.

The light ear looks at pictures (no sound is decoded): distance from the real ones, in levels and in roughness, as Fréchet
distances over what the real ones vary; variety within classes; distance to the nearest training sound. `bowerbird
evaluate` is the thorough one.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from torch.nn import functional

from bowerbird.data.feed import Feed
from bowerbird.evaluation.fidelity import frechet
from bowerbird.evaluation.memory import memory
from bowerbird.evaluation.variety import variety
from bowerbird.instrument import Instrument
from bowerbird.seeds import latents, numpy_random

__all__ = ["LEAST_LOOKED_AT", "Finding", "Glance", "LightEar", "Watch"]

DRAWN, BESIDE = 256, 4096  # pictures drawn at a look, and real ones beside them
LEAST_LOOKED_AT = 4  # training sounds
DIMENSIONS, POOL, AT_ONCE = 32, 4, 32
ROUGHNESS_GRID = 16, 12  # bands, times
DIVERGED = 3.0  # times the best distance, and
DIVERGED_BY = 0.15  # so much more
COLLAPSED = 0.6  # of the variety at the best
LEAST_VARIED = 0.2  # before sounds vary nothing collapses: a short run on texts was sent back from 0.06
MEMORISED = 0.4  # of the distance between real neighbours
STALLED_CHECKS, PROGRESS = 4, 0.02
AS_GOOD = 1.15  # times the least distance: then the later state wins, which by the ear was better at 1.13 (docs/log.md)
MOST_ACTS = 3
AUGMENT_STEP = 0.2


@dataclass(frozen=True)
class Glance:
    """What the light ear sees."""

    distance: float  # from the real sounds as a set: 0 none, about 1 as much as they vary
    variety: float  # within classes, over real's
    memory: float  # distance to the nearest real sound, over that between real neighbours


@dataclass(frozen=True)
class Finding:
    """What to do about it ("best", "go on", "back", "augment" or "finish"), and a sentence for people where it matters."""

    act: str
    sentence: str = ""


class _View:
    """One kind of features of the real sounds (B, D), on their principal components."""

    def __init__(self, features: NDArray[np.floating]) -> None:
        dimensions = max(1, min(DIMENSIONS, len(features) // 2, features.shape[1]))
        with np.errstate(invalid="ignore"):  # all the same
            self.found = PCA(dimensions, svd_solver="full").fit(features)
        self.real = self.found.transform(features)
        self.varies = float(self.real.var(0).sum()) + 1e-9

    def __call__(self, features: NDArray[np.floating]) -> tuple[NDArray[np.floating], float]:
        """Features of generated sounds -> their components, and their distance from the real ones."""
        made = self.found.transform(features)
        return made, frechet(self.real, made) / self.varies


class LightEar:
    """Compares the same labels and latents with the same real sounds each time.

    Levels alone cannot tell a smear from noise or tones as loud: they stopped falling long before the sounds stopped
    getting better (docs/log.md).
    """

    def __init__(self, feed: Feed, instrument: Instrument, seed: int) -> None:
        chosen = numpy_random(seed, "watch").permutation(len(feed.indices))[:BESIDE]  # no altered copies
        self.labels = [feed.labels[position] for position in chosen[:DRAWN]]
        self.names, self.groups = np.array(feed.tops)[chosen], feed.groups[chosen]
        self.z = latents([seed + k for k in range(len(self.labels))], instrument.model.network.z_dim)
        rows = (chosen[start : start + AT_ONCE] for start in range(0, len(chosen), AT_ONCE))
        real = (torch.from_numpy(feed.pictures[row].astype(np.float32)) for row in rows)
        self.levels, self.roughness = map(_View, _features(instrument, real))

    def __call__(self, instrument: Instrument) -> Glance:
        """One look at an instrument of the same representation."""
        starts = range(0, len(self.labels), AT_ONCE)
        drawn = (instrument.pictures(self.labels[at : at + AT_ONCE], self.z[at : at + AT_ONCE]) for at in starts)
        levels, roughness = _features(instrument, drawn)
        made, distance = self.levels(levels)
        return Glance(
            (distance + self.roughness(roughness)[1]) / 2,
            float(np.nan_to_num(variety(self.levels.real, self.names, made, self.names[: len(made)]).ratio, nan=1.0)),
            memory(self.levels.real, self.groups, made).ratio,
        )


def _features(instrument: Instrument, pictures: Iterable[torch.Tensor]) -> list[NDArray[np.floating]]:
    """Mean levels, and how much cells differ from the next in frequency and in time: two arrays (B, D)."""
    found = []
    for batch in pictures:
        levels = instrument.model.representation.levels(batch)
        steps = [functional.adaptive_avg_pool2d(levels.diff(dim=dim).abs(), ROUGHNESS_GRID) for dim in (-2, -1)]
        found.append((functional.avg_pool2d(levels, POOL).flatten(1), torch.cat(steps, -1).flatten(1)))
    return [torch.cat(parts).numpy() for parts in zip(*found, strict=True)]


@dataclass
class Watch:
    """What was seen so far and done about it; a part of the checkpoint."""

    checks: int = 0  # how many of them are past
    best: dict[str, float] = field(default_factory=dict)  # the kept Glance, `seen` then, `least` distance so far, `varied`
    stalled: int = 0  # checks without progress
    acts: int = 0  # times training was sent back
    augment: float = 0.0  # added to the probability of augmentation
    end: float = 0.0  # examples or seconds at which training ends early; 0: it does not
    planned: float = 0.0  # the length asked for
    said: list[str] = field(default_factory=list)

    def go_on(self, planned: float, checks_due: int) -> None:
        """At the start of a sitting: a run that is to be longer than before is looked at again, and does not end early."""
        if planned != self.planned:
            self.planned, self.end, self.stalled = planned, 0.0, 0
        self.checks = min(self.checks, checks_due)

    def judge(self, now: Glance, seen: int, *, may_augment: bool = True, may_end: bool = True) -> Finding:
        """What a look at `seen` examples means; remembers it. `may_…`: whether there is anything left to do of the kind."""
        found = self._judged(now, seen, may_augment, may_end)
        if found.sentence:
            self.said.append(f"{seen} examples: {found.sentence}")
        return found

    def _judged(self, now: Glance, seen: int, may_augment: bool, may_end: bool) -> Finding:
        best = self.best
        if not best:
            return self._is_best(now, seen)
        # Checkpoints from before both were kept have neither.
        least, varied = best.get("least", best["distance"]), best.get("varied", best["variety"])
        self.stalled = 0 if now.distance < (1 - PROGRESS) * least else self.stalled + 1
        if now.distance > DIVERGED * least and now.distance > least + DIVERGED_BY:
            return self._back(f"the sounds drift away from the real ones ({now.distance:.2f} from {least:.2f})")
        if varied > LEAST_VARIED and now.variety < COLLAPSED * min(1.0, varied) and now.distance > least:
            return self._back(f"the sounds become all alike (variety {now.variety:.2f} from {varied:.2f})")
        if now.memory < MEMORISED and may_augment:
            self.augment += AUGMENT_STEP
            return Finding("augment", "training sounds are being learnt by heart: more augmentation from here")
        found = self._is_best(now, seen) if now.distance < AS_GOOD * least else Finding("go on")
        if self.stalled >= STALLED_CHECKS and may_end and not self.end:
            sentence = f"no more progress in {self.stalled} checks: the learning rate falls now and training ends early"
            return Finding("finish", sentence)
        return found

    def _is_best(self, now: Glance, seen: int) -> Finding:
        least = min(now.distance, self.best.get("least", now.distance))
        # Of states as good as each other variety must not slip; a better one sets it anew.
        varied = max(now.variety, self.best.get("varied", 0.0)) if self.stalled else now.variety
        self.best = {**vars(now), "seen": seen, "least": least, "varied": varied}
        return Finding("best")

    def _back(self, trouble: str) -> Finding:
        if self.acts >= MOST_ACTS:
            return Finding("go on", f"{trouble}; going back has not helped {MOST_ACTS} times, the best instrument is kept")
        self.acts += 1
        return Finding("back", f"{trouble}: back to {int(self.best['seen'])} examples with half the learning rate")
