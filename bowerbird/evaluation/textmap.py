"""The picture of captions against what people really type: in the encoder's space, and in what the networks make of it."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier

from bowerbird.conditions.category import ancestry
from bowerbird.conditions.words import words
from bowerbird.data.dataset import Dataset
from bowerbird.encoders import encoder
from bowerbird.errors import BowerbirdError, UsageError, known
from bowerbird.evaluation.scatter import Panel, write_scatter
from bowerbird.instrument import load
from bowerbird.instrument_file import read_tensors, write_whole
from bowerbird.seeds import numpy_random
from bowerbird.training.state import BEST

__all__ = ["Query", "read_queries", "textmap"]

MOST_CAPTIONS, FEWEST = 2000, 4  # captions drawn; captions and queries, of fewer there is no map
NEAREST, FOLDS = 5, 5
TEXT_COLUMNS, CLASS_COLUMNS = ("text", "query", "caption"), ("class", "label", "category")

Vectors = NDArray[np.floating]  # (B, E)


@dataclass(frozen=True)
class Query:
    """What a person typed, and the class they meant, where it is known."""

    text: str
    meant: str = ""


def read_queries(path: Path) -> list[Query]:
    """A csv with a column of texts and maybe one of classes, or a plain list with a query per line."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise UsageError(f"there is no file of queries {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise BowerbirdError(f"{path} is not readable text ({error}); save it as UTF-8") from None
    header = [cell.strip().casefold() for cell in lines[0].split(",")] if lines else []
    column = next((name for name in TEXT_COLUMNS if name in header), None)
    if column is None:
        found = [Query(line.strip()) for line in lines]
    else:
        meant = next((name for name in CLASS_COLUMNS if name in header), "")
        rows = csv.DictReader(lines[1:], header, restval="")
        found = [Query(row[column].strip(), row[meant].strip() if meant else "") for row in rows]
    found = [query for query in found if words(query.text)]
    if not found:
        raise UsageError(f"{path} holds no queries; write one on each line, or a csv with the columns text and class")
    return found


def textmap(dataset: Dataset, queries: list[Query], folder: Path, instrument: str | None = None) -> dict[str, Any]:
    """Writes textmap.html, textmap.png and textmap.json into `folder`; returns the figures.

    With the folder of a run both networks' reductions are shown beside the encoder's space, with an instrument file the
    generator's alone.
    """
    name = next((name for name, kind in dataset.kinds.items() if kind == "text"), None)
    if name is None:
        raise UsageError(f"{dataset.folder} has no captions; prepare it with --labels filename or --captions")
    classes = {query.meant for query in queries} - {""}
    labels = dataset.labels(list(range(len(dataset))))
    class_of: dict[str, str] = {}
    for one in labels:
        if one[name]:
            class_of.setdefault(one[name], ancestry(one[dataset.main])[0] if dataset.main and one[dataset.main] else "")
    if unknown := classes - set(class_of.values()):
        raise UsageError(
            f'no sound is of class "{min(unknown)}", which a query means; {known(set(class_of.values()) - {""})}'
        )
    captions = sorted(class_of)
    captions = sorted(captions[k] for k in numpy_random(0, "textmap").permutation(len(captions))[:MOST_CAPTIONS])
    typed = [" ".join(words(query.text)) for query in queries]
    if len(captions) < FEWEST:
        raise UsageError(f"{dataset.folder} has {len(captions)} different captions, too few for a map")
    by = encoder(dataset.encoder)
    spaces = {"as encoded": by(captions + typed)}
    for title, reduce in _reductions(instrument, name).items() if instrument else ():
        spaces[title] = reduce(spaces["as encoded"])
    names = np.array([class_of[caption] for caption in captions])
    figures = {title: _figures(vectors, names, queries) for title, vectors in spaces.items()}
    panels = [Panel(title, _flat(vectors), _said(figures[title])) for title, vectors in spaces.items()]
    marks = [*names.tolist(), *(query.meant for query in queries)]
    title = f"captions of {dataset.folder} and {len(typed)} queries"
    write_scatter(folder / "textmap", title, panels, captions + typed, marks, len(captions))
    write_whole(folder / "textmap.json", json.dumps(figures, indent=2).encode())
    return figures


def _reductions(instrument: str, name: str) -> dict[str, Any]:
    """What the networks make of a text's vectors (B, E) -> (B, R), by the title of the space."""
    player = load(instrument)
    model = player.model
    at = 0
    for condition in model.conditions:
        if condition.name == name:
            break
        at += condition.width
    else:
        raise UsageError(f"{instrument} was not trained on texts; give one that was")
    found = {}
    weights = {"generator": dict(player.generator.state_dict())}
    if Path(instrument).is_dir():
        tensors, _ = read_tensors(Path(instrument) / BEST, "checkpoint")
        weights["discriminator"] = {
            key.removeprefix("judge/"): value for key, value in tensors.items() if key.startswith("judge/")
        }
    for network, tensors in weights.items():
        layers = ("reduction.mean", "embed", "first.embed", "head.embed")  # the first that takes encoded labels
        layer = next((layer for layer in layers if f"{layer}.weight" in tensors), None)
        if layer is not None:
            weight = tensors[f"{layer}.weight"][:, at : at + condition.width].float()
            found[f"after the {network}'s {weight.shape[0]} numbers"] = _linear(weight)
    return found


def _linear(weight: torch.Tensor) -> Any:
    return lambda vectors: (torch.from_numpy(vectors) @ weight.T).numpy()


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
    fewest = min((names == one).sum() for one in classes)
    if fewest >= 2:
        votes = StratifiedKFold(min(FOLDS, int(fewest)), shuffle=True, random_state=0)
        nearest = KNeighborsClassifier(NEAREST, metric="cosine", weights="distance")
        figures["captions"] = float(cross_val_score(nearest, told, names, cv=votes).mean())
    if len(classes) < len(names):
        figures["silhouette"] = float(silhouette_score(told, names, metric="cosine"))
    return figures


def _said(figures: dict[str, float]) -> str:
    words_for = {
        "queries": "queries nearest to their class {:.0%}",
        "captions": "captions {:.0%}",
        "silhouette": "silhouette {:.2f}",
    }
    return ", ".join(words_for[key].format(value) for key, value in figures.items())


def _flat(vectors: Vectors) -> Vectors:
    """(B, E) -> (B, 2) (van der Maaten & Hinton 2008)."""
    perplexity = min(30.0, (len(vectors) - 1) / 3)
    return TSNE(2, perplexity=perplexity, metric="cosine", init="pca", random_state=0).fit_transform(vectors)
