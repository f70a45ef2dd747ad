"""The picture of captions against what people really type: in the encoder's space, and in what the networks make of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from torch.nn import functional

from bowerbird.conditions.category import ancestry
from bowerbird.conditions.text import Text
from bowerbird.conditions.words import words
from bowerbird.data.dataset import Dataset
from bowerbird.encoders import encoder_again
from bowerbird.encoders.interface import Encoder
from bowerbird.errors import UsageError, known
from bowerbird.evaluation.queries import Query
from bowerbird.instrument import load
from bowerbird.instrument_file import read_tensors, write_whole
from bowerbird.scatter import Panel, write_scatter
from bowerbird.seeds import numpy_random
from bowerbird.training.state import BEST, NEWEST

__all__ = ["textmap"]

MOST_CAPTIONS, FEWEST = 2000, 4  # captions drawn; captions and queries, of fewer there is no map
NEAREST, FOLDS = 5, 5

Vectors = NDArray[np.floating]  # (B, E)


def textmap(dataset: Dataset, queries: list[Query], folder: Path, instrument: str | None = None) -> dict[str, Any]:
    """Writes textmap.html, textmap.png and textmap.json into `folder`; returns the figures.

    With the folder of a run both networks' reductions are shown beside the encoder's space, with an instrument file the
    generator's alone.
    """
    name = next((name for name, kind in dataset.kinds.items() if kind == "text"), None)
    if name is None:
        raise UsageError(f"{dataset.folder} has no captions; prepare it with --labels filename or --captions")
    if dataset.main is None:  # then what a query means cannot be judged
        queries = [Query(query.text) for query in queries]
    classes = {query.meant for query in queries} - {""}
    labels = dataset.labels(list(range(len(dataset))))
    class_of: dict[str, str] = {}
    for one in labels:
        top = ancestry(one[dataset.main])[:1] if dataset.main else []
        if one[name]:
            class_of[one[name]] = class_of.get(one[name]) or "".join(top)
    if unknown := classes - set(class_of.values()):
        raise UsageError(
            f'no sound is of class "{min(unknown)}", which a query means; {known(set(class_of.values()) - {""})}'
        )
    captions = sorted(class_of)
    captions = sorted(captions[k] for k in numpy_random(0, "textmap").permutation(len(captions))[:MOST_CAPTIONS])
    typed = [" ".join(words(query.text)) for query in queries]
    if len(captions) < FEWEST:
        raise UsageError(f"{dataset.folder} has {len(captions)} different captions, too few for a map")
    by = encoder_again(dataset.encoder, dataset.encoder_fingerprint)
    spaces = {"as encoded": by(captions + typed)}
    for title, reduce in _reductions(instrument, name, by).items() if instrument else ():
        spaces[title] = reduce(spaces["as encoded"])
    names = np.array([class_of[caption] for caption in captions])
    figures = {title: _figures(vectors, names, queries) for title, vectors in spaces.items()}
    for found in list(figures.values())[1:]:
        if "captions" in found:  # how much the reduction loses of what tells classes apart
            found["lost"] = figures["as encoded"]["captions"] - found["captions"]
    panels = [Panel(title, _flat(vectors), in_words(figures[title])) for title, vectors in spaces.items()]
    marks = [*names.tolist(), *(query.meant for query in queries)]
    title = f"captions of {dataset.folder} and {len(typed)} queries"
    texts = [f"caption: {caption}" for caption in captions] + [f"typed: {query}" for query in typed]
    told = (
        "Circles are captions, squares what people typed. Point at one to see it in every space; press a class to hide it."
    )
    write_scatter(folder / "textmap", title, told, panels, texts, marks, len(captions))
    write_whole(folder / "textmap.json", json.dumps(figures, indent=2).encode())
    return figures


def _reductions(instrument: str, name: str, by: Encoder) -> dict[str, Callable[[Vectors], Vectors]]:
    """What the networks make of a text's vectors (B, E) -> (B, R) where all other labels are missing, by title."""
    player = load(instrument)
    model = player.model
    place = next((n for n, c in enumerate(model.conditions) if isinstance(c, Text) and c.name == name), None)
    if place is None:
        raise UsageError(f"{instrument} was not trained on texts; give one that was")
    text, (columns, _) = model.conditions[place], model.spans[place]
    if not isinstance(text, Text) or text.fingerprint != by.fingerprint:
        raise UsageError(f"{instrument} learnt texts by another encoder than the dataset's; give the one it was trained on")
    tensors = {"generator": dict(player.generator.state_dict())}
    if Path(instrument).is_dir():
        tensors["discriminator"] = _judge(Path(instrument))
    found = {}
    for network, weights in tensors.items():
        # The first layer that takes encoded labels, with its gain (networks/steering.py, heads.py and the families).
        layers = {"reduction.mean": True, "embed": False, "first.embed": False, "head.embed": True}
        layer = next((layer for layer in layers if f"{layer}.weight" in weights), None)
        if layer is not None:
            weight, bias = weights[f"{layer}.weight"].float(), weights[f"{layer}.bias"].float()
            scale = 1.0 if layers[layer] else model.condition_width**-0.5
            found[f"after the {network}'s {len(weight)} numbers"] = _linear(weight[:, columns] * scale, bias)
    return found


def _judge(run: Path) -> dict[str, torch.Tensor]:
    """The discriminator's weights in a run's best checkpoint, or its last where nothing was kept as the best."""
    kept = next((name for name in (BEST, *NEWEST) if (run / name).is_file()), BEST)
    tensors, _ = read_tensors(run / kept, "checkpoint")
    return {name.removeprefix("judge/"): weight for name, weight in tensors.items() if name.startswith("judge/")}


def _linear(weight: torch.Tensor, bias: torch.Tensor) -> Callable[[Vectors], Vectors]:
    return lambda vectors: functional.linear(torch.from_numpy(vectors), weight, bias).numpy()


def _figures(vectors: Vectors, names: NDArray[np.str_], queries: list[Query]) -> dict[str, float]:
    """Of captions with a class and queries that mean one; nothing where there are none.

    `queries`: share whose class, by the mean cosine of its NEAREST captions, is the nearest. `captions`: the same of
    captions by a cross-validated vote of the nearest. `silhouette` by cosine distance (Rousseeuw 1987).
    """
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    told, asked = unit[: len(names)][names != ""], unit[len(names) :]
    names = names[names != ""]
    classes = sorted(set(names))
    figures: dict[str, float] = {}
    if len(classes) < 2:
        return figures
    meant = [row for row, query in enumerate(queries) if query.meant]
    if meant:
        alike = asked[meant] @ told.T
        near = np.stack([np.sort(alike[:, names == one], 1)[:, -NEAREST:].mean(1) for one in classes], 1)
        right = [classes[best] == queries[row].meant for best, row in zip(near.argmax(1), meant, strict=True)]
        figures["queries"] = float(np.mean(right))
    several = np.isin(names, [one for one in classes if (names == one).sum() > 1])
    fewest = min(((names == one).sum() for one in set(names[several])), default=0)
    if len(set(names[several])) > 1:
        votes = StratifiedKFold(min(FOLDS, int(fewest)), shuffle=True, random_state=0)
        nearest = KNeighborsClassifier(min(NEAREST, int(several.sum()) // 2), metric="cosine", weights="distance")
        figures["captions"] = float(cross_val_score(nearest, told[several], names[several], cv=votes).mean())
    if len(classes) < len(names):
        figures["silhouette"] = float(silhouette_score(told, names, metric="cosine"))
    return figures


def in_words(figures: dict[str, float]) -> str:
    """The figures of one space for people."""
    words_for = {
        "queries": "queries nearest to their class {:.0%}",
        "captions": "captions {:.0%}",
        "silhouette": "silhouette {:.2f}",
        "lost": "{:.0%} of captions lost by the reduction",
    }
    return ", ".join(words_for[key].format(value) for key, value in figures.items()) or "no classes to tell apart"


def _flat(vectors: Vectors) -> Vectors:
    """(B, E) -> (B, 2) (van der Maaten & Hinton 2008)."""
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(2, perplexity=perplexity, metric="cosine", init="pca", random_state=0).fit_transform(vectors)
