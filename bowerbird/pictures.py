"""Sheets of spectrograms as PNG files."""

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bowerbird.instrument_file import write_whole

__all__ = ["colours", "write_sheet"]

# Black, violet, red, orange, pale yellow: even steps of lightness, so that decibels look even.
ANCHORS = np.array([(0, 0, 8), (60, 16, 100), (150, 40, 110), (225, 85, 60), (250, 170, 50), (255, 250, 200)], float)
GAP, TITLE_HEIGHT = 4, 14


def colours(picture: NDArray[np.floating]) -> NDArray[np.uint8]:
    """A picture (C, F, L) in [-1, 1] -> RGB (C * F, L, 3), low frequencies at the bottom, channels stacked."""
    upright = np.concatenate([channel[::-1] for channel in picture], 0)
    position = np.clip((upright + 1) / 2, 0, 1) * (len(ANCHORS) - 1)
    channels = [np.interp(position, np.arange(len(ANCHORS)), ANCHORS[:, c]) for c in range(3)]
    return np.stack(channels, -1).astype(np.uint8)


def write_sheet(path: Path, rows: Sequence[tuple[str, Sequence[NDArray[np.floating]]]]) -> None:
    """Writes rows of pictures (C, F, L) of one size, each row under its title."""
    channels, bands, frames = rows[0][1][0].shape
    height, columns = channels * bands, max(len(pictures) for _, pictures in rows)
    sheet = Image.new("RGB", (columns * (frames + GAP) + GAP, len(rows) * (height + TITLE_HEIGHT + GAP)), (28, 28, 32))
    draw = ImageDraw.Draw(sheet)
    for row, (title, pictures) in enumerate(rows):
        top = row * (height + TITLE_HEIGHT + GAP)
        draw.text((GAP, top + 1), title.encode("latin-1", "replace").decode("latin-1"), fill=(220, 220, 220))
        for column, picture in enumerate(pictures):
            sheet.paste(Image.fromarray(colours(picture)), (GAP + column * (frames + GAP), top + TITLE_HEIGHT))
    data = BytesIO()
    sheet.quantize(160, Image.Quantize.FASTOCTREE).save(data, "PNG", optimize=True)  # a third of the size, the same look
    write_whole(path, data.getvalue())
