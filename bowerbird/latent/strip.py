"""Pictures of ways: the spectrogram of a long file, read in constant memory, and sounds along directions."""

import math
from io import BytesIO
from pathlib import Path

import numpy as np
import soundfile
from PIL import Image, ImageDraw

from bowerbird.instrument_file import write_whole
from bowerbird.latent.space import Space
from bowerbird.pictures import colours, write_sheet

__all__ = ["write_directions", "write_strip"]

COLUMNS, ROWS, MARKS, MOST_MARKS, MARK_WIDTH = 1600, 256, 16, 20, 48
WINDOW, RANGE_DB = 2048, 80.0
ALONG, SHOWN = (-2.0, -1.0, 0.0, 1.0, 2.0), 8  # sigmas or units, and components
MOST_AVERAGED = 16  # windows of a column


def write_strip(path: Path, sound: Path) -> None:
    """Time from left to right whatever its length, marked in seconds, octaves from bottom to top.

    Each column is the mean power of a few windows in its time.
    """
    with soundfile.SoundFile(sound) as file:
        lasts_s = file.frames / file.samplerate
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
    image = Image.new("RGB", (columns, ROWS + MARKS))
    image.paste(Image.fromarray(colours(shown[None])))
    draw = ImageDraw.Draw(image)
    for second in _marks(lasts_s, columns):
        at = round(second / lasts_s * columns)
        draw.line((at, ROWS, at, ROWS + 3), fill=(220, 220, 220))
        draw.text((at + 2, ROWS + 2), f"{second:g} s", fill=(220, 220, 220))
    data = BytesIO()
    image.save(data, "PNG", optimize=True)
    write_whole(path, data.getvalue())


def _marks(lasts_s: float, columns: int) -> list[float]:
    """Seconds to write under a strip: MOST_MARKS or as many as fit, 1, 2 or 5 times a power of ten apart."""
    least = max(lasts_s, 1e-3) / max(1, min(MOST_MARKS, columns // MARK_WIDTH))
    power = 10.0 ** math.floor(math.log10(least))
    step = next(step for step in (power, 2 * power, 5 * power, 10 * power) if step >= least)
    return [round(number * step, 6) for number in range(math.ceil(lasts_s / step - 0.5))]  # none cut off at the right


def write_directions(path: Path, space: Space, stage: str, seed: int) -> None:
    """A row per slider and for each of the first SHOWN components: the same sound farther and farther along it."""
    basis, form = space.basis(stage), space.instrument.model.representation
    rows = []
    for name in [*basis.sliders, *map(str, range(1, 1 + min(SHOWN, basis.count)))]:
        spots = [space.spot(seed, moves={f"{stage}:{name}": amount}) for amount in ALONG]
        rows.append((f"{name}: {ALONG[0]:g} to {ALONG[-1]:g}", [form.levels(space.picture(s))[0].numpy() for s in spots]))
    write_sheet(path, rows)
