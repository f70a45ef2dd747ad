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

from bowerbird.evaluation.heard import Heard
from bowerbird.evaluation.measure import Evaluation
from bowerbird.evaluation.verdict import Verdict, verdicts
from bowerbird.instrument import Instrument
from bowerbird.instrument_file import write_whole
from bowerbird.pictures import colours
from bowerbird.representations import Representation

__all__ = ["write_report"]

HEARD_PER_CLASS, MOST_CLASSES = 6, 16
HEARD_S = 4.0  # of each sound, so that the page stays small

GROUPS = {
    "fidelity": "How near the set is to the real one: KAD and Fréchet best at 0, precision, recall and coverage at 1.",
    "label": "Whether sounds are what was asked for: shares of sounds that a classifier knows, 1 is best.",
    "variety": "Distance between sounds of one class over that between real ones: 1 is best. Twins: share with a near-copy.",
    "memory": "Distance to the nearest training sound over that between real neighbours: about 1 is good, 0 is copying.",
    "pitch": "Shares of the sounds at, an octave from, or elsewhere than the pitch asked for; wobble in cents.",
    "fault": "Shares of the sounds with a fault; levels in dB, times in seconds.",
    "pretrained": "Distances on the pretrained embedding: 0 is best.",
}

ENDINGS = (
    "What ends in _real is that of the real sounds, in _floor what another half of the real ones gets (a Fréchet distance "
    "between halves is too high, being of fewer sounds), in _ceiling what the real ones get when only encoded and decoded."
)

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
    write_whole(folder / "evaluation.html", _page(title, found, said, instrument).encode())
    lines = [f"{'+' if verdict.good else '-'} {verdict.sentence}" for verdict in said]
    return result, "\n".join([_made_from(instrument), *lines, f"listen and look: {folder / 'evaluation.html'}"])


def _made_from(instrument: Instrument) -> str:
    """How long it was trained, and what was said of it meanwhile."""
    told = instrument.provenance
    sentence = f"Trained on {told['trained_on']} sounds for {told['minutes']:g} minutes, {told['examples']} examples."
    return " ".join([sentence, *(f"At {said}." for said in told["watch"])])


def _page(title: str, found: Evaluation, said: list[Verdict], instrument: Instrument) -> str:
    form = instrument.model.representation
    parts = [
        f"<!doctype html><meta charset=utf-8><title>{html.escape(title)}</title><style>{STYLE}</style>",
        f"<h1>{html.escape(title)}</h1><ul>",
        *(f"<li class={'good' if v.good else 'bad'}>{html.escape(v.sentence)}" for v in said),
        f"</ul><p>{html.escape(_made_from(instrument))}</p>",
        *_classes(found, form),
        *_pairs(found, form),
        "<h2>All figures</h2>",
        f"<p>{ENDINGS}</p>",
        *_figures(found.figures),
    ]
    return "\n".join(parts)


def _figures(figures: dict[str, float]) -> list[str]:
    parts = []
    for group in dict.fromkeys(name.split("/")[0] for name in figures):
        rows = [f"<tr><td>{html.escape(name)}<td>{v:.4g}" for name, v in figures.items() if name.split("/")[0] == group]
        parts += [f"<h3>{group}</h3><p>{GROUPS[group]}</p><table>", *rows, "</table>"]
    return parts


def _classes(found: Evaluation, form: Representation) -> list[str]:
    parts = []
    for name, scores in list(found.per_class.items())[:MOST_CLASSES]:
        words = ", ".join(f"{key.replace('_', ' of ')} {value:.2f}" for key, value in scores.items())
        parts.append(f"<h2>{html.escape(name)}</h2><p>{words}</p>")
        for kind, heard in (("real", found.real), ("generated", found.made)):
            rows = np.random.default_rng(0).permutation(np.flatnonzero(heard.names == name))[:HEARD_PER_CLASS]
            parts.append(f"<div class=row>{''.join(_figure(heard, int(row), kind, form) for row in rows)}</div>")
    return parts


def _pairs(found: Evaluation, form: Representation) -> list[str]:
    parts = ["<h2>Nearest to a training sound</h2><p>Generated, and the training sound it is nearest to.</p>"]
    for number, row in enumerate(found.copied):
        pair = _figure(found.made, row, "generated", form), _figure(found.copied_from, number, "training", form)
        parts.append(f"<div class=row>{''.join(pair)}</div>")
    return parts


def _figure(heard: Heard, row: int, kind: str, form: Representation) -> str:
    sound = heard.sounds[row]
    label = "/".join(heard.labels[row].values()) if row < len(heard.labels) else ""
    caption = f"{kind} {label}" + (f", seed {heard.seeds[row]}" if heard.seeds else "")
    picture = form.levels(form.encode(torch.from_numpy(sound)[None]))[0].numpy()
    image, audio = BytesIO(), BytesIO()
    Image.fromarray(colours(picture)).quantize(64).save(image, "PNG", optimize=True)
    start = sound[:, : int(HEARD_S * form.sample_rate_hz)]
    soundfile.write(audio, (start / max(1.0, float(np.abs(start).max()))).T, form.sample_rate_hz, format="FLAC")
    return (
        f'<figure><img alt="" src="data:image/png;base64,{base64.b64encode(image.getvalue()).decode()}">'
        f'<audio controls preload=none src="data:audio/flac;base64,{base64.b64encode(audio.getvalue()).decode()}"></audio>'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
    )
