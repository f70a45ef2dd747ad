"""A prepared dataset on disk: memory-mapped samples, a readable manifest, a fingerprint.

dataset.json     rate, channels, length, counts, licences, fingerprint, how it was prepared
manifest.jsonl   a line per sound: file, labels, shard, offset and length in it, level, part, duplicate group
captions.npz     of texts: each once with its vector; captions.csv shows them before and after
shard-000.f32    little-endian float32 samples, each sound's channels one after the other
report.json      what was found, cut, skipped and why; report.txt says it in words
"""

import hashlib
import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["CAPTIONS", "Dataset", "manifest_fingerprint"]

FORMAT = 3
CAPTIONS = "captions.npz"  # every text of captions and their variants, with its vector
BATCH_SAMPLES = 2**22


class Dataset:
    """Read access to a prepared folder; UsageError or BowerbirdError where it is not one or was changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            self.facts: dict[str, Any] = json.loads((folder / "dataset.json").read_text(encoding="utf-8"))
            lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
            self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        except FileNotFoundError:
            raise UsageError(
                f"{folder} is not a prepared dataset; make one with `bowerbird prepare SOUNDS -o DATASET`"
            ) from None
        except (OSError, ValueError) as error:
            raise BowerbirdError(f"the dataset {folder} is damaged ({error}); prepare it again") from None
        if not isinstance(self.facts, dict) or self.facts.get("format") != FORMAT:
            raise BowerbirdError(f"{folder} has an unknown dataset format; prepare it again with this version")
        if manifest_fingerprint(self.entries) != self.facts.get("fingerprint"):
            raise BowerbirdError(f"the manifest of {folder} was changed after preparing; prepare it again")
        for shard, samples in enumerate(self.facts.get("shard_samples", [])):
            path = self.folder / shard_name(shard)
            if not path.is_file() or path.stat().st_size != 4 * samples:
                raise BowerbirdError(f"{path} is missing or cut short; prepare the dataset again")

    def __len__(self) -> int:
        return len(self.entries)

    @property
    def fingerprint(self) -> str:
        return str(self.facts["fingerprint"])

    @property
    def sample_rate_hz(self) -> int:
        return int(self.facts["sample_rate_hz"])

    @property
    def channels(self) -> int:
        return int(self.facts["channels"])

    @property
    def samples(self) -> int:
        """Length of the longest sound."""
        return int(self.facts["samples"])

    @cached_property
    def _shards(self) -> list[NDArray[np.float32]]:
        names = [self.folder / shard_name(shard) for shard in range(len(self.facts["shard_samples"]))]
        return [np.memmap(name, dtype="<f4", mode="r") for name in names]

    def sound(self, index: int) -> NDArray[np.float32]:
        """One sound, (C, T), T its own length."""
        entry = self.entries[index]
        start, size = entry["offset"], entry["samples"] * self.channels
        return self._shards[entry["shard"]][start : start + size].reshape(self.channels, -1)

    def padded(self, indices: list[int]) -> NDArray[np.float32]:
        """Sounds with silence after them, (B, C, T) with T the dataset's length."""
        batch = np.zeros((len(indices), self.channels, self.samples), np.float32)
        for row, index in enumerate(indices):
            sound = self.sound(index)
            batch[row, :, : sound.shape[1]] = sound
        return batch

    def part(self, name: str) -> list[int]:
        """Indices of the "train" or the "validation" part."""
        return [index for index, entry in enumerate(self.entries) if entry["part"] == name]

    def batches(self, indices: list[int]) -> Iterator[NDArray[np.float32]]:
        """Padded batches of these sounds in order, of a few megabytes however long the sounds are."""
        size = max(1, min(64, BATCH_SAMPLES // (self.channels * self.samples)))
        for start in range(0, len(indices), size):
            yield self.padded(indices[start : start + size])

    def check(self, index: int) -> None:
        """BowerbirdError where a sound's samples are not those that were prepared."""
        if hashlib.sha256(self.sound(index).tobytes()).hexdigest()[:16] != self.entries[index]["digest"]:
            raise BowerbirdError(f"samples in {self.folder} were changed after preparing; prepare it again")

    @property
    def conditions(self) -> tuple[str, ...]:
        """What its sounds are labelled by, the main label first; nothing for a dataset without labels."""
        return tuple(self.facts["conditions"])

    @property
    def kinds(self) -> dict[str, str]:
        """The kind of each of those, a key of CONDITIONS."""
        return dict(self.facts["conditions"])

    @property
    def main(self) -> str | None:
        """The label that says of what class a sound is: the first category, or pitch."""
        return next((name for name, kind in self.kinds.items() if kind in ("category", "pitch")), None)

    @property
    def encoder(self) -> str:
        """The text encoder of its captions; "" where it has none."""
        return str(self.facts["encoder"]["name"]) if self.facts["encoder"] else ""

    @property
    def encoder_fingerprint(self) -> str:
        """Of the weights that its captions were embedded with."""
        return str(self.facts["encoder"]["fingerprint"]) if self.facts["encoder"] else ""

    def captions(self, index: int, name: str) -> list[str]:
        """Variants of a sound's caption; of none there are none."""
        return list(self.entries[index].get("captions", {}).get(name, []))

    def groups(self, indices: list[int]) -> NDArray[np.int64]:
        """The group of near-duplicates of each sound (B,); for a sound that has none, a number below 0 of its file's own."""
        near = [(self._first_of[self.entries[index]["file"]], self.entries[index]["duplicates"]) for index in indices]
        return np.array([-1 - first if group is None else group for first, group in near], np.int64)

    @cached_property
    def _first_of(self) -> dict[str, int]:
        """The first piece of each file."""
        return {entry["file"]: index for index, entry in reversed(list(enumerate(self.entries)))}

    def labels(self, indices: list[int]) -> list[dict[str, str]]:
        """The labels of each sound by condition."""
        return [self.entries[index]["labels"] for index in indices]


def shard_name(shard: int) -> str:
    return f"shard-{shard:03d}.f32"


def manifest_fingerprint(entries: list[dict[str, Any]]) -> str:
    """Sixteen hex digits that change with any sample, label or order (each entry carries its samples' digest)."""
    lines = "\n".join(json.dumps(entry, sort_keys=True, ensure_ascii=True) for entry in entries)
    return hashlib.sha256(lines.encode()).hexdigest()[:16]
