"""Feeds training: every sound encoded once into a memory-mapped file, batches drawn by (seed, seen) alone."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bowerbird.conditions import CONDITIONS
from bowerbird.conditions.category import ancestry
from bowerbird.conditions.interface import is_measured
from bowerbird.conditions.pitch import Pitch
from bowerbird.conditions.text import Text
from bowerbird.config import ModelConfig, TrainConfig
from bowerbird.data.anchors import anchors
from bowerbird.data.captioned import Captioned
from bowerbird.data.dataset import Dataset
from bowerbird.data.vary import Variation, drawn, vary
from bowerbird.errors import BowerbirdError
from bowerbird.progress import progress
from bowerbird.seeds import numpy_random
from bowerbird.shapes import PictureTraits

__all__ = ["Feed"]

FADE_SAMPLES = 400
AT_ONCE = 256
HEADROOM_DB, NEAR = 10.0, 5  # over the loudest of so many rows and frames


class Feed:
    """Pictures and encoded labels of a dataset's training part.

    With `variants` every sound is also there altered, after all the sounds themselves. `balance` 1 draws every top-level
    class of the main label equally often, 0 as often as it comes in the data. `anchors` (sounds, A) are the first latent
    numbers of each sound, A being `anchor_dimensions` or fewer.
    """

    def __init__(self, dataset: Dataset, model: ModelConfig, config: TrainConfig, cache: Path, *, quiet: bool) -> None:
        self.indices = dataset.part("train")
        if not self.indices:
            raise BowerbirdError(f"{dataset.folder} has no sounds to train on")
        for index in self.indices:
            dataset.check(index)
        self.copies = 1 + config.variants  # of every sound: itself first, then altered
        self.labels = dataset.labels(self.indices) * self.copies
        self.groups = np.tile(dataset.groups(self.indices), self.copies)
        self.text = next((name for name, kind in dataset.kinds.items() if kind == "text"), None)
        self.conditions, self.main = model.conditions, dataset.main
        self.pictures = self._encode(dataset, model, config, cache, quiet)
        self.captions = Captioned(dataset, model, self.indices) if self.text else None
        self.encoded = model.encode(self.labels)
        # Of several generators the last latent number chooses one.
        room = model.network.z_dim - int(model.steering.generators > 1)
        self.anchors = anchors(self.pictures, self.encoded, min(config.anchor_dimensions, room))
        own = self.labels[: len(self.indices)]  # a copy is of its sound's class, though its pitch be another
        self.tops = [(ancestry(labels[dataset.main]) or [""])[0] if dataset.main else "" for labels in own] * self.copies
        self.classes = sorted(set(self.tops))
        self.members = [np.flatnonzero(np.array(self.tops) == name) for name in self.classes]
        share = np.array([len(members) for members in self.members], dtype=float) ** (1 - config.balance)
        self.class_share = share / share.sum()

    def families(self, most: int) -> list[tuple[str, NDArray[np.int64]]]:
        """Up to `most` named groups of sounds to show: classes or, where there are none, the commonest captions."""
        own = [
            (name, members[members < len(self.indices)]) for name, members in zip(self.classes, self.members, strict=True)
        ]
        if self.classes != [""] or not self.text:
            return own[:most]
        said = np.array([labels[self.text] for labels in self.labels[: len(self.indices)]])
        common = Counter(said[said != ""].tolist()).most_common(most)
        return [(caption, np.flatnonzero(said == caption)) for caption, _ in common] or own

    def _encode(self, dataset: Dataset, model: ModelConfig, config: TrainConfig, cache: Path, quiet: bool) -> np.memmap:
        """float16 pictures (sounds, K, F, L) in a mapped file: 160 MB of log magnitudes for 1 h of 44.1 kHz and copy."""
        total = len(self.indices) * self.copies
        most = Variation(config.vary_semitones, config.vary_stretch, config.vary_gain_db, config.vary_equaliser_db)
        try:
            cache.parent.mkdir(parents=True, exist_ok=True)
            with cache.open("wb") as file, progress("encoding", total, quiet=quiet) as advance:
                done = 0
                for copy in range(self.copies):
                    for batch in dataset.batches(self.indices) if not copy else self._altered(dataset, config, most, copy):
                        pictures = model.representation.encode(torch.from_numpy(batch))
                        file.write(pictures.numpy().astype("<f2").tobytes())
                        done += len(batch)
                        advance(done)
        except OSError as error:
            raise BowerbirdError(f"cannot write {cache}: {error.strerror}; free some space") from None
        return np.memmap(cache, dtype="<f2", mode="r", shape=(total, *model.representation.shape))

    def _altered(self, dataset: Dataset, config: TrainConfig, most: Variation, copy: int) -> Iterator[NDArray[np.float32]]:
        """Each sound altered, (1, C, T); labels that are measured are measured again, and a pitch goes with the sound."""
        pitches = next((condition for condition in self.conditions if isinstance(condition, Pitch)), None)
        measured = [(name, CONDITIONS[kind]) for name, kind in dataset.kinds.items() if is_measured(CONDITIONS[kind])]
        for place, index in enumerate(self.indices, copy * len(self.indices)):
            random = numpy_random(config.seed, "vary", copy, index)
            change = drawn(most, random)
            again: dict[str, str] = {}
            if pitches is not None:
                semitones, again = pitches.moved(self.labels[place], change.semitones)
                change = change.transposed(semitones)
            sound = vary(np.array(dataset.sound(index)), dataset.sample_rate_hz, change)
            room = dataset.samples - sound.shape[1]
            if room < 0:  # stretched beyond the end
                sound = sound[:, :room] * np.minimum(1, np.arange(dataset.samples, 0, -1) / FADE_SAMPLES)
            again |= {name: kind.measure(sound.astype(np.float32), dataset.sample_rate_hz) for name, kind in measured}
            self.labels[place] = self.labels[place] | again
            yield np.pad(sound, ((0, 0), (0, max(room, 0))))[None].astype(np.float32)

    def ceiling(self, traits: PictureTraits) -> Tensor:
        """(K, F, L): HEADROOM_DB over the loudest that any sound is in a cell or near it; 1 where they are no levels."""
        top = torch.full(self.pictures.shape[1:], -1.0)
        for start in range(0, len(self.pictures), AT_ONCE):
            some = torch.from_numpy(self.pictures[start : start + AT_ONCE].astype(np.float32))
            top = torch.maximum(top, some.amax(0))
        top = functional.max_pool2d(top, NEAR, 1, NEAR // 2) + HEADROOM_DB / traits.db_per_unit
        top[traits.level_channels :] = 1.0
        return top.clamp(max=1.0)

    def draw(self, batch: int, seed: int, seen: int, purpose: str) -> Tensor:
        """Positions (B,) of balanced sounds, a function of the arguments alone."""
        random = numpy_random(seed, seen, purpose)
        classes = random.choice(len(self.classes), size=batch, p=self.class_share)
        return torch.tensor([int(random.choice(self.members[number])) for number in classes])

    def real(self, positions: Tensor, seed: int, seen: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures (B, C, F, L) float32, encoded labels (B, N), and where the labels of the one before are wrong (B).

        Of a caption one variant is drawn each time.
        """
        pictures = torch.from_numpy(self.pictures[positions.numpy()].astype(np.float32))
        encoded, labels = self.encoded[positions], [self.labels[one] for one in positions.tolist()]
        said = labels
        if self.captions is not None:
            encoded, said = self.captions.draw(encoded, labels, positions, numpy_random(seed, seen, "captions"))
        wrong = [self._wrong(own, other) for own, other in zip(labels, [said[-1], *said[:-1]], strict=True)]
        return pictures, encoded, torch.tensor(wrong)

    def _wrong(self, own: dict[str, str], other: dict[str, str]) -> bool:
        """Whether labels would be wrong of a sound with its `own`; of the same class no text is, nor what is missing."""
        same_class = self.main is not None and own[self.main] == other[self.main] != ""
        return any(
            condition.denies(own[condition.name], other[condition.name])
            for condition in self.conditions
            if not (same_class and isinstance(condition, Text))
        )
