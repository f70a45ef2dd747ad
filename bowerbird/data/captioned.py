"""Variants of captions while training: each step another one, and whether a caption would be wrong for another sound."""

import numpy as np
import torch
from torch import Tensor

from bowerbird.config import ModelConfig
from bowerbird.data.dataset import CAPTIONS, Dataset
from bowerbird.encoders.vectors import Vectors
from bowerbird.errors import BowerbirdError

__all__ = ["Captioned"]


class Captioned:
    """The variants of every sound's caption with their vectors, which preparing has embedded.

    Raises BowerbirdError where they are missing or damaged.
    """

    def __init__(self, dataset: Dataset, model: ModelConfig, indices: list[int]) -> None:
        path = dataset.folder / CAPTIONS
        if not path.is_file():
            raise BowerbirdError(f"{path} is missing; prepare the dataset again")
        vectors = Vectors(str(path))
        self.parts: list[tuple[slice, bool]] = []  # columns of each condition, and whether they are a text's
        self.texts: list[list[list[int]]] = []  # rows of `table`, by text condition and sound
        start = 0
        for condition in model.conditions:
            spoken = dataset.kinds[condition.name] == "text"
            self.parts.append((slice(start, start + condition.width), spoken))
            start += condition.width
            if spoken:
                said = [dataset.captions(index, condition.name) for index in indices]
                self.texts.append([[vectors.rows[text] for text in one] for one in said])
        self.table = torch.from_numpy(vectors.vectors)
        self.words = [set(text.split()) for text in vectors.rows]
        labels = dataset.labels(indices)
        spoken_names = [name for name, kind in dataset.kinds.items() if kind == "text"]
        self.whole = [[set(one[name].split()) for one in labels] for name in spoken_names]
        self.classes = [one[dataset.main] if dataset.main else "" for one in labels]

    def draw(self, encoded: Tensor, sounds: Tensor, random: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Encoded labels (B, N) of sounds (B): the same with a variant of each caption, and which are wrong for the next.

        The labels of sound i - 1 are wrong for sound i where another label differs, or where its variant has a word that is
        not said of sound i: another take of the same thing is not called wrong, nor is one of the same class.
        """
        encoded = encoded.clone()
        numbers = sounds.tolist()
        wrong = torch.zeros(len(encoded), dtype=torch.bool)
        spoken = 0
        for columns, is_text in self.parts:
            if not is_text:
                part = encoded[:, columns]
                wrong |= (part.roll(1, 0) != part).any(1)
                continue
            rows = [int(random.choice(self.texts[spoken][one])) if self.texts[spoken][one] else -1 for one in numbers]
            there = torch.tensor([row >= 0 for row in rows])
            encoded[there, columns] = self.table[[row for row in rows if row >= 0]]
            for place, one in enumerate(numbers):
                before, row = numbers[place - 1], rows[place - 1]
                same_class = bool(self.classes[one]) and self.classes[before] == self.classes[one]
                wrong[place] |= row >= 0 and not same_class and not self.words[row] <= self.whole[spoken][one]
            spoken += 1
        return encoded, wrong
