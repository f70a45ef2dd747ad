"""One sound file -> clean pieces of the dataset's rate, channels and length, with what was noticed on the way."""

import hashlib
import struct
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bowerbird.audio import Sound, UnreadableSound, fit_channels, read, resample

__all__ = ["CleanOptions", "Piece", "clean"]

SILENT_PEAK = 10 ** (-80 / 20)
OVERLOUD_PEAK = 10 ** (18 / 20)  # floating-point files over this hold integers, or a mistake
TRIM_DB = 60.0  # under the file's own peak: a decaying tail stays, room silence goes
PRE_ROLL_S, POST_ROLL_S = 0.002, 0.02
FADE_IN_S, FADE_OUT_S = 0.001, 0.02
SIGNATURE_BANDS, SIGNATURE_FRAMES = 20, 16


@dataclass(frozen=True)
class CleanOptions:
    """What every sound is made into."""

    sample_rate_hz: int
    channels: int
    samples: int  # longest piece
    slices: str  # "start": the first piece only, "even": all of them
    level: str  # "keep" or "peak" (every file's peak to -1 dBFS)
    trim: bool


@dataclass(frozen=True)
class Piece:
    """One sound of the dataset."""

    sound: Sound  # (C, T)
    start_s: float  # in the file, after trimming
    peak_db: float
    rms_db: float
    clipped: int  # samples in runs at full scale
    digest: str  # of the samples
    signature: NDArray[np.float32]  # time-frequency shape regardless of level, for near-duplicates
    notes: list[str] = field(default_factory=list)


def clean(path: Path, options: CleanOptions) -> list[Piece]:
    """The pieces of one file; UnreadableSound (the reason alone) where there is nothing usable in it."""
    sound, rate = read(path)
    notes = ["truncated, used what is left"] if _wav_is_cut(path) else []
    if np.abs(sound).max() < SILENT_PEAK:
        raise UnreadableSound("silent")
    sound = fit_channels(sound, options.channels)
    if np.abs(sound).max() < SILENT_PEAK:
        raise UnreadableSound("silent when mixed to mono (its channels cancel out)")
    if np.abs(sound).max() > OVERLOUD_PEAK:
        notes.append("far over full scale, scaled down to it")
        sound = sound / np.abs(sound).max()
    clipped = _clipped(sound)
    sound = resample(sound, rate, options.sample_rate_hz)
    if not sound.size or np.abs(sound).max() < SILENT_PEAK:
        raise UnreadableSound(f"nothing left at {options.sample_rate_hz} Hz")
    if options.trim:
        sound = _trimmed(sound, options.sample_rate_hz)
    if options.level == "peak":
        sound = sound * (10 ** (-1 / 20) / np.abs(sound).max())
    count = -(-sound.shape[1] // options.samples)
    if options.slices == "start" and count > 1:
        notes.append(f"cut to the first {options.samples / options.sample_rate_hz:g} s")
        count = 1
    if count > 1 and sound.shape[1] - (count - 1) * options.samples < options.samples / 2:
        notes.append("last piece, shorter than half a length, left out")
        count -= 1
    pieces = []
    for index in range(count):
        start = index * options.samples
        part = np.array(sound[:, start : start + options.samples])
        if np.abs(part).max() < SILENT_PEAK:
            continue
        if start:
            _fade_in(part, options.sample_rate_hz)
        if start + options.samples < sound.shape[1]:
            _fade_out(part, options.sample_rate_hz)
        pieces.append(_described(part, start / options.sample_rate_hz, clipped, options, notes))
    if not pieces:
        raise UnreadableSound(f"its first {options.samples / options.sample_rate_hz:g} s are silent")
    return pieces


def _described(part: Sound, start_s: float, clipped: int, options: CleanOptions, notes: list[str]) -> Piece:
    return Piece(
        part,
        round(start_s, 3),
        round(20 * float(np.log10(np.abs(part).max())), 2),
        round(10 * float(np.log10(np.square(part).mean() + 1e-20)), 2),
        clipped,
        hashlib.sha256(part.tobytes()).hexdigest()[:16],
        _signature(part, options),
        notes,
    )


def _wav_is_cut(path: Path) -> bool:
    """Whether a WAV file promises more bytes than it has: libsndfile reads the rest without a word."""
    if path.suffix.lower() != ".wav":
        return False
    with path.open("rb") as file:
        head = file.read(8)
    if len(head) < 8 or head[:4] != b"RIFF":
        return False
    size = struct.unpack("<I", head[4:])[0]
    # Streaming writers leave 0 or the largest number there: that promises nothing.
    return 0 < size < 0x7FFFFFFF and size + 8 > path.stat().st_size + 1


def _clipped(sound: Sound) -> int:
    """Samples that stand at full scale three or more in a row."""
    full = np.abs(sound) >= 0.999
    if not full.any():
        return 0
    runs = full[:, 2:] & full[:, 1:-1] & full[:, :-2]
    return int(runs.sum())


def _trimmed(sound: Sound, rate: int) -> Sound:
    """Without the silence at both ends; a short fade where something was cut."""
    loudness = np.abs(sound).max(0)
    loud = np.flatnonzero(loudness > loudness.max() * 10 ** (-TRIM_DB / 20))
    first = max(0, int(loud[0]) - int(PRE_ROLL_S * rate))
    last = min(sound.shape[1], int(loud[-1]) + 1 + int(POST_ROLL_S * rate))
    trimmed = np.array(sound[:, first:last])
    if first:
        _fade_in(trimmed, rate)
    if last < sound.shape[1]:
        _fade_out(trimmed, rate)
    return trimmed


def _fade_in(sound: Sound, rate: int) -> None:
    count = min(int(FADE_IN_S * rate), sound.shape[1])
    sound[:, :count] *= np.linspace(0, 1, count, endpoint=False, dtype=np.float32)


def _fade_out(sound: Sound, rate: int) -> None:
    count = min(int(FADE_OUT_S * rate), sound.shape[1])
    sound[:, sound.shape[1] - count :] *= np.linspace(1, 0, count, dtype=np.float32)


@cache
def _signature_grid(rate_hz: int, samples: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """Sample numbers of the frames (frames, size), first bins of the bands, and the window."""
    size = max(16, int(0.012 * rate_hz))
    starts = np.concatenate([[0], np.geomspace(size / 2, samples, SIGNATURE_FRAMES - 1)]).astype(int)
    edges = np.unique(np.geomspace(1, size // 2 + 1, SIGNATURE_BANDS + 1).astype(int))[:-1]
    return starts[:, None] + np.arange(size), edges, np.hanning(size).astype(np.float32)


def _signature(sound: Sound, options: CleanOptions) -> NDArray[np.float32]:
    """Band levels over time in dB under the loudest, floored at -60; times lie denser at the attack."""
    cells, edges, window = _signature_grid(options.sample_rate_hz, options.samples)
    mono = np.zeros(options.samples + len(window), np.float32)
    mono[: sound.shape[1]] = sound[0] if len(sound) == 1 else sound.mean(0)
    power = np.square(np.abs(np.fft.rfft(mono[cells] * window, axis=1)))
    level_db = 10 * np.log10(np.add.reduceat(power, edges, axis=1) + 1e-12)
    return np.maximum(level_db - level_db.max(), -60.0).astype(np.float32).ravel()
