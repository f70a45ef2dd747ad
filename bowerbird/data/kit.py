"""The demo kit: drum and percussion sounds from synthesis code of ours, in classes, public domain (CC0)."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bowerbird.audio import write
from bowerbird.errors import UsageError
from bowerbird.progress import progress

__all__ = ["CLASSES", "RATE_HZ", "write_kit"]

RATE_HZ = 44100
Mono = NDArray[np.float64]
Random = np.random.Generator


def _time(seconds: float) -> Mono:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def _log(random: Random, low: float, high: float) -> float:
    """A number between two bounds, even on a logarithmic scale, as ears count."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def _decay(t: Mono, seconds: float, attack_s: float = 0.0005) -> Mono:
    """Down 60 dB after `seconds`."""
    return np.minimum(t / attack_s, 1.0) * 10 ** (-3 * t / seconds)


def _swept_sine(t: Mono, start_hz: float, end_hz: float, sweep_s: float) -> Mono:
    frequency = end_hz + (start_hz - end_hz) * np.exp(-t / sweep_s)
    return np.sin(2 * np.pi * np.cumsum(frequency) / RATE_HZ)


def _band_noise(random: Random, t: Mono, low_hz: float, high_hz: float) -> Mono:
    """Noise between two frequencies with slopes of 12 dB an octave, peak near one."""
    spectrum = np.fft.rfft(random.standard_normal(len(t)))
    f = np.maximum(np.fft.rfftfreq(len(t), 1 / RATE_HZ), 1.0)
    spectrum *= 1 / (1 + (low_hz / f) ** 2) / (1 + (f / high_hz) ** 2)
    noise = np.fft.irfft(spectrum, len(t))
    return noise / (np.abs(noise).max() + 1e-9)


def _metal(random: Random, t: Mono, base_hz: float, partials: int, spread: float) -> Mono:
    """Inharmonic square partials, as the cymbals of drum machines have."""
    ratios = np.cumprod(1 + spread * random.uniform(0.15, 0.55, partials))
    waves = [np.sign(np.sin(2 * np.pi * base_hz * r * t + random.uniform(0, 6.28))) for r in ratios if base_hz * r < 15000]
    return np.sum(waves, 0) / max(len(waves), 1)


def _drive(sound: Mono, amount: float) -> Mono:
    return np.tanh(amount * sound) / np.tanh(amount)


def _kick(random: Random) -> Mono:
    length = _log(random, 0.15, 0.9)
    t = _time(length + 0.05)
    body = _swept_sine(t, _log(random, 120, 500), _log(random, 38, 75), _log(random, 0.008, 0.06)) * _decay(t, length)
    click = _band_noise(random, t, 1000, _log(random, 2000, 9000)) * _decay(t, _log(random, 0.004, 0.03))
    return _drive(body + random.uniform(0, 0.5) * click, _log(random, 0.5, 6))


def _snare(random: Random) -> Mono:
    length = _log(random, 0.1, 0.5)
    t = _time(length + 0.05)
    tone_hz = _log(random, 140, 280)
    tone = sum(_swept_sine(t, tone_hz * r * 1.5, tone_hz * r, 0.01) for r in (1.0, random.uniform(1.5, 1.9)))
    wires = _band_noise(random, t, _log(random, 800, 3500), _log(random, 6000, 14000)) * _decay(t, length)
    tone = tone * _decay(t, _log(random, 0.05, 0.25)) * random.uniform(0.1, 0.6)
    return _drive(tone + wires, _log(random, 0.5, 3))


def _clap(random: Random) -> Mono:
    length = _log(random, 0.12, 0.5)
    t = _time(length + 0.08)
    low_hz = _log(random, 600, 1200)
    noise = _band_noise(random, t, low_hz, low_hz * random.uniform(1.6, 4))
    gap_s, hands = random.uniform(0.007, 0.014), int(random.integers(2, 5))
    envelope = np.zeros_like(t)
    for hand in range(hands):
        after = t - hand * gap_s
        envelope = np.maximum(envelope, np.where(after >= 0, _decay(np.maximum(after, 0), 0.03), 0))
    after = t - hands * gap_s
    envelope = np.maximum(envelope, np.where(after >= 0, _decay(np.maximum(after, 0), length), 0))
    return noise * envelope


def _hat(random: Random, length: float) -> Mono:
    t = _time(length + 0.02)
    metal = _metal(random, t, _log(random, 250, 600), 8, random.uniform(0.7, 1.3))
    noise = _band_noise(random, t, _log(random, 5000, 9000), 16000)
    mixed = np.convolve(metal, [1, -1.6, 0.7], "same") * random.uniform(0.1, 0.5) + noise
    return mixed * _decay(t, length)


def _closed_hat(random: Random) -> Mono:
    return _hat(random, _log(random, 0.03, 0.13))


def _open_hat(random: Random) -> Mono:
    return _hat(random, _log(random, 0.3, 0.9))


def _tom(random: Random) -> Mono:
    length, pitch_hz = _log(random, 0.2, 0.8), _log(random, 75, 260)
    t = _time(length + 0.05)
    body = _swept_sine(t, pitch_hz * random.uniform(1.2, 2), pitch_hz, _log(random, 0.02, 0.1)) * _decay(t, length)
    skin = _swept_sine(t, pitch_hz * 2, pitch_hz * 1.6, 0.03) * _decay(t, length / 3) * random.uniform(0, 0.4)
    stick = _band_noise(random, t, 400, 4000) * _decay(t, 0.03) * random.uniform(0.05, 0.4)
    return _drive(body + skin + stick, _log(random, 0.5, 3))


def _cymbal(random: Random) -> Mono:
    length = _log(random, 0.8, 1.4)
    t = _time(length)
    metal = _metal(random, t, _log(random, 180, 420), 14, random.uniform(0.4, 0.9))
    metal = np.convolve(metal, [1, -1.5, 0.6], "same") * _decay(t, length * random.uniform(0.6, 1.2), 0.002)
    crash = _band_noise(random, t, _log(random, 2500, 6000), 15000) * _decay(t, length * random.uniform(0.5, 1.0), 0.002)
    return metal * random.uniform(0.2, 0.8) + crash


def _perc(random: Random) -> Mono:
    """Wood blocks, cowbells, rims, shakers: short and pitched, metallic or noisy."""
    length = _log(random, 0.05, 0.4)
    t = _time(length + 0.03)
    pitch_hz = _log(random, 350, 2500)
    kind = random.integers(3)
    if kind == 0:
        modes = [(1.0, 1.0), (random.uniform(2.4, 2.9), 0.5), (random.uniform(4.5, 5.5), 0.2)]
        waves = [level * np.sin(2 * np.pi * pitch_hz * r * t) * _decay(t, length / r**0.5) for r, level in modes]
        return np.asarray(np.sum(waves, 0))
    if kind == 1:
        pair = np.sign(np.sin(2 * np.pi * pitch_hz * t)) + np.sign(
            np.sin(2 * np.pi * pitch_hz * random.uniform(1.4, 1.6) * t)
        )
        return np.convolve(pair, np.ones(6) / 6, "same") * _decay(t, length)
    return _band_noise(random, t, pitch_hz * 2, pitch_hz * 4) * _decay(t, length, random.uniform(0.002, 0.03))


CLASSES: dict[str, Callable[[Random], Mono]] = {
    "clap": _clap,
    "closed_hat": _closed_hat,
    "cymbal": _cymbal,
    "kick": _kick,
    "open_hat": _open_hat,
    "perc": _perc,
    "snare": _snare,
    "tom": _tom,
}


def write_kit(folder: Path, count: int, seed: int = 0, *, quiet: bool = False) -> list[str]:
    """Writes `count` sounds of each class as folder/CLASS/CLASS_000.wav; returns the classes.

    The same seed writes the same kit. UsageError where the folder holds something already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty; choose a new folder for the kit")
    with progress("synthesising", len(CLASSES) * count, quiet=quiet) as advance:
        for number, (name, synthesise) in enumerate(CLASSES.items()):
            for index in range(count):
                random = np.random.default_rng([seed, number, index])
                sound = synthesise(random)
                sound[-int(0.01 * RATE_HZ) :] *= np.linspace(1, 0, int(0.01 * RATE_HZ))
                level = 10 ** (-random.uniform(0.5, 9) / 20)
                sound *= level / np.abs(sound).max()
                write(folder / name / f"{name}_{index:03d}.wav", sound[None].astype(np.float32), RATE_HZ)
                advance(number * count + index + 1)
    return list(CLASSES)
