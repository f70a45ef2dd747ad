"""The short-time Fourier transform and its inverse, centred, with a Hann window: the same frames in every representation."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.errors import UsageError

__all__ = ["analyse", "check_hop", "frames_for", "frames_of", "overlap_add", "synthesise", "window_for"]

FRAME_MULTIPLE = 16  # networks halve a picture a few times
WINDOW_S = 0.025  # 1024 samples at 44.1 kHz: a drum's attack stays sharp and 128 bands cost 3 % of nearness
MOST_FRAMES = 640


def window_for(sample_rate_hz: int, samples: int, *, steady_s: float | None = None, overlap: int = 4) -> int:
    """Samples of a window near 25 ms, or near `steady_s` but at most a quarter of the sound, for at most 640 frames."""
    n_fft = 2 ** round(math.log2(sample_rate_hz * WINDOW_S))
    if steady_s is not None:
        steady = 2 ** round(math.log2(sample_rate_hz * steady_s))
        n_fft = max(n_fft, min(steady, 2 ** int(math.log2(max(samples / 4, 1)))))
    while samples / (n_fft // overlap) > MOST_FRAMES:
        n_fft *= 2
    return n_fft


def check_hop(n_fft: int, hop: int, overlap: int) -> None:
    """UsageError where frames do not overlap evenly."""
    if hop < 1 or n_fft % hop or n_fft < overlap * hop:
        raise UsageError(f"representation.hop={hop} does not fit: it divides n_fft={n_fft} at least {overlap} times")


def frames_for(samples: int, hop: int) -> int:
    """Frames that hold a sound whole, as many as networks can draw."""
    return -(-(-(-samples // hop) + 1) // FRAME_MULTIPLE) * FRAME_MULTIPLE


def analyse(sounds: Tensor, n_fft: int, hop: int, frames: int) -> Tensor:
    """Sounds (B, T) -> complex spectrum (B, n_fft / 2 + 1, L), L = `frames`; silence follows a shorter sound."""
    padded = functional.pad(sounds, (0, (frames - 1) * hop - sounds.shape[1]))
    window = torch.hann_window(n_fft, device=sounds.device)
    return torch.stft(padded, n_fft, hop, window=window, center=True, pad_mode="constant", return_complex=True)


def synthesise(spectrum: Tensor, hop: int, samples: int) -> Tensor:
    """Complex spectrum (B, F, L) -> sounds (B, T), T = samples: least squares (Griffin & Lim 1984, eq. 6)."""
    n_fft, frames = 2 * (spectrum.shape[1] - 1), spectrum.shape[2]
    window = torch.hann_window(n_fft, device=spectrum.device)
    padded = (frames - 1) * hop
    envelope = overlap_add(window.square().expand(1, frames, -1), hop, padded).clamp_min(1e-3)
    parts = torch.fft.irfft(spectrum.transpose(1, 2), n_fft) * window
    return (overlap_add(parts, hop, padded) / envelope)[:, :samples]


def frames_of(sound: Tensor, window: Tensor, hop: int) -> Tensor:
    """(B, T) -> windowed frames (B, L, N), centred as in `analyse`."""
    half = len(window) // 2
    return functional.pad(sound, (half, half)).unfold(1, len(window), hop) * window


def overlap_add(frames: Tensor, hop: int, samples: int) -> Tensor:
    """Windowed frames (B, L, N) -> (B, T) with T = samples."""
    batch, count, n_fft = frames.shape
    # N / hop shifted sums of contiguous blocks: no scatter, which is slow.
    blocks = frames.reshape(batch, count, n_fft // hop, hop)
    total = frames.new_zeros(batch, count + n_fft // hop - 1, hop)
    for shift in range(n_fft // hop):
        total[:, shift : shift + count] += blocks[:, :, shift]
    return total.flatten(1)[:, n_fft // 2 : n_fft // 2 + samples]
