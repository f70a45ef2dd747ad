"""The short-time Fourier transform and its inverse, centred, with a Hann window: the same frames in every representation."""

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["analyse", "frames_for", "frames_of", "overlap_add", "synthesise"]

FRAME_MULTIPLE = 16  # networks halve a picture a few times


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
