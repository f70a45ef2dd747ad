"""Presets: named functions from a dataset to the two configurations."""

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from bowerbird.conditions.category import Category
from bowerbird.conditions.pitch import Pitch
from bowerbird.config import MEASURED, ModelConfig, TrainConfig, changed
from bowerbird.data.dataset import Dataset
from bowerbird.errors import UsageError, known
from bowerbird.midi import PITCH
from bowerbird.networks.residual import ResidualOptions
from bowerbird.objectives import OBJECTIVES
from bowerbird.representations.log_magnitude import LogMagnitude

__all__ = ["PRESETS", "configure"]

Configs = tuple[ModelConfig, TrainConfig]
PARTS = ("network", "representation")  # settings of the model carry their part's name: network.width


def standard(dataset: Dataset) -> Configs:
    """A few hundred to a few thousand sounds, half an hour or more on two cores."""
    indices = dataset.part("train")
    representation = LogMagnitude.suited(dataset.sample_rate_hz, dataset.channels, dataset.samples)
    representation = representation.fit(torch.from_numpy(batch) for batch in dataset.batches(indices))
    labels = dataset.labels(indices)
    conditions = tuple(_kind(name).fit(name, [one[name] for one in labels]) for name in dataset.conditions)
    return ModelConfig(representation, ResidualOptions(), conditions), TrainConfig(minutes=60.0)


def _kind(name: str) -> type[Category] | type[Pitch]:
    """What kind of label a name is of."""
    return Pitch if name == PITCH else Category


def quick(dataset: Dataset) -> Configs:
    """A smaller network that can be heard after a few minutes."""
    model, train = standard(dataset)
    network = ResidualOptions(width=32, widest=128)
    return dataclasses.replace(model, network=network), dataclasses.replace(train, minutes=5.0, preview_minutes=1.0)


PRESETS: dict[str, Callable[[Dataset], Configs]] = {
    "standard": standard,
    "quick": quick,
}


def configure(dataset: Dataset, preset: str, file: Path | None, settings: Sequence[str]) -> Configs:
    """Preset, then the JSON `file`, then `settings` ("key=value"); UsageError for what is unknown or out of range."""
    check_settings(preset, file, settings)
    return _with_settings(PRESETS[preset](dataset), _pairs(file, settings))


def check_settings(preset: str, file: Path | None, settings: Sequence[str]) -> None:
    """UsageError for most of what `configure` would refuse, before there is a dataset to measure a representation on."""
    if preset not in PRESETS:
        raise UsageError(f'there is no preset "{preset}"; {known(PRESETS)}')
    stand_in = ModelConfig(LogMagnitude.suited(44100, 1, 44100), ResidualOptions())
    early = [(key, value) for key, value in _pairs(file, settings) if not key.startswith("representation.")]
    _with_settings((stand_in, TrainConfig()), early)


def _pairs(file: Path | None, settings: Sequence[str]) -> list[tuple[str, Any]]:
    return [*(_read(file).items() if file else ()), *(_pair(text) for text in settings)]


def _with_settings(configs: Configs, pairs: Sequence[tuple[str, Any]]) -> Configs:
    model, train = configs
    for key, value in pairs:
        if key.partition(".")[0] in PARTS:
            model = changed(model, key, value)
        else:
            train = changed(train, key, value)
            if key in ("minutes", "examples") and value is not None:
                train = dataclasses.replace(train, **{"examples" if key == "minutes" else "minutes": None})
    if train.objective not in OBJECTIVES:
        raise UsageError(f'there is no objective "{train.objective}"; {known(OBJECTIVES)}')
    return model, train


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f'--set takes key=value, not "{text}"; for example --set batch_size=32')
    return key.strip(), value.strip()


def _read(file: Path) -> dict[str, Any]:
    """Settings by dotted name; what `--dry-run` prints is read too, without what is measured on the data."""
    try:
        values = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(f"there is no configuration file {file}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} is not a JSON file of settings: {error}") from None
    if not isinstance(values, dict):
        raise UsageError(f"{file} must hold a JSON object of settings")
    printed = values.keys() <= {"model", "train"}
    flat = _flat({**values.get("train", {}), **values.get("model", {})} if printed else values)
    measured = {"conditions", *(f"{part}.kind" for part in PARTS), *(f"representation.{name}" for name in MEASURED)}
    return {key: value for key, value in flat.items() if not (printed and key in measured)}


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat.update(_flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value})
    return flat
