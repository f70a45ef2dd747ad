"""All figures of one instrument against one dataset, under names `group/name`."""

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from bowerbird.conditions.category import ancestry
from bowerbird.data.dataset import Dataset
from bowerbird.errors import UsageError
from bowerbird.evaluation.agreement import agreement, inception_score
from bowerbird.evaluation.faults import FAULTS, checkerboard_db, floor_db, lacking, onset_s
from bowerbird.evaluation.fidelity import different_bins, frechet, kad, manifold
from bowerbird.evaluation.listener import Listener
from bowerbird.evaluation.memory import Memory, memory
from bowerbird.evaluation.pitch import hear_pitch, pitch_scores
from bowerbird.evaluation.pretrained import Pretrained
from bowerbird.evaluation.variety import variety
from bowerbird.instrument import Instrument
from bowerbird.midi import PITCH, midi_number
from bowerbird.progress import progress
from bowerbird.seeds import numpy_random

__all__ = ["Evaluation", "Heard", "compare", "evaluate", "hear_instrument", "hear_real"]

MOST = 1000  # sounds of either kind
LEAST_PER_CLASS = 40
LEAST_GRID = 64  # samples; a network's grid on waveforms is coarser than a sample

Sounds = NDArray[np.float32]


@dataclass(frozen=True)
class Heard:
    """Sounds (B, C, T) with the class of each and, for real ones, near-duplicate groups."""

    sounds: Sounds
    names: NDArray[np.str_]
    groups: NDArray[np.integer]
    labels: list[dict[str, str]] = field(default_factory=list)
    seeds: list[int] = field(default_factory=list)
    matched: int = 0  # the first so many have their labels in the data's proportions


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, figures per class, and the sounds behind them."""

    figures: dict[str, float]
    per_class: dict[str, dict[str, float]]
    real: Heard
    made: Heard
    memory: Memory


def hear_real(dataset: Dataset, part: str) -> Heard:
    """Up to MOST real sounds of a part."""
    indices = dataset.part(part)
    indices = sorted(numpy_random(0, "evaluate", part).permutation(indices)[:MOST].tolist())
    labels, main = dataset.labels(indices), dataset.conditions[:1]
    names = np.array([ancestry(one[main[0]])[0] if main else "all sounds" for one in labels])
    entries = [dataset.entries[index] for index in indices]
    groups = np.array([-1 - i if e["duplicates"] is None else e["duplicates"] for i, e in enumerate(entries)])
    sounds = dataset.padded(indices) if indices else np.zeros((0, dataset.channels, dataset.samples), np.float32)
    # In the order of the conditions, the main label first: files keep them sorted.
    return Heard(sounds, names, groups, [{name: one[name] for name in dataset.conditions} for one in labels])


def hear_instrument(instrument: Instrument, real: Heard, seed: int = 0, *, quiet: bool = False) -> Heard:
    """As many generated sounds as real ones, with their labels, and more of every small class."""
    labels, names, matched = list(real.labels), list(real.names), len(real.labels)
    for name in sorted(set(names)):
        for _ in range(LEAST_PER_CLASS - names.count(name)):
            asked = {condition.name: name for condition in instrument.model.conditions[:1]}
            labels.append(instrument.choose(asked, seed=seed + len(labels)))
            names.append(name)
    seeds = [seed + k for k in range(len(labels))]
    sounds = []
    with progress("making sounds", len(labels), quiet=quiet) as advance:
        for sound, _ in instrument.play(labels, seeds):
            sounds.append(sound)
            advance(len(sounds))
    return Heard(np.stack(sounds), np.array(names), np.arange(len(names)), labels, seeds, matched)


def evaluate(
    instrument: Instrument, dataset: Dataset, seed: int = 0, embedding: str | None = None, *, quiet: bool = False
) -> Evaluation:
    """Listens to an instrument beside the sounds of a dataset; UsageError where the two do not fit.

    With the name of a pretrained `embedding` its distances are added to the figures.
    """
    pretrained = Pretrained(embedding, dataset.sample_rate_hz) if embedding else None
    form = instrument.model.representation
    mine = (form.sample_rate_hz, form.channels, form.samples)
    theirs = (dataset.sample_rate_hz, dataset.channels, dataset.samples)
    if mine != theirs:
        raise UsageError(
            f"the instrument makes sounds of {mine[0]} Hz, {mine[1]} channels, {mine[2]} samples and {dataset.folder} holds "
            f"{theirs[0]} Hz, {theirs[1]}, {theirs[2]}; evaluate against the dataset it was trained on"
        )
    conditions = {condition.name: condition for condition in instrument.model.conditions}
    if tuple(conditions) != dataset.conditions:
        raise UsageError(
            f"the instrument is labelled by {', '.join(conditions) or 'nothing'} and {dataset.folder} by "
            f"{', '.join(dataset.conditions) or 'nothing'}; evaluate against the dataset it was trained on"
        )
    for labels in dataset.labels(dataset.part("train")):
        for name, label in labels.items():
            conditions[name].parse(label)
    real = hear_real(dataset, "train")
    if len(real.sounds) < 8:
        raise UsageError(f"{dataset.folder} has {len(real.sounds)} sounds to compare with; at least 8 are needed")
    held_out = hear_real(dataset, "validation")
    made = hear_instrument(instrument, real, seed, quiet=quiet)
    found = compare(
        real, made, dataset.sample_rate_hz, round_trip(instrument, real.sounds), held_out, hop=max(form.hop, LEAST_GRID)
    )
    if pretrained is not None:
        found.figures.update(_pretrained(pretrained, real, made))
    return found


def _pretrained(listener: Pretrained, real: Heard, made: Heard) -> dict[str, float]:
    a, b = listener(real.sounds), listener(made.sounds[: made.matched])
    order = numpy_random(0, "halves").permutation(len(a))
    one, other = a[order[: len(a) // 2]], a[order[len(a) // 2 :]]
    value, low, high = kad(a, b)
    return {
        "pretrained/kad": value,
        "pretrained/kad_low": low,
        "pretrained/kad_high": high,
        "pretrained/kad_floor": kad(one, other, draws=0)[0],
        "pretrained/frechet": frechet(a, b),
        "pretrained/frechet_floor": frechet(one, other),
    }


def round_trip(instrument: Instrument, sounds: Sounds) -> Sounds:
    """Real sounds, encoded and decoded: the best a perfect network could do."""
    form = instrument.model.representation
    with torch.inference_mode():
        return np.concatenate([form.decode(form.encode(torch.from_numpy(one)[None])).numpy() for one in sounds])


def compare(
    real: Heard, made: Heard, rate_hz: int, ceiling: Sounds | None = None, held_out: Heard | None = None, hop: int = 256
) -> Evaluation:
    """All figures. Without `ceiling` and `held_out` those that need them are left out."""
    listener = Listener.fit(real.sounds, rate_hz)
    a, b = listener(real.sounds), listener(made.sounds)
    matched = b[: made.matched or len(b)]
    figures = _fidelity(a, matched, real, listener, ceiling)
    per_class: dict[str, dict[str, float]] = {name: {} for name in sorted(set(real.names))}
    agreed = agreement(a, real.names, real.groups, b, made.names)
    if agreed is not None:
        figures |= {
            "label/accuracy_real": agreed.real,
            "label/accuracy_generated": agreed.generated,
            "label/accuracy_ratio": agreed.generated / max(agreed.real, 1e-9),
            "label/trained_on_generated": agreed.back,
            "label/trained_on_generated_ratio": agreed.back / max(agreed.real, 1e-9),
            "label/inception_score": inception_score(agreed.probabilities),
        }
        for name, hits in agreed.per_label.items():
            per_class[name] |= {"accuracy": hits, "accuracy_real": agreed.real_per_label[name]}
    figures |= _other_labels(a, real, b, made)
    varied = variety(a, real.names, b, made.names)
    figures |= {
        "variety/ratio": varied.ratio,
        "variety/twins": varied.twins,
        "variety/twins_real": varied.real_twins,
        "variety/within_labels": varied.within,
        "variety/within_labels_real": varied.real_within,
    }
    for name, ratio in varied.per_label.items():
        per_class[name]["variety"] = ratio
    remembered = memory(a, real.groups, b, listener(held_out.sounds) if held_out and len(held_out.sounds) else None)
    figures |= {
        "memory/sounds": float(len(a)),
        "memory/distance_ratio": remembered.ratio,
        "memory/near_copies": remembered.copies,
        "memory/near_copies_real": remembered.reference_copies,
    }
    figures |= _pitch(real, made, rate_hz)
    figures |= _faults(real.sounds, made.sounds, rate_hz, hop)
    return Evaluation(figures, per_class, real, made, remembered)


def _fidelity(
    a: NDArray[np.floating], b: NDArray[np.floating], real: Heard, listener: Listener, ceiling: Sounds | None
) -> dict[str, float]:
    random = numpy_random(0, "halves")
    order = random.permutation(len(a))
    one, other = a[order[: len(a) // 2]], a[order[len(a) // 2 :]]
    noise = random.standard_normal(real.sounds.shape).astype(np.float32)
    noise *= np.sqrt(np.square(real.sounds).mean((1, 2), keepdims=True))
    value, low, high = kad(a, b)
    figures = {
        "fidelity/kad": value,
        "fidelity/kad_low": low,
        "fidelity/kad_high": high,
        "fidelity/kad_floor": kad(one, other, draws=0)[0],
        "fidelity/kad_noise": kad(a, listener(noise), draws=0)[0],
        "fidelity/frechet": frechet(a, b),
        "fidelity/frechet_floor": frechet(one, other),
        "fidelity/different_bins": different_bins(a, b),
        "fidelity/different_bins_floor": different_bins(one, other),
    }
    floor, top = figures["fidelity/kad_floor"], figures["fidelity/kad_noise"]
    figures["fidelity/kad_way_to_noise"] = (value - floor) / max(top - floor, 1e-9)
    if ceiling is not None:
        heard = listener(ceiling)
        figures |= {"fidelity/kad_ceiling": kad(a, heard, draws=0)[0], "fidelity/frechet_ceiling": frechet(a, heard)}
    figures |= {f"fidelity/{name}": value for name, value in manifold(a, b).items()}
    figures |= {f"fidelity/{name}_floor": value for name, value in manifold(one, other).items()}
    return figures


def _other_labels(a: NDArray[np.floating], real: Heard, b: NDArray[np.floating], made: Heard) -> dict[str, float]:
    """Accuracies for every label but the main one, such as pitch beside family, and how evenly the labels come out."""
    figures: dict[str, float] = {}
    for condition in list(real.labels[0])[1:] if real.labels and made.labels else []:
        names, asked = (np.array([ancestry(one[condition])[0] for one in heard.labels]) for heard in (real, made))
        agreed = agreement(a, names, real.groups, b, asked)
        if agreed is not None:
            share = agreed.probabilities.mean(0)
            figures |= {
                f"label/{condition}_accuracy_real": agreed.real,
                f"label/{condition}_accuracy_generated": agreed.generated,
                f"label/{condition}_entropy": float(-(share * np.log(np.maximum(share, 1e-12))).sum()),
            }
    return figures


def _pitch(real: Heard, made: Heard, rate_hz: int) -> dict[str, float]:
    """Where the sounds are labelled by pitch."""
    if not all(PITCH in labels for labels in (*real.labels, *made.labels)) or not real.labels:
        return {}
    true, asked = (np.array([midi_number(labels[PITCH]) for labels in heard.labels]) for heard in (real, made))
    reference = pitch_scores(hear_pitch(real.sounds, rate_hz), true)
    return pitch_scores(hear_pitch(made.sounds, rate_hz), asked) | {f"{k}_real": v for k, v in reference.items()}


def _faults(real: Sounds, made: Sounds, rate_hz: int, hop: int) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, has in FAULTS.items():
        key = name.replace(" ", "_")
        figures |= {f"fault/{key}": float(has(made, rate_hz).mean()), f"fault/{key}_real": float(has(real, rate_hz).mean())}
    for kind, sounds in (("", made), ("_real", real)):
        figures |= {
            f"fault/checkerboard_db{kind}": float(np.median(checkerboard_db(sounds, hop))),
            f"fault/level_db{kind}": float(np.median(10 * np.log10(np.square(sounds).mean((1, 2)) + 1e-12))),
            f"fault/onset_s{kind}": float(np.median(onset_s(sounds, rate_hz))),
            f"fault/floor_db{kind}": float(np.median(floor_db(sounds, rate_hz))),
        }
    figures["fault/lacking_db"], figures["fault/lacking_hz"] = lacking(real, made, rate_hz)
    return figures
