"""`show`: what an instrument, run or dataset is, in plain words."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from bowerbird.config import to_json
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.instrument import INSTRUMENT_NAME, Instrument, load
from bowerbird.latent.basis import describe_basis

__all__ = ["tell"]

SHOWN = 6  # labels of each of several generators


def tell(path: Path) -> tuple[dict[str, Any], str]:
    """Facts as plain values and the same in words."""
    if not path.exists():
        raise UsageError(f"there is nothing at {path}; give an instrument, a run's folder or a dataset")
    if (path / "dataset.json").is_file():
        return _dataset(path)
    for part_of in ("dataset.json", "config.json"):
        if path.is_file() and path.suffix != ".safetensors" and (path.parent / part_of).is_file():
            raise UsageError(f"{path} is a part of {path.parent}; show that")
    if path.is_dir() and not (path / INSTRUMENT_NAME).exists():
        raise UsageError(f"{path} is neither a dataset nor a run with an instrument; give one of those")
    facts, text = _instrument(load(path))
    if path.is_dir():
        run, more = _run(path)
        return {**facts, **run}, text + more
    return facts, text


def _dataset(path: Path) -> tuple[dict[str, Any], str]:
    from bowerbird.data.dataset import Dataset

    facts = Dataset(path).facts
    try:
        report = (path / "report.txt").read_text(encoding="utf-8")
        text = f"a dataset of {report}fingerprint: {facts['fingerprint']}, made by {facts['made_by']}"
    except (OSError, ValueError, KeyError) as error:
        raise BowerbirdError(f"the dataset {path} is damaged ({error}); prepare it again") from None
    return {"what": "dataset", **facts}, text


def _instrument(instrument: Instrument) -> tuple[dict[str, Any], str]:
    model, made = instrument.model, instrument.provenance
    picture = model.representation.shape
    parameters = sum(weight.numel() for weight in instrument.generator.parameters())
    dataset = made["dataset"]
    kinds = {part: to_json(model)[part]["kind"] for part in ("representation", "network")}
    lines = [
        f"an instrument that makes {'stereo' if model.representation.channels == 2 else 'mono'} sounds of "
        f"{model.representation.samples / instrument.sample_rate:.2f} s at {instrument.sample_rate} Hz",
        *(condition.describe() for condition in model.conditions),
        f"draws {picture.rows} x {picture.frames} pictures ({kinds['representation']}) by a network of "
        f"{parameters / 1e6:.1f} million weights ({kinds['network']})",
        *_makers(instrument),
        f"trained on {made['trained_on']} of {dataset['sounds']} sounds ({dataset['seconds'] / 60:.1f} min), "
        f"{made['examples']} examples in {made['minutes']:g} min",
        f"by {made['made_by']} on {made['machine']}",
        "licences: " + (", ".join(f"{k} {v}" for k, v in dataset["licences"].items()) or "none named in the dataset"),
        f"dataset {dataset['fingerprint']}, instrument {instrument.fingerprint}",
    ]
    if made["scores"]:
        lines.append("scores: " + ", ".join(f"{name} {value:.3g}" for name, value in made["scores"].items()))
    lines += made.get("watch", [])
    lines += [describe_basis(basis, most=0) for basis in instrument.directions.values()]
    facts = {
        "what": "instrument",
        "sample_rate_hz": instrument.sample_rate,
        "seconds": model.representation.samples / instrument.sample_rate,
        "labels": instrument.labels,
        "parameters": parameters,
        "provenance": made,
        "directions": {stage: basis.names for stage, basis in instrument.directions.items()},
        "fingerprint": instrument.fingerprint,
    }
    return facts, "\n".join(lines) + "\n"


def _makers(instrument: Instrument) -> list[str]:
    """Of several generators, what each is likelier to make than the others, asked by one kind of label at a time."""
    conditions, count = instrument.model.conditions, instrument.model.steering.generators
    if count == 1 or not conditions:
        return []
    lines = []
    for condition in conditions:
        shares = np.array(instrument.makers([{condition.name: node} for node in condition.nodes]))
        for number in range(count):
            best = [k for k in np.argsort(-shares[:, number])[:SHOWN] if shares[k].argmax() == number]
            what = ", ".join(f"{condition.nodes[k]} ({shares[k, number]:.0%})" for k in best) or "nothing in particular"
            share = shares[:, number].mean()
            lines.append(f"generator {number + 1} of {count}, asked by {condition.name} alone {share:.0%}: {what}")
    return lines


def _run(path: Path) -> tuple[dict[str, Any], str]:
    previews = sorted((path / "previews").glob("*/sheet.png"))
    last = path / "metrics.jsonl"
    lines = last.read_text(encoding="utf-8").splitlines() if last.exists() else []
    whole = [line for line in lines if line.endswith("}") and "schedule/done" in line]  # a kill may leave half a line
    facts = {"what": "run", "previews": len(previews), "metrics": json.loads(whole[-1]) if whole else {}}
    done = facts["metrics"].get("schedule/done")
    text = f"run {path}: {len(previews)} previews" + (f", the last {previews[-1]}" if previews else "")
    return facts, text + (f", {100 * min(done, 1):.0f} % of its training done\n" if done is not None else "\n")
