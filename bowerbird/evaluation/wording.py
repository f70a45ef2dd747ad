"""Whether sounds are what a text says: detectors of words, and captions matched with sounds, learnt from real ones."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression, RidgeCV
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from bowerbird.encoders.interface import Encoder
from bowerbird.evaluation.heard import Heard
from bowerbird.seeds import numpy_random

__all__ = ["wording"]

LEAST_HEARD, MOST_WORDS = 20, 60  # sounds of a word that has a detector, and detectors
FOLDS, OTHERS = 5, 10

Embeddings = NDArray[np.floating]


def wording(name: str, by: Encoder, real: Heard, a: Embeddings, made: Heard, b: Embeddings) -> dict[str, float]:
    """Figures `label/…` of a text condition; nothing where too few sounds have one.

    `map`: the mean average precision of detectors of words that are common enough, real sounds cross-validated.
    `own_caption`: how often a sound fits its own caption better than another one's (OTHERS of them, other words), by the
    cosine of the caption's vector and one that a regression predicts from the sound. Chance is a half.
    """
    kept, wanted = (np.array([bool(one[name]) for one in heard.labels]) for heard in (real, made))
    said, asked = ([one[name] for one in heard.labels if one[name]] for heard in (real, made))
    groups = real.groups[kept]
    if len(set(groups)) < 2 * FOLDS or not asked:
        return {}
    a, b = a[kept], b[wanted]
    folds = list(GroupKFold(FOLDS).split(a, groups=groups))
    return _words(name, said, a, folds, asked, b) | _captions(name, by, said, a, folds, asked, b)


def _words(
    name: str,
    said: list[str],
    a: Embeddings,
    folds: list[tuple[NDArray[np.integer], NDArray[np.integer]]],
    asked: list[str],
    b: Embeddings,
) -> dict[str, float]:
    counts = Counter(word for caption in said for word in caption.split())
    scores = []
    for word, count in counts.most_common(MOST_WORDS):
        has, wants = (np.array([word in caption.split() for caption in captions]) for captions in (said, asked))
        if not LEAST_HEARD <= count <= len(said) - LEAST_HEARD or not wants.any():
            continue
        if any(len(set(has[train])) < 2 for train, _ in folds):
            continue
        on_real, on_made = np.zeros(len(a)), np.zeros(len(b))
        for number, (train, test) in enumerate(folds):
            detector, part = _detector().fit(a[train], has[train]), slice(number, None, len(folds))
            on_real[test], on_made[part] = detector.decision_function(a[test]), detector.decision_function(b[part])
        scores.append((average_precision_score(has, on_real), average_precision_score(wants, on_made)))
    if not scores:
        return {}
    heard, generated = np.mean(scores, 0)
    return {f"label/{name}_map_real": float(heard), f"label/{name}_map_generated": float(generated)}


def _detector() -> Pipeline:
    return make_pipeline(StandardScaler(), LogisticRegression(C=0.1, class_weight="balanced", max_iter=500))


def _captions(
    name: str,
    by: Encoder,
    said: list[str],
    a: Embeddings,
    folds: list[tuple[NDArray[np.integer], NDArray[np.integer]]],
    asked: list[str],
    b: Embeddings,
) -> dict[str, float]:
    targets, wanted = by(said), by(asked)
    on_real, on_made = np.zeros_like(targets), np.zeros_like(wanted)
    for number, (train, test) in enumerate(folds):
        listener = make_pipeline(StandardScaler(), RidgeCV(np.geomspace(1, 1e5, 11))).fit(a[train], targets[train])
        on_real[test] = listener.predict(a[test])
        on_made[number :: len(folds)] = listener.predict(b[number :: len(folds)])
    return {
        f"label/{name}_own_caption_real": _own(on_real, targets, said),
        f"label/{name}_own_caption_generated": _own(on_made, wanted, asked),
    }


def _own(heard: Embeddings, targets: Embeddings, captions: list[str]) -> float:
    """How often the own one wins, ties half."""
    random = numpy_random(0, "other captions")
    wins = []
    for row, caption in enumerate(captions):
        drawn = (int(k) for k in random.integers(len(captions), size=OTHERS))
        others = [k for k in drawn if set(captions[k].split()) != set(caption.split())]
        ahead = heard[row] @ targets[row] - targets[others] @ heard[row]
        wins += ((np.sign(ahead) + 1) / 2).tolist()
    return float(np.mean(wins)) if wins else float("nan")
