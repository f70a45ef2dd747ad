"""Maps of points: one interactive page without anything from outside, and a PNG of the same."""

import base64
import colorsys
import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bowerbird.instrument_file import write_whole

__all__ = ["Panel", "write_scatter"]

SIDE, MARGIN = 520, 16  # pixels of a panel
PAGE = Path(__file__).with_suffix(".html")


@dataclass(frozen=True)
class Panel:
    """One view of the points: a title, places (B, 2), and what is said under the title."""

    title: str
    places: NDArray[np.floating]
    said: str


def write_scatter(
    path: Path,
    title: str,
    told: str,
    panels: Sequence[Panel],
    texts: Sequence[str],
    marks: Sequence[str],
    asked: int,
    sounds: Sequence[bytes] = (),
) -> None:
    """Writes `path`.html and `path`.png: points with texts, coloured by their marks, squares from the `asked`th on.

    `told` says what is what. Where there are `sounds`, one Ogg file for each point, pointing at it plays it.
    """
    names = sorted(set(marks))
    shades = {name: _colour(number, len(names)) if name else (120, 120, 120) for number, name in enumerate(names)}
    places = [_on_panel(panel.places) for panel in panels]
    views = [
        {"title": panel.title, "said": panel.said, "points": at.round(1).tolist()}
        for panel, at in zip(panels, places, strict=True)
    ]
    shown = {
        "texts": list(texts),
        "marks": list(marks),
        "colours": ["#{:02x}{:02x}{:02x}".format(*shades[mark]) for mark in marks],
        "asked": asked,
        "panels": views,
        "sounds": [base64.b64encode(sound).decode() for sound in sounds],
    }
    data = json.dumps(shown).replace("<", "\\u003c")  # a text cannot end the script
    filled = {"TITLE": html.escape(title), "TOLD": html.escape(told), "SIDE": str(SIDE), "DATA": data}
    page = re.sub("|".join(filled), lambda found: filled[found[0]], PAGE.read_text(encoding="utf-8"))
    write_whole(path.with_suffix(".html"), page.encode())
    width = len(panels) * (SIDE + MARGIN) + MARGIN
    legend = _legend(list(filter(None, names)), width)
    image = Image.new("RGB", (width, SIDE + (6 + len(legend)) * MARGIN), (250, 250, 247))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(legend):
        for left, name in line:
            draw.text((left, SIDE + (5 + row) * MARGIN), name, fill=shades[name])
    for number, (panel, at) in enumerate(zip(panels, places, strict=True)):
        left, top = MARGIN + number * (SIDE + MARGIN), 4 * MARGIN
        draw.text((left, MARGIN), panel.title, fill=(30, 30, 30))
        draw.text((left, 2 * MARGIN), panel.said, fill=(90, 90, 90))
        draw.rectangle((left, top, left + SIDE, top + SIDE), fill=(255, 255, 255))
        for point, (x, y) in enumerate(at + np.array([left, top])):
            box, colour = (x - 3, y - 3, x + 3, y + 3), shades[marks[point]]
            draw.rectangle(box, colour, (0, 0, 0)) if point >= asked else draw.ellipse(box, colour)
    encoded = BytesIO()
    image.save(encoded, "PNG", optimize=True)
    write_whole(path.with_suffix(".png"), encoded.getvalue())


def _legend(names: Sequence[str], width: int) -> list[list[tuple[int, str]]]:
    """Lines of names, each where it starts in pixels, none longer than `width`."""
    lines: list[list[tuple[int, str]]] = []
    end = width
    for name in names:
        long = round(ImageFont.load_default().getlength(name)) + MARGIN
        if end + long > width:
            lines.append([])
            end = MARGIN
        lines[-1].append((end, name))
        end += long
    return lines


def _colour(number: int, count: int) -> tuple[int, int, int]:
    """Hues around the circle, neighbours of different lightness."""
    red, green, blue = colorsys.hls_to_rgb(number / count, 0.38 + 0.17 * (number % 2), 0.75)
    return round(255 * red), round(255 * green), round(255 * blue)


def _on_panel(places: NDArray[np.floating]) -> NDArray[np.floating]:
    """(B, 2) in any unit -> pixels."""
    low, high = places.min(0), places.max(0)
    return MARGIN + (places - low) / np.maximum(high - low, 1e-9) * (SIDE - 2 * MARGIN)
