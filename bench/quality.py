"""One row of the quality table: how good an instrument is, by the ear, with what it took to make it.

    python -m bench.quality ROW RUN DATASET        ROW is a name such as drums/standard/seed0

Adds the row to bench/results/quality.json and draws bench/results/quality_ROW.png: eight real sounds of each class above
eight generated ones. The commands that make each RUN stand in docs/quality.md.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from bench.harness import RESULTS, publish
from bowerbird.data.dataset import Dataset
from bowerbird.evaluation.heard import Heard
from bowerbird.evaluation.measure import Evaluation, evaluate
from bowerbird.evaluation.queries import read_queries
from bowerbird.evaluation.verdict import verdicts
from bowerbird.instrument import Instrument, load
from bowerbird.pictures import write_sheet

COLUMNS, MOST_CLASSES, TALLEST = 8, 16, 3000  # the last in pixels


def draw(path: Path, found: Evaluation, instrument: Instrument) -> None:
    """Real above generated, a pair of rows per class."""
    form = instrument.model.representation

    def pictures(heard: Heard, name: str) -> list[np.ndarray]:
        rows = np.random.default_rng(1).permutation(np.flatnonzero(heard.names == name))[:COLUMNS]
        return list(form.levels(form.encode(torch.from_numpy(heard.sounds[rows]))).numpy())

    rows = []
    for name in list(found.per_class)[:MOST_CLASSES]:
        rows += [(f"{name}: real", pictures(found.real, name)), (f"{name}: generated", pictures(found.made, name))]
    write_sheet(path, rows)
    with Image.open(path) as sheet:  # pictures of the baselines are several times as tall as ours
        if sheet.height > TALLEST:
            smaller = sheet.convert("RGB")
            smaller.thumbnail((sheet.width, TALLEST))
            smaller.quantize(64).save(path, optimize=True)


def main() -> None:
    row, instrument, dataset = sys.argv[1], load(sys.argv[2]), Dataset(Path(sys.argv[3]))
    asked = Path(__file__).parent / "queries" / f"{row.partition('/')[0]}.csv"  # what people would type, with what they mean
    found = evaluate(instrument, dataset, queries=read_queries(asked) if asked.exists() else None)
    path = RESULTS / "quality.json"
    rows = json.loads(path.read_text())["rows"] if path.exists() else {}
    rows[row] = {
        "figures": {name: round(value, 4) for name, value in found.figures.items()},
        "bad_news": [v.sentence for v in verdicts(found.figures, found.per_class) if not v.good],
        "instrument": instrument.fingerprint,
        "provenance": instrument.provenance,
    }
    publish("quality", {"rows": dict(sorted(rows.items()))})
    draw(RESULTS / f"quality_{row.replace('/', '_')}.png", found, instrument)


if __name__ == "__main__":
    main()
