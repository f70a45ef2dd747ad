"""Faults of the signal, each a plain function from sounds (B, C, T) and a rate to which of them have it, (B,)."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bowerbird.evaluation.blots import blots

__all__ = ["FAULTS", "FAULTY", "checkerboard_db", "fault_scores"]

Sounds = NDArray[np.float32]
Which = NDArray[np.bool_]

SILENT_PEAK = 10 ** (-60 / 20)
FULL_SCALE = 0.999
ONSET_DB = -30.0  # under the peak
LATE_S = 0.1
TAIL_S = 0.01
CLICK_S = 0.003
CLICK_DB = 30.0
FLOOR_S, INAUDIBLE_DB = 0.02, -60.0
LOWEST_HZ, BANDS = 60.0, 24
AT_ONCE = 64


def _any(found: Which) -> Which:
    """Whether anything is found in each sound."""
    return np.asarray(found.reshape(len(found), -1).any(1))


def silent(sounds: Sounds, rate_hz: int) -> Which:
    """Peak under -60 dBFS."""
    return ~_any(np.abs(sounds) >= SILENT_PEAK)


def clipped(sounds: Sounds, rate_hz: int) -> Which:
    """Three samples in a row at full scale."""
    full = np.abs(sounds) >= FULL_SCALE
    return _any(full[..., 2:] & full[..., 1:-1] & full[..., :-2])


def direct_current(sounds: Sounds, rate_hz: int) -> Which:
    """A mean over a tenth of the level."""
    level = np.sqrt(np.square(sounds).mean(2))
    return _any(np.abs(sounds.mean(2)) > 0.1 * level + 1e-6)


def click(sounds: Sounds, rate_hz: int) -> Which:
    """After the attack, a few milliseconds whose steps from sample to sample tower over those before and after.

    An attack rises over what was before it too, but goes on: the comparison is with both sides.
    """
    size = max(2, int(CLICK_S * rate_hz))
    steps = np.abs(np.diff(sounds, n=2, axis=2))
    count = steps.shape[2] // size
    if count < 8:
        return np.zeros(len(sounds), bool)
    peaks = steps[..., : count * size].reshape(*steps.shape[:2], count, size).max(3)
    floor = 1e-4 * np.abs(sounds).max((1, 2))[:, None, None] + 1e-7
    before = np.stack([peaks[..., k : count - 6 + k] for k in range(0, 2)]).max(0)
    after = np.stack([peaks[..., k : count - 6 + k] for k in range(4, 6)]).max(0)
    here = np.maximum(peaks[..., 2 : count - 4], peaks[..., 3 : count - 3])
    stands_out = 20 * np.log10((here + floor) / (np.maximum(before, after) + floor))
    return _any(stands_out > CLICK_DB)


def cut_off(sounds: Sounds, rate_hz: int) -> Which:
    """The last hundredth of a second is still within 30 dB of the loudest."""
    size = max(1, int(TAIL_S * rate_hz))
    end = np.sqrt(np.square(sounds[..., -size:]).mean((1, 2)))
    count = sounds.shape[2] // size
    blocks = sounds[..., : count * size].reshape(*sounds.shape[:2], count, size)
    loudest = np.sqrt(np.square(blocks).mean((1, 3))).max(1)
    return end > loudest * 10 ** (-30 / 20) + 1e-7


def onset_s(sounds: Sounds, rate_hz: int) -> NDArray[np.floating]:
    """Time of the first sample within 30 dB of the peak, (B,)."""
    loudness = np.abs(sounds).max(1)
    return np.argmax(loudness >= loudness.max(1, keepdims=True) * 10 ** (ONSET_DB / 20), 1) / rate_hz


def late(sounds: Sounds, rate_hz: int) -> Which:
    """Begins after more than a tenth of a second."""
    return (onset_s(sounds, rate_hz) > LATE_S) & ~silent(sounds, rate_hz)


def checkerboard_db(sounds: Sounds, hop: int, period: int = 4) -> NDArray[np.floating]:
    """How far the level fluctuates every `period` hops more than at periods beside it, in dB, (B,).

    A network that draws in patches of `period` frames beats there when it draws badly (Odena et al. 2016).
    """
    spectrum = torch.stft(
        torch.from_numpy(sounds).flatten(0, 1),
        2 * hop,  # short against the beat, or it would be averaged away
        hop,
        window=torch.hann_window(2 * hop),
        pad_mode="constant",
        return_complex=True,
    )
    level = 10 * torch.log10(spectrum.abs().square() + 1e-9)
    level = (level - level.amax((1, 2), keepdim=True)).clamp_min(-70)
    frames = level.shape[2] // (2 * period) * 2 * period
    if frames < 8 * period:
        return np.zeros(len(sounds))
    beat = torch.fft.rfft(level[:, :, :frames].diff(dim=2, prepend=level[:, :, :1]), dim=2).abs().square().mean(1)
    line = frames // period
    beside = torch.cat([beat[:, line - line // 4 : line - 1], beat[:, line + 2 : line + line // 4 + 1]], 1).median(1).values
    found = 10 * torch.log10((beat[:, line] + 1e-9) / (beside + 1e-9))
    return found.reshape(len(sounds), -1).amax(1).numpy()


def floor_db(sounds: Sounds, rate_hz: int) -> NDArray[np.floating]:
    """Level of the quietest fiftieth of a second under the loudest, (B,), not under -60 dB: what noise raises."""
    size = max(1, int(FLOOR_S * rate_hz))
    count = max(1, sounds.shape[2] // size)
    blocks = sounds[..., : count * size].reshape(*sounds.shape[:2], count, -1)
    power = blocks.var(3).mean(1)  # a direct current is no noise
    return _under_db(power.min(1), power.max(1))


def lacking(real: Sounds, made: Sounds, rate_hz: int) -> tuple[float, float]:
    """The band, of 24, in which generated sounds are weakest beside the real ones: (by how many dB, its middle in Hz)."""
    edges_hz = np.geomspace(LOWEST_HZ, rate_hz / 2, BANDS + 1)
    by_db = _balance_db(real, edges_hz, rate_hz) - _balance_db(made, edges_hz, rate_hz)
    worst = int(by_db.argmax())
    return float(by_db[worst]), float(np.sqrt(edges_hz[worst] * edges_hz[worst + 1]))


def _balance_db(sounds: Sounds, edges_hz: NDArray[np.floating], rate_hz: int) -> NDArray[np.floating]:
    """Median level of each band under the loudest band of its sound, not under -60 dB, (bands,)."""
    power = np.zeros((len(sounds), len(edges_hz) - 1))
    samples = sounds.shape[2]
    edges = np.searchsorted(np.fft.rfftfreq(samples, 1 / rate_hz), edges_hz)
    for row, sound in enumerate(sounds):
        spectrum = np.square(np.abs(np.fft.rfft(sound))).sum(0)
        power[row] = [spectrum[a : max(b, a + 1)].sum() for a, b in pairwise(edges)]
    return np.asarray(np.median(_under_db(power, power.max(1, keepdims=True)), 0))


def _under_db(power: NDArray[np.floating], loudest: NDArray[np.floating]) -> NDArray[np.floating]:
    """Levels under the loudest, not under -60 dB; silence is under it."""
    return np.maximum(10 * np.log10((power + 1e-20) / (loudest + 1e-12)), INAUDIBLE_DB)


FAULTS: dict[str, Callable[[Sounds, int], Which]] = {
    "silent": silent,
    "clipped": clipped,
    "direct current": direct_current,
    "click": click,
    "cut off": cut_off,
    "late": late,
}

# What is said of sounds that have one.
FAULTY = {
    "silent": "are silent",
    "clipped": "are clipped",
    "direct current": "carry a direct current",
    "click": "have a click in them",
    "cut off": "are cut off at the end",
    "late": "begin late, after more than a tenth of a second",
}


def fault_scores(real: Sounds, made: Sounds, rate_hz: int, hop: int) -> dict[str, float]:
    """Figures `fault/…` of generated sounds (B, C, T), of real ones beside them; `hop` is the network's grid."""
    figures: dict[str, float] = {}
    for kind, sounds in (("", made), ("_real", real)):
        for name, has in FAULTS.items():
            figures[f"fault/{name.replace(' ', '_')}{kind}"] = float(_of_each(has, sounds, rate_hz).mean())
        figures |= {
            f"fault/checkerboard_db{kind}": float(np.median(_of_each(checkerboard_db, sounds, hop))),
            f"fault/level_db{kind}": float(np.median(10 * np.log10(np.square(sounds).mean((1, 2)) + 1e-12))),
            f"fault/onset_s{kind}": float(np.median(_of_each(onset_s, sounds, rate_hz))),
            f"fault/floor_db{kind}": float(np.median(_of_each(floor_db, sounds, rate_hz))),
        }
    figures["fault/blots"] = blots(real, made, rate_hz)
    figures["fault/blots_real"] = blots(real[::2], real[1::2], rate_hz)
    figures["fault/lacking_db"], figures["fault/lacking_hz"] = lacking(real, made, rate_hz)
    return figures


def _of_each(measured: Callable[[Sounds, int], NDArray[Any]], sounds: Sounds, at: int) -> NDArray[Any]:
    """A few sounds at a time: spectra of all of them are several times as large as they are."""
    return np.concatenate([measured(sounds[start : start + AT_ONCE], at) for start in range(0, len(sounds), AT_ONCE)])
