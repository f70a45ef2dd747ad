"""Altered copies of training sounds: pitch, length, level and colour changed a little, for sets that are small.

Unlike the changes in `augment`, which only the discriminator sees, these are learnt: the instrument plays such sounds too.
"""

from dataclasses import dataclass, replace

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch.nn import functional

from bowerbird.representations.phase import griffin_lim
from bowerbird.representations.stft import analyse

__all__ = ["Change", "Variation", "drawn", "vary"]

WINDOW_S, ITERATIONS = 0.025, 16
LOWEST_HZ, CORNERS = 60.0, 5  # of the equaliser's curve, evenly apart on a logarithmic axis

Sound = NDArray[np.float32]


@dataclass(frozen=True)
class Variation:
    """The most that is changed, up or down."""

    semitones: float
    stretch: float  # share of the length
    gain_db: float
    equaliser_db: float


@dataclass(frozen=True)
class Change:
    """What is changed of one sound."""

    semitones: float
    length: float  # times as long
    gain_db: float
    corners_db: NDArray[np.floating]  # of the equaliser

    def transposed(self, semitones: float) -> "Change":
        """The same by so many semitones as on tape: a higher sound is a shorter one, and no phase is found anew."""
        return replace(self, semitones=semitones, length=self.length * 2 ** (-semitones / 12))


def drawn(most: Variation, random: np.random.Generator) -> Change:
    """A change within `most`."""
    return Change(
        most.semitones * random.uniform(-1, 1),
        1 + most.stretch * random.uniform(-1, 1),
        most.gain_db * random.uniform(-1, 1),
        most.equaliser_db * random.uniform(-1, 1, CORNERS),
    )


def vary(sound: Sound, rate_hz: int, change: Change) -> Sound:
    """A sound (C, T) changed -> (C, T'), longer or shorter."""
    ratio = 2 ** (change.semitones / 12)
    peak = float(np.abs(sound).max())
    if abs(change.length * ratio - 1) > 1e-9:
        sound = _stretched(sound, rate_hz, change.length * ratio)
    if ratio != 1:  # played faster, it is as long as asked and higher
        sound = np.ascontiguousarray(soxr.resample(sound.T, rate_hz * ratio, rate_hz).T)
    if change.corners_db.any():
        sound = _coloured(sound, rate_hz, change.corners_db)
    louder = sound * 10 ** (change.gain_db / 20)
    # No louder than the sound itself, whose level the representation is measured on.
    return (louder * min(1.0, peak / max(float(np.abs(louder).max()), 1e-9))).astype(np.float32)


def _stretched(sound: Sound, rate_hz: int, factor: float) -> Sound:
    """Magnitudes spread over `factor` times as many frames, phases found anew."""
    n_fft = 2 ** round(np.log2(rate_hz * WINDOW_S))
    hop = n_fft // 8
    samples = max(1, round(sound.shape[1] * factor))
    magnitude = analyse(torch.from_numpy(sound), n_fft, hop, -(-sound.shape[1] // hop) + 1).abs()
    at = torch.arange(-(-samples // hop) + 1) / factor
    low = at.long().clamp(0, magnitude.shape[2] - 1)
    high = (low + 1).clamp_max(magnitude.shape[2] - 1)
    spread = torch.lerp(magnitude[..., low], magnitude[..., high], at - low)
    return griffin_lim(spread, hop, samples, ITERATIONS).numpy()


def _coloured(sound: Sound, rate_hz: int, corners_db: NDArray[np.floating]) -> Sound:
    """An equaliser without phase whose gain runs straight between its corners."""
    padded = functional.pad(torch.from_numpy(sound), (0, sound.shape[1])).numpy()  # what wraps round falls into silence
    spectrum = np.fft.rfft(padded)
    bins_hz = np.fft.rfftfreq(padded.shape[1], 1 / rate_hz)
    corners_hz = np.geomspace(LOWEST_HZ, rate_hz / 2, CORNERS)
    gain_db = np.interp(np.log(np.maximum(bins_hz, 1.0)), np.log(corners_hz), corners_db)
    coloured = np.fft.irfft(spectrum * 10 ** (gain_db / 20), padded.shape[1])
    return coloured[:, : sound.shape[1]].astype(np.float32)
