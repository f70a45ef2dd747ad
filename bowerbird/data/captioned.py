"""Variants of captions while training: each step another one of every sound's."""

import numpy as np
import torch
from torch import Tensor

from bowerbird.conditions.text import Text
from bowerbird.config import ModelConfig
from bowerbird.data.dataset import CAPTIONS, Dataset
from bowerbird.encoders.vectors import Vectors
from bowerbird.errors import BowerbirdError, UsageError

__all__ = ["Captioned"]


class Captioned:
    """The variants of every sound's captions with their vectors, which preparing has embedded.

    Raises BowerbirdError where they are missing, or of other weights of the encoder than are here.
    """

    def __init__(self, dataset: Dataset, model: ModelConfig, indices: list[int]) -> None:
        path = dataset.folder / CAPTIONS
        self.count = len(indices)
        self.parts = [
            (c, columns) for c, (columns, _) in zip(model.conditions, model.spans, strict=True) if isinstance(c, Text)
        ]
        self.said = [[dataset.captions(index, text.name) for index in indices] for text, _ in self.parts]
        try:
            vectors = Vectors(str(path))
            self.rows = [[[vectors.rows[variant] for variant in one] for one in texts] for texts in self.said]
        except (UsageError, KeyError):
            raise BowerbirdError(f"{path} is missing or of another dataset; prepare the dataset again") from None
        if any(text.fingerprint != dataset.encoder_fingerprint for text, _ in self.parts):
            raise BowerbirdError(
                f"{dataset.folder} was prepared with other weights of {dataset.encoder} than are here; prepare it again"
            )
        self.table = torch.from_numpy(vectors.vectors)
        for text in [text for text, _ in self.parts if ":" in text.encoder]:  # which another machine may not have
            known = {labels[text.name] for labels in dataset.labels(indices)} & vectors.rows.keys()
            text.vectors.update({caption: vectors.vectors[vectors.rows[caption]] for caption in known})

    def draw(
        self, encoded: Tensor, labels: list[dict[str, str]], positions: Tensor, random: np.random.Generator
    ) -> tuple[Tensor, list[dict[str, str]]]:
        """Encoded labels (B, N) and labels of the sounds at `positions`: the same with one variant of each caption."""
        encoded, labels = encoded.clone(), [dict(one) for one in labels]
        sounds = (positions % self.count).tolist()
        for (text, columns), said, rows in zip(self.parts, self.said, self.rows, strict=True):
            for place, sound in enumerate(sounds):
                if said[sound]:
                    chosen = int(random.integers(len(said[sound])))
                    encoded[place, columns] = self.table[rows[sound][chosen]]
                    labels[place][text.name] = said[sound][chosen]
        return encoded, labels
