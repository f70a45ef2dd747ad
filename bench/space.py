"""How quick the space inside an instrument is, how true its sliders are, and how often a real sound is found in it.

    python -m bench.space NAME INSTRUMENT DATASET      NAME is drums or notes, as in docs/quality.md
    python -m bench.space size                         a network of GANSynth's size, whatever its sounds

Adds to bench/results/space.json: principal components of 8,192 values (GANSynth's took about two hours in GANSpaceSynth),
incremental ones beside full ones; of drums a grid of 9 x 9 sounds and an hour of hallucination; sliders at 100 places that
they were not fitted at, with the class kept by a classifier trained on the real sounds; sounds that were held out of the
training.
"""

import json
import math
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.stats import spearmanr
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bench.harness import RESULTS, publish, variant
from bowerbird.conditions.pitch import Pitch
from bowerbird.config import ModelConfig
from bowerbird.data.dataset import Dataset
from bowerbird.evaluation.heard import hear_real
from bowerbird.evaluation.listener import Listener
from bowerbird.features import measure
from bowerbird.instrument import Instrument, generator_of, load, tensors_of
from bowerbird.latent.directions import find_directions
from bowerbird.latent.morph import render
from bowerbird.latent.projection import nearest, project
from bowerbird.latent.score import Point, Score
from bowerbird.latent.sliders import add_sliders
from bowerbird.latent.space import Space
from bowerbird.networks.progressive import ProgressiveOptions
from bowerbird.representations.mel_frequency import MelFrequency

PLACES, AMOUNTS = 100, (-1.0, -0.5, 0.0, 0.5, 1.0)
GRID, HOUR_S = 9, 3600.0
RANDOM, FOUND = 1000, 40  # random sounds, and held-out ones that are looked for
COMPARED = 8  # components


def memory_mib() -> float:
    """The most that this process has held; what the library tells counts that of the process which started it too."""
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


def gansynth_sized() -> Space:
    """A fresh progressive network whose first layer says 8,192 numbers, 61 pitches."""
    form = MelFrequency.suited(16000, 1, 32000, pitched=True)
    model = ModelConfig(form, ProgressiveOptions(), (Pitch.fit("pitch", [str(pitch) for pitch in range(24, 85)]),))
    return Space(Instrument(model, tensors_of(model, generator_of(model)), {}, "cpu"))


def components(estimator: str, samples: str) -> dict[str, Any]:
    """Seconds of all, and memory."""
    space = gansynth_sized()
    before, began = memory_mib(), time.monotonic()
    basis = find_directions(space, "start", samples=int(samples), estimator=estimator, quiet=True)
    seconds = time.monotonic() - began
    return {
        "values": basis.vectors.shape[1],
        "seconds": round(seconds, 2),
        "samples_per_s": round(int(samples) / seconds),
        "memory_mib": round(memory_mib()),
        "memory_before_mib": round(before),
    }


def agreement_degrees(space: Space, stage: str) -> float:
    """The greatest principal angle between the first components, incremental against full."""
    full, incremental = (
        find_directions(space, stage, components=COMPARED, estimator=name, quiet=True).vectors[:COMPARED].double()
        for name in ("full", "incremental")
    )
    return math.degrees(math.acos(min(1.0, float(torch.linalg.svdvals(full @ incremental.T).min()))))


def grid_seconds(space: Space) -> float:
    """Of GRID x GRID sounds between four places, the best of three."""
    corners = [space.spot(seed) for seed in range(4)]
    shares = np.linspace(0, 1, GRID)

    def once() -> float:
        began = time.monotonic()
        ends = [(space.between([corners[0], corners[2]], y), space.between([corners[1], corners[3]], y)) for y in shares]
        assert len(list(space.play(space.between(pair, x) for pair in ends for x in shares))) == GRID * GRID
        return time.monotonic() - began

    return min(once() for _ in range(3))


def hour(instrument: str, seconds: str) -> dict[str, Any]:
    """A hallucination of so long, as the command makes it: memory before and at most."""
    space = Space(load(instrument))
    list(space.play([space.spot(0)]))
    before, began = memory_mib(), time.monotonic()
    points = [Point(seed) for seed in range(1 + int(float(seconds) / 60))]
    with tempfile.TemporaryDirectory() as folder:
        done = render(space, Score(points, 59, 1.0), Path(folder) / "a.wav", quiet=True)
    return {
        "seconds_of_sound": done["seconds"],
        "seconds": round(time.monotonic() - began, 1),
        "memory_mib": round(memory_mib()),
        "memory_before_mib": round(before),
    }


def sliders(space: Space, dataset: Dataset) -> dict[str, Any]:
    """By feature: mean rank correlation of amount and what is measured, spreads a unit goes, share that keeps its class."""
    real = hear_real(dataset, "train")
    listener = Listener.fit(real.sounds, dataset.sample_rate_hz)
    judge = make_pipeline(StandardScaler(), SVC(C=10)).fit(listener(real.sounds), real.names)
    basis = add_sliders(space, find_directions(space, space.generator.stages[0], quiet=True), quiet=True)
    space.instrument.directions[basis.stage] = basis
    spots = [space.spot(10**6 + number) for number in range(PLACES)]
    found = {}
    for name in basis.sliders:
        places = [replace(spot, moves={name: amount}) for spot in spots for amount in AMOUNTS]
        sounds = np.stack([sound for sound, _ in space.play(places)])
        heard = measure(sounds, dataset.sample_rate_hz, (name,))[name].reshape(PLACES, -1)
        classes = judge.predict(listener(sounds)).reshape(PLACES, -1)
        ranks = [spearmanr(AMOUNTS, row).statistic if np.ptp(row) else 0.0 for row in heard]
        found[name] = {
            "rank": round(float(np.mean(ranks)), 3),
            "ranks_under_0.9": round(float(np.mean(np.array(ranks) < 0.9)), 3),
            "class_kept": round(float((classes == classes[:, AMOUNTS.index(0.0), None]).mean()), 3),
            "spreads_per_unit": basis.facts["sliders"][name]["spreads_per_unit"],
        }
    return found


def held_out(space: Space, dataset: Dataset) -> dict[str, Any]:
    """How often the sound found for one that was held out is nearer to it than all of RANDOM others.

    Compared by the search's own distance and by the ear's features, which it never saw.
    """
    rows = np.random.default_rng(0).permutation(dataset.part("validation"))[:FOUND].tolist()
    if not rows:
        return {}
    training = hear_real(dataset, "train").sounds
    listener = Listener.fit(training, dataset.sample_rate_hz)
    random = np.stack([sound for sound, _ in space.play(space.spot(10**6 + number) for number in range(RANDOM))])
    heard_random = listener(random)
    closer, heard_closer, seconds = [], [], []
    for wanted in dataset.padded(rows):
        began = time.monotonic()
        found = project(space, wanted, quiet=True)
        seconds.append(time.monotonic() - began)
        (one,) = (sound[None] for sound, _ in space.play([found.spot]))
        apart, of_random = (nearest(space, wanted, [sounds], 1)[0][1] for sounds in (one, random))
        closer.append(apart < of_random)
        heard = listener(wanted[None])
        ear = [np.linalg.norm(others - heard, axis=1).min() for others in (listener(one), heard_random)]
        heard_closer.append(ear[0] < ear[1])
    return {
        "sounds": len(rows),
        "closer_than_random": float(np.mean(closer)),
        "closer_than_random_by_the_ear": float(np.mean(heard_closer)),
        "seconds_each": round(float(np.mean(seconds)), 1),
    }


def main() -> None:
    name, *words = sys.argv[1:]
    if name in ("components", "hour"):
        print(json.dumps({"components": components, "hour": hour}[name](*words)))
        return
    if name == "size":
        runs = ("randomised 8192", "full 8192", "incremental 8192", "incremental 4000000")
        found: dict[str, Any] = {one: variant("space", "components", *one.split()) for one in runs}
    else:
        space, dataset = Space(load(words[0])), Dataset(Path(words[1]))
        found = {"instrument": space.instrument.fingerprint}
        if name == "drums":
            found["grid_seconds"] = round(grid_seconds(space), 2)
            found["hour"] = {seconds: variant("space", "hour", words[0], seconds) for seconds in ("300", str(HOUR_S))}
        found |= {
            "agreement_degrees": {stage: round(agreement_degrees(space, stage), 3) for stage in space.generator.stages[:2]},
            "sliders": sliders(space, dataset),
            "held_out": held_out(space, dataset),
        }
    path = RESULTS / "space.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else {}
    publish("space", {"rows": rows | {name: found}})


if __name__ == "__main__":
    main()
