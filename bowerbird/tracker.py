"""Which pitch a sound has and how steady: the YIN tracker."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

__all__ = ["Pitches", "hear_pitch"]

LOWEST_HZ, HIGHEST_HZ = 30.0, 4500.0
HOP_S = 0.02
DIP = 0.15  # YIN's absolute threshold
VOICED = 0.3  # aperiodicity under which a frame has a pitch
AUDIBLE_DB = 30.0  # under the loudest frame
SILENT_DB = -80.0
AT_ONCE = 16


@dataclass(frozen=True)
class Pitches:
    """Per sound (B,): MIDI number (NaN where no pitch is heard) and how far it wavers while it sounds, in cents."""

    midi: NDArray[np.floating]
    wobble_cents: NDArray[np.floating]


def hear_pitch(sounds: NDArray[np.float32], rate_hz: int) -> Pitches:
    """Sounds (B, C, T): median pitch over audible frames and the median change from frame to frame.

    de Cheveigné & Kawahara 2002, steps 1 to 5.
    """
    parts = [_hear(sounds[start : start + AT_ONCE], rate_hz) for start in range(0, len(sounds), AT_ONCE)]
    midi, wobble = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Pitches(midi, wobble)


def _hear(sounds: NDArray[np.float32], rate_hz: int) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    longest, shortest, hop = int(rate_hz / LOWEST_HZ) + 1, max(2, int(rate_hz / HIGHEST_HZ)), int(HOP_S * rate_hz)
    mono = functional.pad(torch.from_numpy(sounds).mean(1).double(), (0, 2 * longest))
    frames = mono.unfold(1, 2 * longest, hop)  # (B, L, 2 W)
    difference = _difference(frames, longest)
    lags = torch.arange(1, longest)
    normal = difference[..., 1:] * lags / difference[..., 1:].cumsum(2).clamp_min(1e-12)  # eq. 8, lag 1 first
    normal[..., : shortest - 1] = 2.0
    inner = normal[..., 1:-1]
    dips = (inner < normal[..., :-2]) & (inner <= normal[..., 2:]) & (inner < DIP)
    first = torch.where(dips.any(2), dips.float().argmax(2) + 1, normal.argmin(2))
    aperiodic = normal.gather(2, first[..., None])[..., 0]
    around = torch.stack([normal.gather(2, (first + s).clamp(0, longest - 2)[..., None])[..., 0] for s in (-1, 0, 1)])
    bend = around[0] - 2 * around[1] + around[2]
    lag = first + 1 + (0.5 * (around[0] - around[2]) / bend.clamp_min(1e-9)).clamp(-0.5, 0.5)
    midi = 69 + 12 * torch.log2(rate_hz / lag / 440.0)
    level_db = 10 * torch.log10(frames.square().mean(2) + 1e-12)
    audible = level_db > (level_db.amax(1, keepdim=True) - AUDIBLE_DB).clamp_min(SILENT_DB)
    heard = (aperiodic < VOICED) & audible
    midi[~heard] = torch.nan
    change = functional.pad((midi[:, 1:] - midi[:, :-1]).abs(), (0, 1), value=torch.nan)  # one column at least
    change[change > 1] = torch.nan  # another note or an octave slip, not a wobble
    return midi.nanmedian(1).values.numpy(), 100 * change.nanmedian(1).values.numpy()


def _difference(frames: torch.Tensor, window: int) -> torch.Tensor:
    """Squared difference of the first `window` samples and those a lag later, by FFT (eq. 6): (B, L, 2 W) -> (B, L, W)."""
    size = 2 ** int(np.ceil(np.log2(3 * window)))
    cross = torch.fft.irfft(torch.fft.rfft(frames[..., :window], size).conj() * torch.fft.rfft(frames, size), size)
    energy = functional.pad(frames.square().cumsum(2), (1, 0))
    later = energy[..., window : 2 * window] - energy[..., :window]
    return (later[..., :1] + later - 2 * cross[..., :window]).clamp_min(0)
