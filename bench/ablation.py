"""What each device is worth: the same training with one of them switched on or off, heard by the ear.

    python -m bench.ablation SET DATASET RUNS EXAMPLES [ROW ...]      SET is a name such as sfx, RUNS a folder

Every row of ROWS (or those named) that is not in bench/results/ablation_SET.json yet is trained on EXAMPLES examples in
RUNS/SET/ROW, evaluated and added to it; a run that was stopped goes on. Several of these may run side by side. The table of
all rows is written to bench/results/ablation_SET.md.
"""

import fcntl
import json
import sys
from pathlib import Path
from typing import Any

from bench.harness import RESULTS, publish
from bowerbird.data.dataset import Dataset
from bowerbird.evaluation.measure import evaluate
from bowerbird.evaluation.queries import read_queries
from bowerbird.instrument import load
from bowerbird.presets import configure
from bowerbird.training.loop import train

REDUCED = ["steering.reduction=128"]
BASE = ["mismatch_weight=0.5", "mode_seeking_weight=0"]  # the quick preset as it was before these tables
ROWS: dict[str, list[str]] = {  # what each row sets beside that
    "plain": [],
    "reduction 64": ["steering.reduction=64"],
    "reduction 128": REDUCED,
    "reduction 256": ["steering.reduction=256"],
    "reduction 128, shared": [*REDUCED, "shared_reduction=true"],
    "augmentation and divergence": [*REDUCED, "steering.augmented=true"],
    "dropout 0.1": [*REDUCED, "condition_dropout=0.1"],
    "replay": [*REDUCED, "steering.augmented=true", "replay=true"],
    "no wrong sounds": ["mismatch_weight=0"],
    "wrong sounds 1": ["mismatch_weight=1"],
    "wrong sounds 2": ["mismatch_weight=2"],
    "two scores": ["head=two_scores"],
    "concatenation": ["head=concatenation"],
    "classifier": ["head=classifier"],
    "matching-aware penalty": ["penalty=matching_aware", "penalty_weight=0.001"],
    "mode seeking": ["mode_seeking_weight=1"],
    "mode seeking 2": ["mode_seeking_weight=2"],
    "8 anchor numbers": ["anchor_dimensions=8"],
    "weaker anchors": ["anchor_weight=10", "feature_weight=3"],
    "no anchors": ["anchor_weight=0", "feature_weight=0"],
    "mode seeking, no anchors": ["anchor_weight=0", "feature_weight=0", "mode_seeking_weight=1"],
    "4 generators": ["steering.generators=4"],
    "4 generators, shared": ["steering.generators=4", "steering.shared=true"],
    "8 generators": ["steering.generators=8"],
    "8 generators, shared": ["steering.generators=8", "steering.shared=true"],
    "labels by the input alone": ["network.entry=input"],
    "labels by the blocks alone": ["network.entry=blocks"],
}
SHOWN = {  # figures of the table, by the heading of their column; a real one stands beside in brackets
    "class": "label/accuracy_generated",
    "trained on it": "label/trained_on_generated",
    "words": "label/text_map_generated",
    "own caption": "label/text_own_caption_generated",
    "queries": "label/text_queries_generated",
    "source": "label/source_accuracy_generated",
    "qualities": "label/qualities_accuracy_generated",
    "pitch": "pitch/within_50_cents",
    "way to noise": "fidelity/kad_way_to_noise",
    "coverage": "fidelity/coverage",
    "variety": "variety/ratio",
    "of one question": "variety/of_one_question",
    "twins": "variety/twins",
    "from latent": "variety/from_latent",
}


def row(name: str, dataset: Dataset, folder: Path, examples: int, queries: Path) -> dict[str, Any]:
    """Trains, or goes on, and evaluates."""
    settings = [*BASE, *ROWS[name], f"examples={examples}"]
    train(dataset, folder, *configure(dataset, "quick", None, settings)[:2], "cpu")
    instrument = load(folder)
    asked = read_queries(queries) if "text" in dataset.kinds.values() and queries.exists() else None
    figures = evaluate(instrument, dataset, queries=asked).figures
    return {
        "settings": ROWS[name],
        "figures": {key: round(value, 4) for key, value in figures.items()},
        "examples": examples,
        "kept_at": instrument.provenance["examples"],
        "minutes": instrument.provenance["minutes"],
        "parameters": sum(weight.numel() for weight in instrument.generator.parameters()),
    }


def _add(name: str, found: dict[str, Any], what: str) -> None:
    """Into the results, which another of these may be writing too."""
    with (RESULTS / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        rows = _rows(what) | {name: found}
        publish(what, {"rows": {one: rows[one] for one in ROWS if one in rows}})
        (RESULTS / f"{what}.md").write_text(_table(rows), encoding="utf-8")


def _rows(what: str) -> dict[str, Any]:
    path = RESULTS / f"{what}.json"
    return json.loads(path.read_text(encoding="utf-8"))["rows"] if path.exists() else {}


def _table(rows: dict[str, Any]) -> str:
    shown = {head: key for head, key in SHOWN.items() if any(key in one["figures"] for one in rows.values())}
    lines = [f"| | {' | '.join(shown)} | examples | parameters |", "|---" * (len(shown) + 3) + "|"]
    for name in [one for one in ROWS if one in rows]:
        figures, cells = rows[name]["figures"], []
        for key in shown.values():
            real = figures.get(f"{key.removesuffix('_generated')}_real")
            cells.append(f"{figures.get(key, float('nan')):.2f}" + (f" ({real:.2f})" if real is not None else ""))
        lines.append(f"| {name} | {' | '.join(cells)} | {rows[name]['kept_at']} | {rows[name]['parameters']} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    name, dataset, runs, examples, *wanted = sys.argv[1:]
    what = f"ablation_{name}"
    for one in wanted or ROWS:
        if one not in _rows(what):
            folder = Path(runs) / name / one.replace(" ", "_").replace(",", "")
            queries = Path(__file__).parent / "queries" / f"{name}.csv"
            _add(one, row(one, Dataset(Path(dataset)), folder, int(examples), queries), what)


if __name__ == "__main__":
    main()
