"""A run's folder: whether it is one, who trains in it, and that it goes on with the settings it was begun with."""

import contextlib
import fcntl
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bowerbird.config import ModelConfig, TrainConfig, to_json
from bowerbird.data.dataset import Dataset
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.instrument_file import write_whole

__all__ = ["agree", "check_folder", "claimed"]

LOCK = ".lock"


def check_folder(folder: Path) -> None:
    """UsageError where `folder` holds something other than a training run."""
    if not folder.exists() or (folder / "config.json").is_file():
        return
    begun = {"dataset", LOCK, ".dataset.partial", ".dataset.old", ".config.json.partial"}
    if not folder.is_dir() or any(child.name not in begun for child in folder.iterdir()):
        raise UsageError(f"{folder} exists and is not a training run; choose a new folder")


_held: set[Path] = set()  # by this process: a lock of ours does not stop ourselves


@contextlib.contextmanager
def claimed(folder: Path) -> Iterator[None]:
    """Keeps a second training out of `folder` while the block runs; UsageError where one is running already.

    Within a block of the same process for the same folder it changes nothing.
    """
    check_folder(folder)
    key = folder.resolve()
    if key in _held:
        yield
        return
    new = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"another training is running in {folder}; wait for it or choose a new folder") from None
        _held.add(key)
        try:
            yield
        finally:
            _held.discard(key)
            if new and [child.name for child in folder.iterdir()] == [LOCK]:  # refused: nothing is left behind
                (folder / LOCK).unlink()
                folder.rmdir()


def agree(folder: Path, dataset: Dataset, model: ModelConfig, config: TrainConfig) -> None:
    """Writes the run's configuration, or checks that the run there has the same."""
    path = folder / "config.json"
    mine = {"dataset": dataset.fingerprint, "model": to_json(model), "train": to_json(config)}
    if path.is_file():
        try:
            theirs = json.loads(path.read_text(encoding="utf-8"))
            changes = _changes(theirs, mine)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise BowerbirdError(f"{path} is damaged; train into a new folder") from None
        if theirs["dataset"] != mine["dataset"]:
            raise UsageError(
                f"{folder} was begun with another dataset, or {dataset.folder} has changed since; train into a new folder"
            )
        if changes:
            raise UsageError(
                f"{folder} was begun with other settings ({', '.join(changes)}); use the same ones or a new folder"
            )
    write_whole(path, json.dumps(mine, indent=2).encode())


def _changes(theirs: dict[str, Any], mine: dict[str, Any]) -> list[str]:
    """What differs, in words; the length of training and the times of previews and checkpoints may."""
    free = ("minutes", "examples", "preview_minutes", "checkpoint_minutes")
    changes = [
        f"{key} {theirs['train'].get(key)}, now {value}"
        for key, value in mine["train"].items()
        if key not in free and theirs["train"].get(key) != value
    ]
    model = json.loads(json.dumps(mine["model"]))
    return changes + [f"another {part}" for part in model if theirs["model"].get(part) != model[part]]
