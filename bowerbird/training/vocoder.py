"""Teaches a representation's decoder, where it has one, on the sounds of a dataset; before the adversarial training."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from bowerbird.data.dataset import Dataset
from bowerbird.instrument_file import read_tensors, write_tensors
from bowerbird.progress import progress
from bowerbird.representations.vocoder import Vocoded
from bowerbird.seeds import numpy_random

__all__ = ["learn", "learnt"]

CROP_FRAMES, BATCH = 64, 16
LEARNING_RATE = 2e-3
FLOOR = 1e-4  # of a crop's loudest cell: 80 dB


def learnt(representation: Vocoded, dataset: Dataset, path: Path, seed: int, *, quiet: bool) -> None:
    """Takes the decoder's weights from `path`, or learns them and writes them there."""
    if path.is_file():
        representation.decoder.load_state_dict(read_tensors(path, "decoder")[0])
        return
    learn(representation, dataset, seed, quiet=quiet)
    write_tensors(path, dict(representation.decoder.state_dict()), {"what": "decoder"})


def learn(representation: Vocoded, dataset: Dataset, seed: int, *, quiet: bool) -> None:
    """Trains the decoder in place: real pictures must come out as sounds with the real spectra.

    Multi-resolution STFT loss (Yamamoto et al. 2020, eq. 4 to 6), on crops, without their edges.
    """
    decoder, hop, edge = representation.decoder, representation.hop, representation.n_fft // 2
    decoder.requires_grad_(True)
    optimiser = torch.optim.AdamW(decoder.parameters(), LEARNING_RATE, (0.8, 0.99))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, representation.lessons)
    indices = dataset.part("train")
    with progress("learning phases", representation.lessons, quiet=quiet) as advance:
        for lesson in range(representation.lessons):
            random = numpy_random(seed, "vocoder", lesson)
            chosen = [indices[position] for position in random.integers(len(indices), size=BATCH)]
            sounds = torch.from_numpy(dataset.padded(chosen))
            pictures = representation.encode(sounds).flatten(0, 1)
            sounds = functional.pad(sounds.flatten(0, 1), (0, pictures.shape[2] * hop - sounds.shape[2]))
            frames = min(CROP_FRAMES, pictures.shape[2])
            lengths = [dataset.entries[index]["samples"] // hop for index in chosen for _ in range(dataset.channels)]
            starts = [int(random.integers(max(1, min(length, pictures.shape[2]) - frames + 1))) for length in lengths]
            crops = torch.stack([picture[:, s : s + frames] for picture, s in zip(pictures, starts, strict=True)])
            real = torch.stack([sound[s * hop : (s + frames - 1) * hop] for sound, s in zip(sounds, starts, strict=True)])
            made = representation.voice(crops)
            loss = _unlike(real[:, edge:-edge], made[:, edge:-edge], representation.n_fft)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(decoder.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            advance(lesson + 1, f"loss {loss.item():.2f}" if lesson % 25 == 0 else "")
    decoder.requires_grad_(False)


def _unlike(real: Tensor, made: Tensor, n_fft: int) -> Tensor:
    """Sounds (B, T), (B, T) -> spectral convergence plus difference of log magnitudes, over three window lengths."""
    total = real.new_zeros(())
    for size in (n_fft // 4, n_fft // 2, min(n_fft, real.shape[1])):  # sounds may be shorter than a window
        window = torch.hann_window(size)
        a, b = (torch.stft(x, size, size // 4, window=window, center=False, return_complex=True).abs() for x in (real, made))
        floor = FLOOR * a.amax((1, 2), keepdim=True) + 1e-7
        convergence = (a - b).flatten(1).norm(dim=1) / (a.flatten(1).norm(dim=1) + 1e-5)
        total = total + convergence.mean() + ((a + floor).log() - (b + floor).log()).abs().mean()
    return total
