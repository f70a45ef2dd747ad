"""The report: figures as JSON, and one self-contained HTML page with verdicts, sounds to play and their spectrograms."""

import base64
import html
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from PIL import Image

from bowerbird.evaluation.measure import Evaluation, Heard
from bowerbird.evaluation.verdict import Verdict, verdicts
from bowerbird.instrument import Instrument
from bowerbird.instrument_file import write_whole
from bowerbird.pictures import colours
from bowerbird.representations import Representation

__all__ = ["write_report"]

HEARD_PER_CLASS, MOST_CLASSES, PAIRS = 6, 16, 12

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em }
body { color: #222; background: #fafaf7 } h2 { margin-top: 2em }
td, th { padding: .2em .8em .2em 0; text-align: left } .good { color: #17602a } .bad { color: #9c1f1f }
.row { display: flex; flex-wrap: wrap; gap: 8px; margin: .3em 0 1em }
figure { margin: 0; width: 165px } figure img { width: 100%; height: 90px; image-rendering: pixelated; display: block }
audio { width: 100%; height: 28px }
figcaption { font-size: 12px; color: #666; overflow: hidden; text-overflow: ellipsis; white-space: nowrap }
"""


def write_report(folder: Path, title: str, found: Evaluation, instrument: Instrument) -> tuple[dict[str, Any], str]:
    """Writes evaluation.json and evaluation.html into `folder`; returns the figures and a summary in words."""
    said = verdicts(found.figures, found.per_class)
    result = {
        "instrument": instrument.fingerprint,
        "figures": {name: round(value, 5) for name, value in found.figures.items()},
        "per_class": {name: {key: round(v, 3) for key, v in scores.items()} for name, scores in found.per_class.items()},
        "verdicts": [{"good": verdict.good, "sentence": verdict.sentence} for verdict in said],
    }
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "evaluation.json", json.dumps(result, indent=2).encode())
    write_whole(folder / "evaluation.html", _page(title, found, said, instrument.model.representation).encode())
    lines = [f"{'+' if verdict.good else '-'} {verdict.sentence}" for verdict in said]
    return result, "\n".join([*lines, f"listen and look: {folder / 'evaluation.html'}"])


def _page(title: str, found: Evaluation, said: list[Verdict], form: Representation) -> str:
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{html.escape(title)}</h1><ul>",
        *(f"<li class={'good' if v.good else 'bad'}>{html.escape(v.sentence)}" for v in said),
        "</ul>",
        *_classes(found, form),
        *_pairs(found, form),
        "<h2>All figures</h2><table>",
        *(f"<tr><td>{name}<td>{value:.4g}" for name, value in found.figures.items()),
        "</table>",
    ]
    return "\n".join(parts)


def _classes(found: Evaluation, form: Representation) -> list[str]:
    parts = []
    for name, scores in list(found.per_class.items())[:MOST_CLASSES]:
        words = ", ".join(f"{key.replace('_', ' ')} {value:.2f}" for key, value in scores.items())
        parts.append(f"<h2>{html.escape(name)}</h2><p>{words}</p>")
        for kind, heard in (("real", found.real), ("generated", found.made)):
            rows = np.random.default_rng(0).permutation(np.flatnonzero(heard.names == name))[:HEARD_PER_CLASS]
            parts.append(f"<div class=row>{''.join(_figure(heard, int(row), kind, form) for row in rows)}</div>")
    return parts


def _pairs(found: Evaluation, form: Representation) -> list[str]:
    nearest = np.argsort(found.memory.distance)[:PAIRS]
    parts = ["<h2>Nearest to a training sound</h2><p>Generated, and the training sound it is nearest to.</p>"]
    for row in nearest:
        pair = _figure(found.made, int(row), "generated", form)
        parts.append(f"<div class=row>{pair}{_figure(found.real, int(found.memory.nearest[row]), 'training', form)}</div>")
    return parts


def _figure(heard: Heard, row: int, kind: str, form: Representation) -> str:
    sound = heard.sounds[row]
    label = "/".join(heard.labels[row].values()) if row < len(heard.labels) else ""
    caption = f"{kind} {label}" + (f", seed {heard.seeds[row]}" if heard.seeds else "")
    picture = form.levels(form.encode(torch.from_numpy(sound)[None]))[0].numpy()
    image, audio = BytesIO(), BytesIO()
    Image.fromarray(colours(picture)).quantize(64).save(image, "PNG", optimize=True)
    soundfile.write(audio, (sound / max(1.0, float(np.abs(sound).max()))).T, form.sample_rate_hz, format="FLAC")
    return (
        f'<figure><img alt="" src="data:image/png;base64,{base64.b64encode(image.getvalue()).decode()}">'
        f'<audio controls preload=none src="data:audio/flac;base64,{base64.b64encode(audio.getvalue()).decode()}"></audio>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
