"""The sound of a drum instrument: does a plain classifier know its sounds, do they vary, are they clean.

    python -m bench.drums RUN DATASET        DATASET as made by `bowerbird prepare` from the drum recordings

For each of five folds a classifier is trained on real sounds (near-duplicates kept together) and asked for the class of the
held-out real ones and of generated ones. Distances within a class are between band levels over time, in dB. Writes
bench/results/drums.json and drums_sheet.png: per class a row of real sounds above a row of generated ones.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from bench.harness import RESULTS, publish
from bowerbird.conditions.category import ancestry
from bowerbird.data.dataset import Dataset
from bowerbird.instrument import Instrument, load
from bowerbird.pictures import write_sheet

PER_CLASS, PER_LABEL = 100, 16
ATTACK = 4410  # samples
N_FFT, HOP, BANDS = 2048, 512, 48
SLICES = (0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 70, 200)  # frames, finer at the attack

CLASSIFIERS = {
    "support vectors": lambda: make_pipeline(StandardScaler(), PCA(64), SVC(C=10)),
    "trees": lambda: ExtraTreesClassifier(400, random_state=0, n_jobs=2),
}


def features(sounds: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Sounds (B, T) -> band levels over a few slices of time, in dB under the loudest floored at -80, (B, cells)."""
    spectrum = torch.stft(torch.from_numpy(sounds), N_FFT, HOP, window=torch.hann_window(N_FFT), return_complex=True)
    power = spectrum.abs().square().numpy()
    edges = np.unique((np.geomspace(40, rate_hz / 2, BANDS + 1) / rate_hz * N_FFT).astype(int))
    bands = np.add.reduceat(power, edges[:-1], axis=1)
    slices = [s for s in SLICES if s < bands.shape[2]]
    slots = np.add.reduceat(bands, slices, axis=2) / np.diff([*slices, bands.shape[2]])
    level_db = 10 * np.log10(slots + 1e-10)
    return np.maximum(level_db - level_db.max((1, 2), keepdims=True), -80).reshape(len(sounds), -1).astype(np.float32)


def faults(sounds: NDArray[np.float32], limit: float = 40.0) -> dict[str, float]:
    """Shares of sounds that are silent, that sit on DC, that end in a click; and the loudest sample."""
    peak = np.abs(sounds).max(1)
    # A click inside: a jump between samples after the attack that is large for what sounds around it.
    jumps = np.abs(np.diff(sounds[:, ATTACK:])).max(1) / (np.abs(np.diff(sounds[:, ATTACK:])).std(1) + 1e-5)
    rms = np.sqrt(np.square(sounds).mean(1)) + 1e-9
    return {
        "silent": float((peak < 1e-3).mean()),
        "dc": float((np.abs(sounds.mean(1)) / rms > 0.1).mean()),
        "click_at_end": float((np.abs(sounds[:, -1]) > 0.02 * peak + 1e-4).mean()),
        "click_within": float((jumps > limit).mean()),
        "loudest": float(peak.max()),
        "not_a_number": float((~np.isfinite(sounds).all(1)).mean()),
    }


def distances(cells: NDArray[np.float32], names: NDArray[np.str_], classes: list[str]) -> dict[str, float]:
    """Mean pairwise distance within each class, over at most PER_CLASS sounds."""
    spread = {}
    for name in classes:
        chosen = np.random.default_rng(0).permutation(np.flatnonzero(names == name))[:PER_CLASS]
        apart = pairwise_distances(cells[chosen])
        spread[name] = float(apart[np.triu_indices(len(chosen), 1)].mean())
    return spread


def generate(instrument: Instrument, classes: list[str]) -> tuple[NDArray[np.float32], NDArray[np.str_]]:
    sounds = [instrument.sample(PER_CLASS, label=name, seed=1000)[:, 0] for name in classes]
    return np.concatenate(sounds), np.repeat(classes, PER_CLASS)


def variety_within_labels(instrument: Instrument, cells: NDArray[np.float32], labels: NDArray[np.str_]) -> dict[str, float]:
    """Distance within each full label (subclass) of five or more real sounds, generated over real: what `z` alone does."""
    ratios = {}
    for label in sorted(set(labels)):
        if (labels == label).sum() < 5:
            continue
        made = features(instrument.sample(PER_LABEL, label=label, seed=5000)[:, 0], instrument.sample_rate)
        real = distances(cells, labels, [label])[label]
        ratios[label] = round(distances(made, np.repeat(label, PER_LABEL), [label])[label] / max(real, 1e-6), 2)
    return ratios


def main() -> None:
    instrument, dataset = load(sys.argv[1]), Dataset(Path(sys.argv[2]))
    indices = list(range(len(dataset)))
    real = dataset.padded(indices)[:, 0]
    full_labels = [labels["class"] for labels in dataset.labels(indices)]
    names = np.array([ancestry(label)[0] for label in full_labels])
    groups = [-1 - i if entry["duplicates"] is None else entry["duplicates"] for i, entry in enumerate(dataset.entries)]
    classes = sorted(set(names))
    made, asked = generate(instrument, classes)
    real_cells, made_cells = features(real, dataset.sample_rate_hz), features(made, dataset.sample_rate_hz)
    result: dict[str, object] = {"instrument": instrument.provenance, "fingerprint": instrument.fingerprint}
    for kind, fresh in CLASSIFIERS.items():
        held_out, generated, back = [], [], []
        hits: dict[str, list[float]] = {name: [] for name in classes}
        for train, test in StratifiedGroupKFold(5, shuffle=True, random_state=0).split(real_cells, names, groups):
            judge = fresh().fit(real_cells[train], names[train])
            held_out.append(np.mean([np.mean(judge.predict(real_cells[test][names[test] == n]) == n) for n in classes]))
            said = judge.predict(made_cells)
            generated.append(np.mean(said == asked))
            for name in classes:
                hits[name].append(float(np.mean(said[asked == name] == name)))
            pupil = fresh().fit(made_cells, asked)
            back.append(np.mean([np.mean(pupil.predict(real_cells[test][names[test] == n]) == n) for n in classes]))
        result[kind] = {
            "held_out_real_accuracy": round(float(np.mean(held_out)), 3),
            "generated_accuracy": round(float(np.mean(generated)), 3),
            "ratio": round(float(np.mean(generated) / np.mean(held_out)), 3),
            "trained_on_generated_tested_on_real": round(float(np.mean(back)), 3),
            "generated_accuracy_per_class": {name: round(float(np.mean(h)), 2) for name, h in hits.items()},
        }
    apart_real, apart_made = distances(real_cells, names, classes), distances(made_cells, asked, classes)
    ratios = {name: round(apart_made[name] / apart_real[name], 2) for name in classes}
    full = variety_within_labels(instrument, real_cells, np.array(full_labels))
    result |= {
        "distance_within_full_label_over_real": full,
        "median_distance_ratio_within_full_label": round(float(np.median(list(full.values()))), 3),
        "distance_within_class_over_real": ratios,
        "mean_distance_ratio": round(float(np.mean(list(ratios.values()))), 3),
        "lowest_distance_ratio": min(ratios.values()),
        "faults_generated": faults(made),
        "faults_real": faults(real),
    }
    publish("drums", result)
    rows = []
    for name in classes:
        few_real = real[np.random.default_rng(1).permutation(np.flatnonzero(names == name))[:8]]
        few_made = made[asked == name][:8]
        for title, few in ((f"{name}: real", few_real), (f"{name}: generated", few_made)):
            rows.append((title, list(instrument.model.representation.encode(torch.from_numpy(few)[:, None]).numpy())))
    write_sheet(RESULTS / "drums_sheet.png", rows)


if __name__ == "__main__":
    main()
