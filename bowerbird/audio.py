"""Sound files in and out, at any rate, depth and channel count."""

import os
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from bowerbird.errors import BowerbirdError, way_out

__all__ = ["SUFFIXES", "UnreadableSound", "describe_file", "file_stem", "fit_channels", "read", "resample", "write"]

Sound = NDArray[np.float32]  # (C, T)

SUFFIXES = {".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".caf", ".m4a", ".aac"}
SUFFIXES |= {".mp4", ".wma"}
NEEDS_AV = {".m4a", ".aac", ".mp4", ".wma"}
FULL_SCALE = 1.0


class UnreadableSound(BowerbirdError):
    """A file that holds no usable sound; the text is the reason alone."""


def describe_file(path: Path) -> tuple[int, int, float]:
    """(rate in Hz, channels, seconds) from the file's header; UnreadableSound says why not."""
    if path.suffix.lower() in NEEDS_AV:
        sound, rate = read(path)  # headers of m4a do not tell reliably
        return rate, sound.shape[0], sound.shape[1] / rate
    try:
        info = soundfile.info(os.fsencode(path))
    except (soundfile.SoundFileError, OSError, ValueError) as error:
        raise UnreadableSound(_reason(error)) from None
    if info.frames <= 0:
        raise UnreadableSound("no samples in it")
    return info.samplerate, info.channels, info.frames / info.samplerate


def _reason(error: Exception) -> str:
    return f"not readable ({str(error).split(': ', 1)[-1].rstrip('.')})"


def file_stem(label: str) -> str:
    """A label as a part of a file name on any system."""
    name = "".join("-" if c in '/\\:*?"<>|' or ord(c) < 32 else c for c in label).strip(" .")
    return name.encode()[:80].decode(errors="ignore") or "sound"


def read(path: Path) -> tuple[Sound, int]:
    """The sound (C, T) and its rate in Hz; UnreadableSound says why not."""
    if path.suffix.lower() in NEEDS_AV:
        sound, rate = _read_av(path)
    else:
        try:
            # As bytes: names from old archives need not be UTF-8.
            frames, rate = soundfile.read(os.fsencode(path), dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError, ValueError) as error:
            raise UnreadableSound(_reason(error)) from None
        sound = np.ascontiguousarray(frames.T)
    if sound.shape[1] == 0:
        raise UnreadableSound("no samples in it")
    if not np.isfinite(sound).all():
        raise UnreadableSound("contains NaN or infinity")
    return sound, rate


def _read_av(path: Path) -> tuple[Sound, int]:
    try:
        import av
    except ImportError:
        raise UnreadableSound('m4a, aac and wma need PyAV: pip install "bowerbird[m4a]"') from None
    try:
        with av.open(str(path)) as container:
            rate = container.streams.audio[0].rate
            resampler = av.AudioResampler(format="fltp")
            blocks = [out.to_ndarray() for frame in [*container.decode(audio=0), None] for out in resampler.resample(frame)]
    except (av.error.FFmpegError, IndexError, OSError) as error:
        raise UnreadableSound(f"not readable ({error})") from None
    return (np.concatenate(blocks, 1) if blocks else np.zeros((1, 0), np.float32)), rate


def resample(sound: Sound, from_hz: int, to_hz: int) -> Sound:
    """(C, T) at one rate -> (C, T') at another, by soxr's high quality."""
    if from_hz == to_hz:
        return sound
    return np.ascontiguousarray(soxr.resample(sound.T, from_hz, to_hz).T, dtype=np.float32)


def fit_channels(sound: Sound, channels: int) -> Sound:
    """(C, T) -> (channels, T): averaged to mono, mono doubled to stereo, more than two averaged first."""
    if sound.shape[0] == channels:
        return sound
    return np.repeat(sound.mean(0, keepdims=True), channels, 0)


def write(path: Path, sound: Sound, sample_rate_hz: int) -> None:
    """Writes (C, T) as a 24-bit WAV; what exceeds full scale is scaled down as a whole rather than clipped."""
    peak = float(np.abs(sound).max(initial=0.0))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, (sound / max(peak, FULL_SCALE)).T, sample_rate_hz, subtype="PCM_24", format="WAV")
    except (OSError, soundfile.SoundFileError) as error:
        raise BowerbirdError(f"cannot write {path}: {error}; {way_out(error)}") from None
