"""Pictures of ways: the spectrogram of a long file, read in constant memory, and sounds along directions."""

from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image

from bowerbird.instrument_file import write_whole
from bowerbird.latent.space import Space
from bowerbird.pictures import colours, write_sheet

__all__ = ["write_directions", "write_strip"]

COLUMNS, ROWS = 1600, 256
WINDOW, RANGE_DB = 2048, 80.0
ALONG, SHOWN = (-2.0, -1.0, 0.0, 1.0, 2.0), 8  # sigmas or units, and components
MOST_AVERAGED = 16  # windows of a column


def write_strip(path: Path, sound: Path) -> None:
    """Time from left to right whatever its length; each column is the mean power of a few windows in its time."""
    with soundfile.SoundFile(sound) as file:
        columns = min(COLUMNS, max(1, 4 * file.frames // WINDOW))
        window = np.hanning(WINDOW)
        edges = np.geomspace(1, WINDOW // 2, ROWS + 1)
        bins = np.clip((edges[:-1] * edges[1:]) ** 0.5, 1, WINDOW // 2)
        picture = np.zeros((ROWS, columns))
        for column in range(columns):
            start, end = column * file.frames // columns, (column + 1) * file.frames // columns
            starts = np.linspace(start, max(start, end - WINDOW // 4), min(MOST_AVERAGED, 1 + (end - start) // WINDOW))
            power = np.zeros(WINDOW // 2 + 1)
            for at in starts.astype(int):
                file.seek(int(at))
                block = file.read(WINDOW, dtype="float64", always_2d=True, fill_value=0.0).mean(1)
                power += np.square(np.abs(np.fft.rfft(block * window))) / len(starts)
            picture[:, column] = np.interp(bins, np.arange(WINDOW // 2 + 1), power)
    level_db = 10 * np.log10(picture + 1e-12)
    shown = np.clip((level_db - level_db.max()) / RANGE_DB * 2 + 1, -1, 1)
    data = BytesIO()
    Image.fromarray(colours(shown[None])).save(data, "PNG", optimize=True)
    write_whole(path, data.getvalue())


def write_directions(path: Path, space: Space, stage: str, seed: int) -> None:
    """A row per slider and for each of the first SHOWN components: the same sound farther and farther along it."""
    basis, form = space.basis(stage), space.instrument.model.representation
    rows = []
    for name in [*basis.sliders, *map(str, range(1, 1 + min(SHOWN, basis.count)))]:
        spots = [space.spot(seed, moves={f"{stage}:{name}": amount}) for amount in ALONG]
        rows.append((f"{name}: {ALONG[0]:g} to {ALONG[-1]:g}", [form.levels(space.picture(s))[0].numpy() for s in spots]))
    write_sheet(path, rows)
