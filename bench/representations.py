"""What each representation costs before any network: real sounds, encoded and decoded.

    python -m bench.representations DATASET…        datasets as made by `bowerbird prepare`, of drums, notes, speech

Up to 60 sounds of each, decoded one by one on one core. Writes bench/results/representations.json: spectral convergence and
log-spectral distance in dB (lower is better), the share of notes whose pitch is kept within 50 cents and how far it wavers
where the sounds are labelled by pitch, the size of the picture, and seconds of work per second of sound.
"""

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.harness import publish
from bowerbird.data.dataset import Dataset
from bowerbird.evaluation.pitch import pitch_scores
from bowerbird.machine import usable_cores
from bowerbird.midi import PITCH, midi_number
from bowerbird.representations import REPRESENTATIONS
from bowerbird.representations.vocoder import Vocoded
from bowerbird.tracker import hear_pitch
from bowerbird.training.vocoder import learn

SOUNDS, N_FFT = 60, 1024
AUDIBLE = 1e-3  # of the loudest cell: 60 dB


def distances_db(real: torch.Tensor, again: torch.Tensor) -> tuple[float, float]:
    """Sounds (B, T): mean spectral convergence and log-spectral distance, in dB."""
    window = torch.hann_window(N_FFT)
    a, b = (torch.stft(x, N_FFT, N_FFT // 4, window=window, return_complex=True).abs() for x in (real, again))
    convergence = 20 * torch.log10((a - b).flatten(1).norm(dim=1) / a.flatten(1).norm(dim=1) + 1e-9)
    floor = AUDIBLE * a.amax((1, 2), keepdim=True)
    levels = 20 * torch.log10((a + floor) / (b + floor))
    return float(convergence.mean()), float(levels.square().mean((1, 2)).sqrt().mean())


def measured(dataset: Dataset) -> dict[str, Any]:
    indices = np.random.default_rng(0).permutation(dataset.part("train"))[:SOUNDS].tolist()
    sounds, rate_hz = torch.from_numpy(dataset.padded(indices)), dataset.sample_rate_hz
    pitched = PITCH in dataset.conditions
    asked = np.array([midi_number(labels[PITCH]) for labels in dataset.labels(indices)]) if pitched else None
    rows: dict[str, Any] = {}
    for name, kind in REPRESENTATIONS.items():
        form = kind.suited(rate_hz, dataset.channels, dataset.samples, pitched=pitched).fit([sounds])
        if isinstance(form, Vocoded):
            torch.set_num_threads(usable_cores())
            learn(form, dataset, 0, quiet=True)
            torch.set_num_threads(1)
        pictures = [form.encode(sound[None]) for sound in sounds]
        began = time.perf_counter()
        again = torch.cat([form.decode(picture) for picture in pictures])
        spent_s = time.perf_counter() - began
        convergence, distance = distances_db(sounds.flatten(0, 1), again.flatten(0, 1))
        rows[name] = {
            "picture": list(form.shape),
            "spectral_convergence_db": round(convergence, 1),
            "log_spectral_distance_db": round(distance, 2),
            "decoding_s_per_s": round(spent_s / (sounds.shape[0] * sounds.shape[2] / rate_hz), 4),
        }
        if asked is not None:
            rows[name] |= {k: round(v, 3) for k, v in pitch_scores(hear_pitch(again.numpy(), rate_hz), asked).items()}
    if asked is not None:
        rows["real"] = {k: round(v, 3) for k, v in pitch_scores(hear_pitch(sounds.numpy(), rate_hz), asked).items()}
    return rows


def main() -> None:
    torch.set_num_threads(1)
    publish("representations", {Path(path).name: measured(Dataset(Path(path))) for path in sys.argv[1:]})


if __name__ == "__main__":
    main()
