"""Feeds training: every sound encoded once into a memory-mapped file, batches drawn by (seed, seen) alone."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bowerbird.conditions.category import ancestry
from bowerbird.config import ModelConfig
from bowerbird.data.anchors import anchors
from bowerbird.data.dataset import Dataset
from bowerbird.errors import BowerbirdError
from bowerbird.progress import progress
from bowerbird.seeds import numpy_random

__all__ = ["Feed"]


class Feed:
    """Pictures and encoded labels of a dataset's training part.

    `balance` 1 draws every top-level class of the main label equally often, 0 as often as it comes in the data. `anchors`
    (sounds, A) are the first latent numbers of each sound, A being `anchor_dimensions` or fewer.
    """

    def __init__(
        self, dataset: Dataset, model: ModelConfig, cache: Path, balance: float, anchor_dimensions: int, *, quiet: bool
    ) -> None:
        self.indices = dataset.part("train")
        if not self.indices:
            raise BowerbirdError(f"{dataset.folder} has no sounds to train on")
        self.labels = dataset.labels(self.indices)
        near = [dataset.entries[index]["duplicates"] for index in self.indices]
        self.groups = np.array([-1 - i if group is None else group for i, group in enumerate(near)])
        self.encoded = model.encode(self.labels)
        for index in self.indices:
            dataset.check(index)
        self.pictures = self._encode(dataset, model, cache, quiet)
        self.anchors = anchors(self.pictures, self.encoded, min(anchor_dimensions, model.network.z_dim))
        main = dataset.conditions[:1]
        self.tops = [ancestry(labels[main[0]])[0] if main else "" for labels in self.labels]
        self.classes = sorted(set(self.tops))
        self.members = [np.flatnonzero(np.array(self.tops) == name) for name in self.classes]
        share = np.array([len(members) for members in self.members], dtype=float) ** (1 - balance)
        self.class_share = share / share.sum()

    def _encode(self, dataset: Dataset, model: ModelConfig, cache: Path, quiet: bool) -> np.memmap:
        """float16 pictures (sounds, C, F, L) in a file: 1 h of 44.1 kHz takes 160 MB of disk, no memory to speak of."""
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            with cache.open("wb") as file, progress("encoding", len(self.indices), quiet=quiet) as advance:
                done = 0
                for batch in dataset.batches(self.indices):
                    pictures = model.representation.encode(torch.from_numpy(batch))
                    file.write(pictures.numpy().astype("<f2").tobytes())
                    done += len(batch)
                    advance(done)
        except OSError as error:
            raise BowerbirdError(f"cannot write {cache}: {error.strerror}; free some space") from None
        return np.memmap(cache, dtype="<f2", mode="r", shape=(len(self.indices), *model.representation.shape))

    def draw(self, batch: int, seed: int, seen: int, purpose: str) -> Tensor:
        """Positions (B,) of balanced sounds, a function of the arguments alone."""
        random = numpy_random(seed, seen, purpose)
        classes = random.choice(len(self.classes), size=batch, p=self.class_share)
        return torch.tensor([int(random.choice(self.members[number])) for number in classes])

    def real(self, positions: Tensor) -> tuple[Tensor, Tensor]:
        """Pictures (B, C, F, L) float32 and encoded labels (B, N)."""
        return torch.from_numpy(self.pictures[positions.numpy()].astype(np.float32)), self.encoded[positions]
