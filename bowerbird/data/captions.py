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
SAYS_NOTHING = 2.4  # times the odds of finding it in any sound are those in the nearest ones (docs/log.md)
LEAST_OF_A_NUMBER = 5  # sounds: "808" is a word there, "017" and "2" are takes
VARIANTS = 16


@dataclass(frozen=True)
class Captions:
    """The captions of each sound as lists of words, and the words left out because they mark where files came from."""

    each: list[list[list[str]]]
    marks: list[str]

    @property
    def words(self) -> list[list[str]]:
        """What is said of each sound in all its captions, each word once."""
        return [_joined(lines) for lines in self.each]


def caption(
    folder: Path,
    names: Sequence[str],
    entries: list[dict[str, Any]],
    shapes: NDArray[np.floating],
    by: str,
    drop: str,
    keep: str,
) -> list[str]:
    """Puts captions in the place of the raw texts that manifest entries have as labels `names`, and variants beside them.

    A raw text may hold several captions, one a line. Writes every text with its vector and a table of before and after
    into `folder`; returns the marks left out. `drop` and `keep` are words apart by commas.
    """
    marks: list[str] = []
    before = [[" | ".join(entry["labels"][name].splitlines()) for name in names] for entry in entries]
    files = [entry["file"] for entry in entries]
    for name in names:
        raw = [entry["labels"][name] for entry in entries]
        found = captions(raw, shapes, _listed(drop), _listed(keep), files)
        if not any(found.words):
            raise UsageError(f"no {name} holds a word that says anything of a sound; label the sounds otherwise (--labels)")
        marks += [mark for mark in found.marks if mark not in marks]
        for index, (entry, lines) in enumerate(zip(entries, found.each, strict=True)):
            entry["labels"][name] = " ".join(_joined(lines))
            drawn = [variants(said, -(-VARIANTS // len(lines)), 0, name, index, line) for line, said in enumerate(lines)]
            entry.setdefault("captions", {})[name] = [variant for one in drawn for variant in one]
    said_all = [(entry["labels"][name], entry["captions"][name]) for entry in entries for name in names]
    texts = sorted({text for whole, short in said_all for text in (whole, *short) if text})
    np.savez(folder / CAPTIONS, texts=np.array(texts), vectors=encoder(by)(texts))
    with (folder / "captions.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["file", *(f"{name}{what}" for name in names for what in (" before", "", " variants"))])
        for entry, raws in zip(entries, before, strict=True):
            cells = zip(raws, names, strict=True)
            row = [
                (" | ".join(raw.splitlines()), entry["labels"][name], " | ".join(entry["captions"][name]))
                for raw, name in cells
            ]
            table.writerow([entry["file"], *(cell for one in row for cell in one)])
    return marks


def _listed(text: str) -> list[str]:
    return [word for part in text.split(",") for word in words(part)]


def captions(
    texts: Sequence[str],
    shapes: NDArray[np.floating],
    drop: Sequence[str] = (),
    keep: Sequence[str] = (),
    files: Sequence[str] = (),
) -> Captions:
    """Raw texts of sounds, a line per caption -> captions; acoustic shapes (B, D) tell what words say nothing of a sound.

    `drop` names more words to leave out and `keep` words to leave in. Of several pieces of one of `files` the first alone
    tells: they sound alike whatever their words.
    """
    each = [[words(line) for line in text.splitlines()] for text in texts]
    found = [_joined(lines) for lines in each]
    counts = Counter(word for one in found for word in one)

    def is_take(word: str) -> bool:
        short = len(word) < 3 or word.startswith("0") or counts[word] < LEAST_OF_A_NUMBER
        return word.isdecimal() and short and word not in keep

    tell = list({file: index for index, file in reversed(list(enumerate(files)))}.values()) or list(range(len(found)))
    seen = _marks([found[index] for index in tell], shapes[tell])
    marks = [word for word in seen if word not in keep and not word.isdecimal()]
    gone = {*marks, *drop}
    kept = [[[word for word in one if word not in gone and not is_take(word)] for one in lines] for lines in each]
    return Captions([list(filter(None, lines)) for lines in kept], marks)


def _joined(lines: list[list[str]]) -> list[str]:
    return list(dict.fromkeys(word for line in lines for word in line))


def _marks(found: list[list[str]], shapes: NDArray[np.floating]) -> list[str]:
    """Words that the sounds nearest to a word's sounds hardly have more often than any sounds do, the commonest first."""
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
        usual, nearby = has.mean(), has[near[sounds]].mean()
        if len(sounds) >= LEAST_MARKED and nearby * (1 - usual) <= SAYS_NOTHING * usual * (1 - nearby):
            marks.append(word)
    return marks


def variants(caption: Sequence[str], count: int, seed: int, *path: int | str) -> list[str]:
    """What people would type for a caption: `count` times some of its words, in their order.

    Their number is 1 and a negative binomial one: 2 on average with a standard deviation of 2, as far as there are words.
    """
    random = numpy_random(seed, "caption", *path)
    sizes = 1 + random.negative_binomial(1 / 3, 1 / 4, count)
    chosen = [np.sort(random.choice(len(caption), min(int(size), len(caption)), replace=False)) for size in sizes]
    return [" ".join(caption[place] for place in places) for places in chosen]
