"""Whether sounds are what was asked for: a classifier trained on real and tested on generated, and the other way round."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

__all__ = ["Agreement", "agreement", "inception_score"]

Embeddings = NDArray[np.floating]
Names = NDArray[np.str_]
FOLDS = 5


@dataclass(frozen=True)
class Agreement:
    """Mean accuracies over classes, each class counted alike; `per_label` is for generated sounds."""

    real: float  # trained on real, tested on held-out real
    generated: float  # trained on real, tested on generated
    back: float  # trained on generated, tested on real
    per_label: dict[str, float]
    real_per_label: dict[str, float]
    probabilities: NDArray[np.floating]  # of generated sounds over labels (B, labels), for inception scores
    scores: NDArray[np.floating]  # how far a generated sound lies on each label's side, by one judge each (B, labels)
    real_scores: NDArray[np.floating]


def _classifier() -> Pipeline:
    return make_pipeline(StandardScaler(), SVC(C=10))


def agreement(
    real: Embeddings, names: Names, groups: NDArray[np.integer], made: Embeddings, asked: Names
) -> Agreement | None:
    """None where fewer than two labels have at least two groups of real sounds.

    `groups` keeps near-duplicates on one side of each fold.
    """
    labels = [n for n in sorted(set(names)) if len(set(groups[names == n])) > 1 and (asked == n).any()]
    if len(labels) < 2:
        return None
    kept, wanted = np.isin(names, labels), np.isin(asked, labels)
    real, names, groups, made, asked = real[kept], names[kept], groups[kept], made[wanted], asked[wanted]
    fewest = min(len(set(groups[names == n])) for n in labels)
    folds = StratifiedGroupKFold(min(FOLDS, fewest), shuffle=True, random_state=0)
    on_real, on_made, back = [], [], []
    votes = np.zeros((len(made), len(labels)))
    splits = [(train, test) for train, test in folds.split(real, names, groups) if len(set(names[train])) == len(labels)]
    tested = np.concatenate([np.zeros(0, int), *(test for _, test in splits)])
    if set(names[tested]) != set(labels):  # near-duplicates under several labels left nothing to learn one from
        return None
    sides = 1 if len(labels) == 2 else len(labels)
    scores, real_scores = np.zeros((len(made), sides)), []
    pupil = _classifier().fit(made, asked)
    for number, (train, test) in enumerate(splits):
        judge = _classifier().fit(real[train], names[train])
        on_real.append(_hits(judge.predict(real[test]), names[test], labels))
        said = judge.predict(made)
        on_made.append(_hits(said, asked, labels))
        back.append(_hits(pupil.predict(real[test]), names[test], labels))
        votes += said[:, None] == np.array(labels)[None]
        scores[number :: len(splits)] = judge.decision_function(made[number :: len(splits)]).reshape(-1, sides)
        real_scores.append(judge.decision_function(real[test]).reshape(-1, sides))
    mean_made, mean_real = np.nanmean(on_made, 0), np.nanmean(on_real, 0)
    return Agreement(
        float(np.mean(mean_real)),
        float(np.mean(mean_made)),
        float(np.mean(np.nanmean(back, 0))),
        dict(zip(labels, mean_made.tolist(), strict=True)),
        dict(zip(labels, mean_real.tolist(), strict=True)),
        votes / votes.sum(1, keepdims=True),
        scores,
        np.concatenate(real_scores),
    )


def _hits(said: Names, names: Names, labels: list[str]) -> list[float]:
    return [float((said[names == n] == n).mean()) if (names == n).any() else np.nan for n in labels]


def inception_score(probabilities: NDArray[np.floating]) -> float:
    """exp of the mean divergence of each sound's label distribution from the mean one (Salimans et al. 2016)."""
    p = np.clip(probabilities, 1e-12, 1)
    return float(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))
