"""What is heard in a sound, as numbers: how bright, how slow to rise and to fall, how noisy, how loud, how rough.

Each is a function of a power spectrogram that can be differentiated, so that a generator's pictures can be asked which way a
feature lies. Of real sounds the same functions are taken of a spectrogram of their own (`measure`), beside their pitch.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bowerbird.audio import resample
from bowerbird.tracker import hear_pitch

__all__ = ["FEATURES", "PITCH_FEATURE", "WORDS", "differentiable", "measure"]

WINDOW_S, PARTS = 0.023, 4  # of the spectrogram of a sound, and hops in a window
LEVELS_DB = 80.0  # what levels from -1 to 1 stand for
ROUGH_HZ = (20.0, 80.0)  # beats that are heard as roughness and that frames are quick enough to show (Zwicker & Fastl 1990)
PITCH_RATE_HZ = 16000  # is enough to tell pitch
LEAST_S = 3e-3  # that times are heard apart by
PITCH_FEATURE = "pitch"
AT_ONCE = 32


def brightness(power: Tensor, hz: Tensor, frame_s: float) -> Tensor:
    """Octaves above 20 Hz of the spectral centroid."""
    bands = power.sum(2)
    return torch.log2((bands * hz).sum(1) / (bands.sum(1) + 1e-12) / 20 + 1)


def attack(power: Tensor, hz: Tensor, frame_s: float) -> Tensor:
    """How long the level takes to rise, log10 of s: the area above it, its peak being one, as far as it has risen so far."""
    return torch.log10((1 - _envelope(power).cummax(1).values).sum(1) * frame_s + LEAST_S)


def decay(power: Tensor, hz: Tensor, frame_s: float) -> Tensor:
    """How long it stays, log10 of s: the area under the level that is still to come, its peak being one."""
    later = _envelope(power).flip(1).cummax(1).values.flip(1)
    risen = _envelope(power).cummax(1).values
    return torch.log10((later * risen).sum(1) * frame_s + LEAST_S)


def noisiness(power: Tensor, hz: Tensor, frame_s: float) -> Tensor:
    """Log of the spectral flatness, frames weighted by their power."""
    flat = (power + 1e-10).log().mean(1).exp() / (power + 1e-10).mean(1)
    weight = power.sum(1)
    return torch.log((flat * weight).sum(1) / (weight.sum(1) + 1e-12) + 1e-6)


def loudness(power: Tensor, hz: Tensor, frame_s: float) -> Tensor:
    """Level of the whole in dB."""
    return 10 * torch.log10(power.mean((1, 2)) + 1e-12)


def roughness(power: Tensor, hz: Tensor, frame_s: float) -> Tensor:
    """Log of the share of the bands' fluctuation that is as fast as roughness; NaN where frames are too few."""
    rates_hz = torch.fft.rfftfreq(power.shape[2], frame_s)
    fast = (rates_hz >= ROUGH_HZ[0]) & (rates_hz <= ROUGH_HZ[1])
    if not fast.any() or 1 / frame_s < 4 * ROUGH_HZ[0]:
        return power.new_full((len(power),), torch.nan)
    level = (power + 1e-10).sqrt()
    beats = torch.fft.rfft(level * torch.hann_window(power.shape[2]), dim=2).abs().square()
    return torch.log((beats[:, :, fast].sum((1, 2)) + 1e-12) / (beats.sum((1, 2)) + 1e-9))


# Power (B, F, L), centres of bands (F,) in Hz, seconds from frame to frame -> (B,).
Feature = Callable[[Tensor, Tensor, float], Tensor]
FEATURES: dict[str, Feature] = {
    "brightness": brightness,
    "attack": attack,
    "decay": decay,
    "noisiness": noisiness,
    "loudness": loudness,
    "roughness": roughness,
}
WORDS = {  # of more and of less of it
    "brightness": ("brighter", "darker"),
    "attack": ("softer attack", "punchier"),
    "decay": ("longer", "shorter"),
    "noisiness": ("noisier", "purer"),
    "loudness": ("louder", "quieter"),
    "roughness": ("rougher", "smoother"),
    PITCH_FEATURE: ("higher", "lower"),
}


def _envelope(power: Tensor) -> Tensor:
    """(B, F, L) -> amplitude over time (B, L), its peak one."""
    amplitude = (power.sum(1) + 1e-12).sqrt()
    return amplitude / amplitude.amax(1, keepdim=True)


def differentiable(levels: Tensor, frame_s: float, rate_hz: int) -> dict[str, Tensor]:
    """The features of log levels (B, C, F, L) in [-1, 1]: (B,) each, for gradients.

    Bands are taken to lie evenly, which bends the scale of brightness where they do not, and not its direction.
    """
    power = (10 ** ((levels.float() - 1) / 2 * LEVELS_DB / 10)).mean(1)
    hz = torch.linspace(0, rate_hz / 2, power.shape[1])
    found = {name: feature(power, hz, frame_s) for name, feature in FEATURES.items()}
    return {name: value for name, value in found.items() if value.isfinite().all()}


def measure(
    sounds: NDArray[np.float32], rate_hz: int, names: Sequence[str] = (*FEATURES, PITCH_FEATURE)
) -> dict[str, NDArray[np.floating]]:
    """Sounds (B, C, T) -> each of the features (B,); of pitch a MIDI number, NaN where there is none."""
    parts = [_measure(sounds[start : start + AT_ONCE], rate_hz, names) for start in range(0, len(sounds), AT_ONCE)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measure(sounds: NDArray[np.float32], rate_hz: int, names: Sequence[str]) -> dict[str, NDArray[np.floating]]:
    size = 2 ** round(np.log2(WINDOW_S * rate_hz))
    hop = size // PARTS
    heard = functional.pad(torch.from_numpy(sounds).flatten(0, 1), (0, max(0, 2 * size - sounds.shape[2])))
    window = torch.hann_window(size)
    spectrum = torch.stft(heard, size, hop, window=window, pad_mode="constant", return_complex=True)
    power = (spectrum.abs() / window.sum()).square().unflatten(0, sounds.shape[:2]).mean(1)
    hz = torch.fft.rfftfreq(size, 1 / rate_hz)
    found = {name: FEATURES[name](power, hz, hop / rate_hz).numpy() for name in names if name in FEATURES}
    if PITCH_FEATURE in names:
        fewer = min(rate_hz, PITCH_RATE_HZ)
        found[PITCH_FEATURE] = hear_pitch(np.stack([resample(sound, rate_hz, fewer) for sound in sounds]), fewer).midi
    return found
