"""Previews: the same latents again and again, beside real sounds, to look at and to listen to."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from bowerbird.audio import file_stem, write
from bowerbird.data.feed import Feed
from bowerbird.instrument import Instrument
from bowerbird.pictures import write_sheet
from bowerbird.seeds import latents, numpy_random

__all__ = ["write_preview"]

COLUMNS, HEARD, MOST_CLASSES = 8, 4, 32
HEARD_S = 120.0  # of sound in all WAVs of a preview: decoding holds up training
GAP_S = 0.15


def write_preview(folder: Path, instrument: Instrument, feed: Feed, seed: int) -> Path:
    """sheet.png (a row of real sounds above a row of generated ones per class) and a WAV per class, in `folder`.

    Without classes the commonest captions are shown. Of long sounds fewer are heard, of very many classes only the first.
    """
    rows = []
    families = feed.families(MOST_CLASSES)
    representation = instrument.model.representation
    heard = HEARD_S / (representation.samples / representation.sample_rate_hz)  # sounds
    each = int(max(1, min(HEARD, heard / len(families))))
    for number, (name, members) in enumerate(families):
        chosen = numpy_random(seed, "preview", name).permutation(members)[:COLUMNS]
        labels = [feed.labels[position] for position in np.resize(chosen, COLUMNS)]
        z = latents([seed + k for k in range(COLUMNS)], instrument.model.network.z_dim)
        generated = instrument.pictures(labels, z)
        title = name or "all sounds"
        real = torch.from_numpy(feed.pictures[chosen].astype(np.float32))
        rows += [
            (
                f"{title}: real",
                list(representation.levels(real).numpy()),
            ),
            (f"{title}: generated", list(representation.levels(generated).numpy())),
        ]
        if (number + 1) * each <= max(1.0, heard):
            write(folder / f"{file_stem(title)}.wav", _in_a_row(instrument, generated[:each]), instrument.sample_rate)
    write_sheet(folder / "sheet.png", rows)
    return folder / "sheet.png"


def _in_a_row(instrument: Instrument, pictures: Tensor) -> np.ndarray:
    gap = np.zeros((instrument.model.representation.channels, int(GAP_S * instrument.sample_rate)), np.float32)
    with torch.inference_mode():
        sounds = [instrument.model.representation.decode(picture[None])[0].numpy() for picture in pictures]
    return np.concatenate([part for sound in sounds for part in (sound, gap)], 1)
