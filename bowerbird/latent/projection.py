"""Finds a real sound in the space: the place whose sound is nearest to it, to start from there."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bowerbird.audio import UnreadableSound, fit_channels, read, resample
from bowerbird.errors import BowerbirdError, UsageError
from bowerbird.latent.space import Space, Spot
from bowerbird.progress import progress

__all__ = ["Nearest", "fitted", "nearest", "pictured", "project"]

POOLED = (1, 4, 16)  # cells averaged over so many rows and frames: fine detail that does not fit hides what does
POOL, AT_ONCE = 512, 16
ROUNDS = ((20, 25), (8, 30), (3, 60))  # places kept, and steps for each of them: what falls behind is given up
RATE = 0.08
HEARD_DB = -60.0
LIKELY = 0.95  # share of the instrument's sounds that are as loud at most, and of those at least


@dataclass(frozen=True)
class Nearest:
    """A place, how far its picture is from the sound's, and how far those of the places it was chosen from are (B,)."""

    spot: Spot
    distance: float
    random: NDArray[np.floating]


def fitted(space: Space, path: Path) -> NDArray[np.float32]:
    """The sound of a file (C, T) as the instrument would hold it: its rate, channels and length, silence before it cut."""
    form = space.instrument.model.representation
    if not path.is_file():
        raise UsageError(f"there is no sound at {path}")
    try:
        sound, rate_hz = read(path)
    except UnreadableSound as reason:
        raise BowerbirdError(f"{path}: {reason}; give another file or convert it") from None
    sound = fit_channels(resample(sound, rate_hz, form.sample_rate_hz), form.channels)
    peak = float(np.abs(sound).max())
    if peak < 1e-4:
        raise UsageError(f"{path} is silent; give a sound")
    start = int(np.argmax(np.abs(sound).max(0) > peak * 10 ** (HEARD_DB / 20)))
    sound = sound[:, start : start + form.samples]
    return np.pad(sound, ((0, 0), (0, form.samples - sound.shape[1])))


def pictured(space: Space, sound: NDArray[np.float32]) -> NDArray[np.float32]:
    """The log levels (C, F, L) of such a sound (C, T), for people."""
    form = space.instrument.model.representation
    return form.levels(form.encode(torch.from_numpy(sound)[None]))[0].numpy()


def _distance(levels: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute difference of log levels (B, C, F, L) on several scales, in parts of their range: (B,)."""
    apart = []
    for size in POOLED:
        pool = min(size, wanted.shape[2]), min(size, wanted.shape[3])
        apart.append((functional.avg_pool2d(levels, pool) - functional.avg_pool2d(wanted, pool)).abs().mean((1, 2, 3)))
    return torch.stack(apart).mean(0)


def project(
    space: Space, sound: NDArray[np.float32], asked: dict[str, str] | None = None, seed: int = 0, *, quiet: bool = False
) -> Nearest:
    """The place whose sound is nearest to a sound (C, T) of the instrument's length.

    Of POOL random places, with the labels `asked` or any, the nearest are led towards it by gradients, fewer and fewer of
    them. A sound much quieter or louder than the instrument's is brought to their level.
    """
    form = space.instrument.model.representation
    spots = [space.spot(seed + number, asked) for number in range(POOL)]
    with torch.inference_mode():
        wanted = form.levels(form.encode(torch.from_numpy(sound)[None])).float()
        levels = torch.cat([form.levels(_drawn(space, spots[k : k + AT_ONCE])) for k in range(0, POOL, AT_ONCE)])
        loudest = levels.amax((1, 2, 3))
        louder = wanted.max().clamp(loudest.quantile(1 - LIKELY), loudest.quantile(LIKELY)) - wanted.max()
        wanted = torch.where(wanted > -1, wanted + louder, wanted).clamp(-1, 1)
        random = _distance(levels, wanted)
    kept = [spots[k] for k in random.argsort()[: ROUNDS[0][0]].tolist()]
    total, done = sum(count * steps for count, steps in ROUNDS), 0
    best = Nearest(kept[0], float(random.min()), random.numpy())
    with progress("finding", total, quiet=quiet) as advance:
        for count, steps in ROUNDS:
            kept = kept[:count]
            z = torch.stack([spot.z for spot in kept]).to(space.instrument.device).requires_grad_()
            optimiser = torch.optim.Adam([z], RATE)
            for step in range(steps):
                optimiser.param_groups[0]["lr"] = RATE * min(1.0, 2 * (1 - step / steps))
                apart = _distance(form.levels(_drawn(space, kept, z)), wanted)
                now = apart.detach()
                row = int(now.argmin())
                if float(now[row]) < best.distance:
                    best = replace(best, spot=replace(kept[row], z=z[row].detach().cpu().clone()), distance=float(now[row]))
                optimiser.zero_grad()
                apart.sum().backward()
                optimiser.step()
                done += len(kept)
                advance(done, f"distance {best.distance:.3f}, of random places {random.min():.3f}")
            order = apart.argsort().tolist()
            kept = [replace(kept[row], z=z[row].detach().cpu()) for row in order]
    return best


def _drawn(space: Space, spots: list[Spot], z: Tensor | None = None) -> Tensor:
    """Pictures at several places, (B, K, F, L), that gradients go through where `z` (B, Z) is given."""
    device = space.instrument.device
    z = torch.stack([spot.z for spot in spots]).to(device) if z is None else z
    code = space.generator.code(torch.stack([spot.condition for spot in spots]).to(device))
    return space.generator(z, code).float().cpu()


def nearest(
    space: Space, sound: NDArray[np.float32], batches: Iterable[NDArray[np.float32]], count: int
) -> list[tuple[int, float]]:
    """Of sounds in batches (B, C, T) the `count` nearest to one (C, T): their positions and distances, the nearest first."""
    form = space.instrument.model.representation
    with torch.inference_mode():
        wanted = form.levels(form.encode(torch.from_numpy(sound)[None])).float()
        apart = [_distance(form.levels(form.encode(torch.from_numpy(batch))).float(), wanted) for batch in batches]
    found = torch.cat(apart)
    return [(int(row), float(found[row])) for row in found.argsort()[:count]]
