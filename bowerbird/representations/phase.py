"""Phases for magnitudes: an estimate from the magnitudes themselves, polished by fast Griffin-Lim."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from bowerbird.representations.stft import frames_of, overlap_add

__all__ = ["griffin_lim", "phase_from_magnitude"]

HANN_GAMMA = 0.25645  # a Hann window of N samples is close to exp(-pi t^2 / (HANN_GAMMA N^2)) (Prusa et al. 2017)


def phase_from_magnitude(magnitude: Tensor, hop: int) -> Tensor:
    """Phase estimate in radians for magnitudes (B, F, L) of a centred Hann STFT with N = 2 (F - 1).

    Prusa, Balazs & Sondergaard 2017, eq. 9: across frequency, the slope of the log magnitude gives the instantaneous
    frequency. We differ: it is summed along time alone (no heap), which is one cumulative sum for a whole batch and
    halves the Griffin-Lim steps that reach a given error (docs/log.md).
    """
    rows = magnitude.shape[1]
    n_fft = 2 * (rows - 1)
    log_magnitude = torch.log(magnitude + 1e-6)
    slope = functional.pad((log_magnitude[:, 2:] - log_magnitude[:, :-2]) / 2, (0, 0, 1, 1))
    bins = torch.arange(rows, device=magnitude.device, dtype=magnitude.dtype)[None, :, None]
    advance = (2 * math.pi * hop / n_fft) * bins + (hop / (HANN_GAMMA * n_fft)) * slope  # radians per hop
    between = (advance[:, :, 1:] + advance[:, :, :-1]) / 2
    return functional.pad(between.cumsum(2), (1, 0))


def griffin_lim(magnitude: Tensor, hop: int, samples: int, iterations: int, momentum: float = 0.99) -> Tensor:
    """Sounds (B, T) whose Hann STFT magnitudes approach `magnitude` (B, F, L), with T = samples.

    Perraudin, Balazs & Sondergaard 2013, algorithm 2 ("fast Griffin-Lim"), started from `phase_from_magnitude`.
    """
    n_fft = 2 * (magnitude.shape[1] - 1)
    padded = (magnitude.shape[2] - 1) * hop
    window = torch.hann_window(n_fft, device=magnitude.device)
    ones = window.square().expand(1, magnitude.shape[2], -1)
    envelope = overlap_add(ones, hop, padded).clamp_min(1e-3)
    target = magnitude.transpose(1, 2).contiguous()  # frames outermost: every FFT reads one run of memory
    current = torch.polar(target, phase_from_magnitude(magnitude, hop).transpose(1, 2).contiguous())
    previous: Tensor | None = None
    sound = magnitude.new_zeros(0)
    for iteration in range(iterations + 1):
        sound = overlap_add(torch.fft.irfft(current, n_fft) * window, hop, padded) / envelope
        if iteration == iterations:
            break
        projected = torch.fft.rfft(frames_of(sound, window, hop))
        moved = projected if previous is None else projected + momentum * (projected - previous)
        previous = projected
        current = moved * (target / (moved.abs() + 1e-8))
    return sound[:, :samples]
