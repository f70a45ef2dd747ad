"""Captions from what people find in the wild: file names, folders and cells full of take numbers and names of collections.

Which words mark where a file came from is found from the data: sounds that sound alike do not share them.
"""

import csv
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bowerbird.conditions.words import words
from bowerbird.data.dataset import CAPTIONS
from bowerbird.encoders import encoder
from bowerbird.errors import UsageError
from bowerbird.seeds import numpy_random

__all__ = ["Captions", "caption", "captions", "variants"]

LEAST_MARKED = 20  # sounds, before a word can be told to mark where files come from
NEIGHBOURS = 10
SAYS_NOTHING = (
    2.0  # times as often as in all sounds it is found in the nearest ones (docs/log.md: 1.0 to 1.8, words of sounds 2.2 on)
)
LEAST_OF_A_NUMBER = 5  # sounds: "808" is a word there, "017" and "2" are takes
VARIANTS = 16


@dataclass(frozen=True)
class Captions:
    """A list of words for each sound, and the words left out because they mark where files came from."""

    words: list[list[str]]
    marks: list[str]


def caption(
    folder: Path,
    name: str,
    entries: list[dict[str, Any]],
    shapes: NDArray[np.floating],
    by: str,
    drop: str | None,
    keep: str | None,
) -> list[str]:
    """Puts captions in the place of the raw texts that manifest entries have as label `name`, and variants beside them.

    Writes every text with its vector and a table of before and after into `folder`; returns the marks left out.
    """
    raw = [entry["labels"][name] for entry in entries]
    found = captions(raw, shapes, words(drop or ""), words(keep or ""))
    if not any(found.words):
        raise UsageError(f"no {name} holds a word that says anything of a sound; label the sounds otherwise (--labels)")
    for index, (entry, said) in enumerate(zip(entries, found.words, strict=True)):
        entry["labels"][name] = " ".join(said)
        entry["captions"] = {name: variants(said, 0, name, index)}
    texts = sorted({text for entry in entries for text in (entry["labels"][name], *entry["captions"][name]) if text})
    np.savez(folder / CAPTIONS, texts=np.array(texts), vectors=encoder(by)(texts))
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", "raw", "caption", "variants"])
        for entry, before in zip(entries, raw, strict=True):
            table.writerow([entry["file"], before, entry["labels"][name], " | ".join(entry["captions"][name])])
    return found.marks


def captions(
    texts: Sequence[str], shapes: NDArray[np.floating], drop: Sequence[str] = (), keep: Sequence[str] = ()
) -> Captions:
    """Raw texts of sounds, whose acoustic shapes (B, D) tell what words say nothing of a sound -> captions.

    `drop` names more words to leave out and `keep` words to leave in.
    """
    found = [words(text) for text in texts]
    counts = Counter(word for one in found for word in one)

    def is_take(word: str) -> bool:
        short = len(word) < 3 or word.startswith("0") or counts[word] < LEAST_OF_A_NUMBER
        return word.isdecimal() and short and word not in keep

    marks = [word for word in _marks(found, shapes) if word not in keep and not word.isdecimal()]
    gone = {*marks, *drop}
    return Captions([[word for word in one if word not in gone and not is_take(word)] for one in found], marks)


def _marks(found: list[list[str]], shapes: NDArray[np.floating]) -> list[str]:
    """Words that the sounds nearest to a word's sounds have hardly more often than any sounds do, the commonest first."""
    from sklearn.neighbors import NearestNeighbors

    if len(found) <= LEAST_MARKED:
        return []
    sounds_of: dict[str, list[int]] = {}
    for sound, one in enumerate(found):
        for word in one:
            sounds_of.setdefault(word, []).append(sound)
    near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(shapes).kneighbors(return_distance=False)
    marks = []
    for word, sounds in sorted(sounds_of.items(), key=lambda item: (-len(item[1]), item[0])):
        has = np.zeros(len(found), bool)
        has[sounds] = True
        if len(sounds) >= LEAST_MARKED and has[near[sounds]].mean() < SAYS_NOTHING * has.mean():
            marks.append(word)
    return marks


def variants(caption: Sequence[str], seed: int, *path: int | str) -> list[str]:
    """What people would type for a caption: VARIANTS times some of its words, in their order.

    Their number is 1 and a negative binomial one: 2 on average with a standard deviation of 2, as far as there are words.
    """
    if not caption:
        return []
    random = numpy_random(seed, "caption", *path)
    counts = 1 + random.negative_binomial(1 / 3, 1 / 4, VARIANTS)
    chosen = [np.sort(random.choice(len(caption), min(int(count), len(caption)), replace=False)) for count in counts]
    return [" ".join(caption[place] for place in places) for places in chosen]
