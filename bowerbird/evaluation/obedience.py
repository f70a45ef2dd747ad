"""Whether generated sounds keep to the labels beside the main one: classes, pitches, tags and numbers asked for at once."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from scipy.stats import entropy, spearmanr
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from bowerbird.conditions import CONDITIONS
from bowerbird.conditions.category import ancestry
from bowerbird.conditions.interface import is_measured
from bowerbird.conditions.tags import tags_of
from bowerbird.evaluation.agreement import agreement
from bowerbird.evaluation.heard import Heard

__all__ = ["obedience"]

MOST_TAGS, LEAST_TAGGED = 40, 10  # tags that are judged, and sounds with and without a tag; of fewer nothing can be learnt
FOLDS = 5

Embeddings = NDArray[np.floating]


def obedience(
    name: str, kind: str, real: Heard, a: Embeddings, made: Heard, b: Embeddings, rate_hz: int
) -> dict[str, float]:
    """Figures `label/…` for one condition; sounds that lack it do not count. Nothing where there is nothing to tell.

    Classes, pitches and tags: accuracies of classifiers trained on real sounds. Numbers: the rank correlation of what is
    asked with what is measured or, where it cannot be, with what a regression trained on real sounds hears.
    """
    kept, wanted = (np.array([bool(one[name]) for one in heard.labels]) for heard in (real, made))
    said, asked = ([one[name] for one in heard.labels if one[name]] for heard in (real, made))
    if len(said) < FOLDS or not asked:
        return {}
    a, b, groups = a[kept], b[wanted], real.groups[kept]
    if is_measured(CONDITIONS[kind]):
        measure = CONDITIONS[kind].measure
        heard = np.array([float(measure(sound, rate_hz)) for sound in made.sounds[wanted]])
        return {f"label/{name}_rank_generated": _rank(heard, asked), f"label/{name}_rank_real": 1.0}
    if kind == "number":
        return _ranks(name, said, a, groups, asked, b)
    if kind == "tags":
        return _tags(name, said, a, groups, asked, b)
    if kind not in ("category", "pitch"):
        return {}
    names, tops = (np.array([ancestry(label)[0] for label in labels]) for labels in (said, asked))
    agreed = agreement(a, names, groups, b, tops)
    if agreed is None:
        return {}
    return {
        f"label/{name}_accuracy_real": agreed.real,
        f"label/{name}_accuracy_generated": agreed.generated,
        f"label/{name}_entropy": float(entropy(agreed.probabilities.mean(0))),
        f"label/{name}_entropy_real": float(entropy([(names == one).sum() for one in agreed.per_label])),
    }


def _tags(
    name: str, said: list[str], a: Embeddings, groups: NDArray[np.integer], asked: list[str], b: Embeddings
) -> dict[str, float]:
    """The mean over tags of accuracies where having and lacking a tag count alike."""
    scores = []
    for tag, _ in Counter(tag for label in said for tag in sorted(tags_of(label))).most_common(MOST_TAGS):
        has, wants = (np.array([str(tag in tags_of(label)) for label in labels]) for labels in (said, asked))
        if min((has == "True").sum(), (has == "False").sum()) < LEAST_TAGGED:
            continue
        agreed = agreement(a, has, groups, b, wants)
        if agreed is not None:
            scores.append((agreed.real, agreed.generated))
    if not scores:
        return {}
    real, generated = np.mean(scores, 0)
    return {f"label/{name}_accuracy_real": float(real), f"label/{name}_accuracy_generated": float(generated)}


def _ranks(
    name: str, said: list[str], a: Embeddings, groups: NDArray[np.integer], asked: list[str], b: Embeddings
) -> dict[str, float]:
    if len(set(said)) < 2 or len(set(groups)) < FOLDS:
        return {}
    values = np.array([float(label) for label in said])
    held_out = cross_val_predict(_regression(), a, values, groups=groups, cv=GroupKFold(FOLDS))
    heard = _regression().fit(a, values).predict(b)
    return {f"label/{name}_rank_real": _rank(held_out, said), f"label/{name}_rank_generated": _rank(heard, asked)}


def _regression() -> Pipeline:
    return make_pipeline(StandardScaler(), RidgeCV(np.geomspace(0.1, 1e4, 11)))


def _rank(heard: NDArray[np.floating], asked: list[str]) -> float:
    """NaN where all were asked alike."""
    numbers = np.array([float(label) for label in asked])
    return float(spearmanr(heard, numbers).statistic) if np.ptp(numbers) and np.ptp(heard) else float("nan")
