"""All figures of one instrument against one dataset, under names `group/name`."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions import kind_of
from bowerbird.data.dataset import Dataset
from bowerbird.encoders import encoder, encoder_again
from bowerbird.errors import UsageError
from bowerbird.evaluation.agreement import agreement, inception_score
from bowerbird.evaluation.faults import fault_scores
from bowerbird.evaluation.fidelity import different_bins, frechet, kad, manifold
from bowerbird.evaluation.heard import (
    TIMES,
    UNLABELLED,
    Heard,
    Sounds,
    hear,
    hear_again,
    hear_between,
    hear_instrument,
    hear_real,
    round_trip,
)
from bowerbird.evaluation.listener import Listener
from bowerbird.evaluation.memory import Memory, memory
from bowerbird.evaluation.obedience import obedience
from bowerbird.evaluation.pitch import pitch_scores
from bowerbird.evaluation.pretrained import Pretrained
from bowerbird.evaluation.queries import Query, ask
from bowerbird.evaluation.variety import share_repeated, share_within, variety, variety_of_one
from bowerbird.evaluation.wording import wording
from bowerbird.instrument import Instrument
from bowerbird.midi import PITCH, midi_number
from bowerbird.seeds import numpy_random
from bowerbird.tracker import hear_pitch

__all__ = ["Evaluation", "compare", "evaluate"]

LEAST_GRID = 64  # samples; a network's grid on waveforms is coarser than a sample
LEAST_NOISE_KAD = 1.0  # between real sounds and white noise; sounds may be nearly noise themselves
PAIRS = 12

Embeddings = NDArray[np.floating]  # (B, E)
PerClass = dict[str, dict[str, float]]  # figures by name, by class


@dataclass(frozen=True)
class Evaluation:
    """Figures by name, figures per class, and the sounds behind them."""

    figures: dict[str, float]
    per_class: PerClass
    real: Heard
    made: Heard
    copied: list[int]  # the generated sounds nearest to a training sound, the nearest first
    copied_from: Heard  # and those training sounds


def evaluate(
    instrument: Instrument,
    dataset: Dataset,
    seed: int = 0,
    embedding: str | None = None,
    queries: list[Query] | None = None,
    *,
    quiet: bool = False,
) -> Evaluation:
    """Listens to an instrument beside the sounds of a dataset; UsageError where the two do not fit.

    With the name of a pretrained `embedding` its distances are added to the figures, with `queries` how often their sounds
    are of the class that they mean.
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
    for name, kind in dataset.kinds.items():
        for label in {labels[name] for labels in dataset.labels(dataset.part("train"))} - {""}:
            if kind != "text":  # any will do
                conditions[name].parse(label)
    text = next((name for name, kind in dataset.kinds.items() if kind == "text"), None)
    if queries and (text is None or dataset.main is None):
        raise UsageError(f"{dataset.folder} lacks texts or classes, so queries say nothing of it; leave out --queries")
    real = hear_real(dataset, "train")
    if len(real.sounds) < 8:
        raise UsageError(f"{dataset.folder} has {len(real.sounds)} sounds to compare with; at least 8 are needed")
    made = hear_instrument(instrument, real, seed, quiet=quiet)
    found = compare(
        real,
        made,
        dataset.sample_rate_hz,
        round_trip(instrument, real.sounds),
        hear_real(dataset, "validation"),
        hear_again(instrument, real, seed, quiet=quiet),
        dataset,
        max(form.hop, LEAST_GRID),
    )
    between = hear_between(instrument, real, seed, quiet=quiet)
    if between is not None:
        asked = np.array([midi_number(labels[PITCH]) for labels in between.labels])
        heard = pitch_scores(hear_pitch(between.sounds, dataset.sample_rate_hz), asked)
        found.figures["pitch/between_within_50_cents"] = heard["pitch/within_50_cents"]
    found.figures["memory/own_sounds"] = float(instrument.provenance["dataset"]["fingerprint"] == dataset.fingerprint)
    if queries and text:
        listener = Listener.fit(real.sounds, dataset.sample_rate_hz)
        found.figures.update(ask(instrument, text, queries, real, listener(real.sounds), listener, seed))
    if pretrained is not None:
        found.figures.update(pretrained.scores(real.sounds, made.alike().sounds))
    return found


def compare(
    real: Heard,
    made: Heard,
    rate_hz: int,
    ceiling: Sounds | None = None,
    held_out: Heard | None = None,
    again: Heard | None = None,
    dataset: Dataset | None = None,
    hop: int = 256,
) -> Evaluation:
    """All figures; those that need what is not given are left out.

    Classes that were filled up count where labels are judged one by one; everything else is of the data's mixture. Copies
    are looked for among all training sounds of `dataset`, without it among `real`.
    """
    listener = Listener.fit(real.sounds, rate_hz)
    a, b = listener(real.sounds), listener(made.sounds)
    alike = made.alike()
    matched = b[: len(alike.sounds)]
    figures = _fidelity(a, matched, real, listener, ceiling)
    per_class: PerClass = {name: {} for name in sorted(set(real.names))}
    figures |= _labels(a, real, b, made, per_class)
    names = list(real.labels[0]) if real.labels and made.labels else []
    for name in names if dataset else names[1:]:
        kind = dataset.kinds[name] if dataset else kind_of(name)
        if kind == "text":
            by = encoder_again(dataset.encoder, dataset.encoder_fingerprint) if dataset else encoder("ngrams")
            figures |= wording(name, by, real, a, alike, matched)
        elif dataset is None or name != dataset.main:
            figures |= obedience(name, kind, real, a, alike, matched, rate_hz)
    figures |= _variety(a, real, b, made, per_class)
    whole = [str(sorted(labels.items())) for labels in real.labels]
    if again is not None and len(set(whole)) > 1:
        numbers = np.repeat(np.arange(len(again.sounds) // TIMES), TIMES)
        repeated = listener(again.sounds)
        figures["variety/of_one_question"] = variety_of_one(a, real.names, repeated, again.names, TIMES)
        figures["variety/from_latent"] = share_repeated(repeated, numbers, matched)
        figures["variety/from_latent_real"] = share_repeated(a, np.unique(whole, return_inverse=True)[1], a)
    remembered, copied_from = _memory(a, matched, real, listener, held_out, dataset)
    figures |= {
        "memory/sounds": float(len(a)),
        "memory/distance_ratio": remembered.ratio,
        "memory/near_copies": remembered.copies,
        "memory/near_copies_real": remembered.reference_copies,
    }
    figures |= _pitch(real, alike, rate_hz)
    figures |= fault_scores(real.sounds, alike.sounds, rate_hz, hop)
    figures = {name: value for name, value in figures.items() if np.isfinite(value)}  # what could not be told is left out
    return Evaluation(figures, per_class, real, made, remembered.nearest_first(PAIRS), copied_from)


def _memory(
    a: Embeddings,
    b: Embeddings,
    real: Heard,
    listener: Listener,
    held_out: Heard | None,
    dataset: Dataset | None,
) -> tuple[Memory, Heard]:
    """Against all training sounds, and those that generated ones come nearest to."""
    apart = listener(held_out.sounds) if held_out and len(held_out.sounds) else None
    if dataset is None:
        found = memory(a, real.groups, b, apart)
        rows = found.nearest[found.nearest_first(PAIRS)]
        return found, Heard(real.sounds[rows], real.names[rows], real.groups[rows])
    indices = dataset.part("train")
    everything = np.concatenate([listener(batch) for batch in dataset.batches(indices)])
    found = memory(everything, dataset.groups(indices), b, apart)
    return found, hear(dataset, [indices[row] for row in found.nearest[found.nearest_first(PAIRS)]])


def _fidelity(a: Embeddings, b: Embeddings, real: Heard, listener: Listener, ceiling: Sounds | None) -> dict[str, float]:
    random = numpy_random(0, "halves")
    order = random.permutation(len(a))
    one, other = a[order[: len(a) // 2]], a[order[len(a) // 2 :]]
    noise = random.standard_normal(real.sounds.shape, np.float32)
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
    figures["fidelity/kad_way_to_noise"] = (value - floor) / max(top - floor, LEAST_NOISE_KAD)
    if ceiling is not None:
        heard = listener(ceiling)
        figures |= {"fidelity/kad_ceiling": kad(a, heard, draws=0)[0], "fidelity/frechet_ceiling": frechet(a, heard)}
    figures |= {f"fidelity/{name}": value for name, value in manifold(a, b).items()}
    figures |= {f"fidelity/{name}_floor": value for name, value in manifold(one, other).items()}
    return figures


def _labels(a: Embeddings, real: Heard, b: Embeddings, made: Heard, per_class: PerClass) -> dict[str, float]:
    """Whether sounds are what was asked for; fills in `per_class` too."""
    known, asked = real.names != UNLABELLED, made.names != UNLABELLED
    agreed = agreement(a[known], real.names[known], real.groups[known], b[asked], made.names[asked])
    if agreed is None:
        return {}
    for name, hits in agreed.per_label.items():
        per_class[name] |= {"accuracy": hits, "accuracy_real": agreed.real_per_label[name]}
    judged = int(np.isin(made.alike().names, list(agreed.per_label)).sum())
    return {
        "label/accuracy_real": agreed.real,
        "label/accuracy_generated": agreed.generated,
        "label/accuracy_ratio": agreed.generated / max(agreed.real, 1e-9),
        "label/trained_on_generated": agreed.back,
        "label/trained_on_generated_ratio": agreed.back / max(agreed.real, 1e-9),
        "label/inception_score": inception_score(agreed.probabilities[:judged]),
        "label/frechet_inception": frechet(agreed.real_scores, agreed.scores[:judged]),
        "label/frechet_inception_floor": frechet(agreed.real_scores[::2], agreed.real_scores[1::2]),
    }


def _variety(a: Embeddings, real: Heard, b: Embeddings, made: Heard, per_class: PerClass) -> dict[str, float]:
    """Whether sounds of one class differ; fills in `per_class` too."""
    varied, alike = variety(a, real.names, b, made.names), made.alike()
    for name, ratio in varied.per_label.items():
        per_class[name]["variety"] = ratio
    return {
        "variety/ratio": varied.ratio,
        "variety/twins": varied.twins,
        "variety/twins_real": varied.real_twins,
        "variety/within_labels": share_within(b[: len(alike.sounds)], alike.names),
        "variety/within_labels_real": share_within(a, real.names),
    }


def _pitch(real: Heard, made: Heard, rate_hz: int) -> dict[str, float]:
    """Where the sounds are labelled by pitch."""
    scores = []
    for heard in (made, real):
        has = [row for row, labels in enumerate(heard.labels) if labels.get(PITCH)]
        if not has:
            return {}
        asked = np.array([midi_number(heard.labels[row][PITCH]) for row in has])
        scores.append(pitch_scores(hear_pitch(heard.sounds[has], rate_hz), asked))
    return scores[0] | {f"{name}_real": value for name, value in scores[1].items()}
