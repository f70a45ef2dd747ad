"""Finds directions: principal components of what a layer says (GANSpace, Härkönen et al. 2020), or of its weights.

Labels move a layer too. Unless wanted, what they tell is taken out first: a direction changes a sound and not its label.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from bowerbird.errors import UsageError, known
from bowerbird.latent.basis import Basis
from bowerbird.latent.layers import activations, check_stage
from bowerbird.latent.space import Space
from bowerbird.networks.mixture import Mixture
from bowerbird.progress import progress
from bowerbird.seeds import numpy_random, torch_random

__all__ = ["ESTIMATORS", "OVER", "find_directions", "samples_of", "told_by_labels"]

OVER = ("latent", "labels", "both")  # what is let vary
AT_ONCE = 256
FIRST = 4096  # samples that tell what labels say, and the range of each direction
MOST_AT_ONCE = 400_000_000  # numbers held in memory by estimators that want all samples
SHRINK = 1.0
PLACED = 64  # components that are found however few are asked for: sliders read off them where a sound is

Batches = Callable[[], Iterator[NDArray[np.float32]]]


def samples_of(space: Space, stage: str, count: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Encoded labels (B, N), as often as in the data, and what the stage says of them and chance (B, D), in batches."""
    model, generator, device = space.instrument.model, space.generator, space.instrument.device
    names = [condition.name for condition in model.conditions]
    rows = [dict(zip(names, row, strict=True)) for row in model.joint.rows] or [{}]
    weights = np.array(model.joint.counts or [1.0], float)
    encoded = torch.cat([model.encode(rows[start : start + AT_ONCE]) for start in range(0, len(rows), AT_ONCE)])
    for start in range(0, count, AT_ONCE):
        size = min(AT_ONCE, count - start)
        drawn = numpy_random(seed, "directions", start).choice(len(rows), size=size, p=weights / weights.sum())
        z = torch.randn(size, model.network.z_dim, generator=torch_random(seed, "directions", start))
        with torch.inference_mode():
            code = generator.code(encoded[drawn].to(device))
            yield encoded[drawn], activations(generator, stage, z.to(device), code).cpu()


def find_directions(
    space: Space,
    stage: str,
    *,
    samples: int = 8192,
    estimator: str = "randomised",
    components: int = 64,
    over: str = "latent",
    seed: int = 0,
    quiet: bool = False,
) -> Basis:
    """The first `components` directions of a stage, with the range of each in the data.

    UsageError for a stage, an estimator or a kind of variation that is not there, for more components than samples, and
    where the stage says the same of every sound.
    """
    check_stage(space.generator, stage)
    if estimator not in ESTIMATORS:
        raise UsageError(f'there is no estimator "{estimator}"; {known(ESTIMATORS)}')
    if over not in OVER:
        raise UsageError(f'directions vary over {", ".join(OVER)}, not "{over}"')
    labels, first = map(torch.cat, zip(*samples_of(space, stage, min(samples, FIRST), seed), strict=True))
    if not 1 <= components <= min(samples - 1, first.shape[1]):
        raise UsageError(
            f"{components} components cannot be told from {samples} samples of {first.shape[1]} values; take at most "
            f"{min(samples - 1, first.shape[1])}"
        )
    mean = first.mean(0)
    told = told_by_labels(labels, first)

    def varied(encoded: Tensor, said: Tensor) -> NDArray[np.float32]:
        if over == "labels":
            return told(encoded).numpy()
        return (said - mean - told(encoded) if over == "latent" else said - mean).numpy()

    spread = varied(labels, first)
    if not spread.var(0).sum() > 1e-12 * max(float(first.square().mean()), 1e-12):
        raise UsageError(
            f"{stage} says the same of every sound when only the {over} vary; take another layer or --over both"
        )
    began = time.monotonic()

    def batches() -> Iterator[NDArray[np.float32]]:
        with progress("directions", samples, quiet=quiet) as advance:
            done = 0
            for encoded, said in samples_of(space, stage, samples, seed):
                yield varied(encoded, said)
                done += len(said)
                advance(done, f"{done / max(time.monotonic() - began, 1e-9):.0f} samples/s")

    least = min(PLACED, samples - 1, first.shape[1])
    vectors, explained = ESTIMATORS[estimator](space, stage, batches, samples, max(components, least))
    found = torch.linalg.qr(torch.from_numpy(vectors.astype(np.float64)).T).Q.T  # orthonormal to the last bit
    along = torch.from_numpy(spread).double() @ found.T
    sign = torch.where(along.pow(3).mean(0) < 0, -1.0, 1.0)  # which way is up is chance: the longer tail
    found, along = found * sign[:, None], along * sign
    sigma = along.std(0).clamp_min(1e-9)
    low, high = (torch.quantile(along / sigma, q, 0).tolist() for q in (0.01, 0.99))
    facts: dict[str, Any] = {
        "samples": samples,
        "estimator": estimator,
        "over": over,
        "seed": seed,
        "seconds": round(time.monotonic() - began, 2),
        "explained": [round(float(share), 6) for share in explained[:components]],
        "low": [round(value, 3) for value in low[:components]],
        "high": [round(value, 3) for value in high[:components]],
    }
    return Basis(stage, mean, found.float(), sigma.float(), {}, facts)


def told_by_labels(labels: Tensor, values: Tensor) -> Callable[[Tensor], Tensor]:
    """From encoded labels (B, N) and values (B, D): what other labels (B', N) tell of them, from their mean, (B', D)."""
    from sklearn.linear_model import Ridge

    if not labels.shape[1]:
        return lambda encoded: values.new_zeros(len(encoded), values.shape[1])
    fit, mean = Ridge(SHRINK).fit(labels.numpy(), values.numpy()), values.mean(0)
    return lambda encoded: torch.from_numpy(fit.predict(encoded.numpy()).reshape(len(encoded), -1)).to(mean) - mean


Found = tuple[NDArray[np.floating], NDArray[np.floating]]  # vectors (K, D), shares of the variance (K,)


def _gathered(batches: Batches, samples: int, name: str) -> NDArray[np.float32]:
    parts, held = [], 0
    for batch in batches():
        parts.append(batch)
        held += batch.size
        if held > MOST_AT_ONCE:
            raise UsageError(
                f"{samples} samples of {batch.shape[1]} values do not fit in memory, which the estimator {name} wants; "
                "take --estimator incremental"
            )
    return np.concatenate(parts)


def _full(space: Space, stage: str, batches: Batches, samples: int, components: int) -> Found:
    from sklearn.decomposition import PCA

    data = _gathered(batches, samples, "full")
    found = PCA(components, svd_solver="covariance_eigh" if data.shape[1] < len(data) else "full").fit(data)
    return found.components_, found.explained_variance_ratio_


def _randomised(space: Space, stage: str, batches: Batches, samples: int, components: int) -> Found:
    """Halko et al. 2011."""
    from sklearn.decomposition import PCA

    found = PCA(components, svd_solver="randomized", random_state=0).fit(_gathered(batches, samples, "randomised"))
    return found.components_, found.explained_variance_ratio_


def _incremental(space: Space, stage: str, batches: Batches, samples: int, components: int) -> Found:
    """Ross et al. 2008, section 2.3; in constant memory whatever the number of samples.

    Of what is kept and each batch it takes the eigenvectors of their products with each other, a matrix of a few hundred
    rows, where scikit-learn takes a singular value decomposition of all values: the same but for rounding, for a tenth.
    """
    kept: NDArray[np.float32] = np.zeros((0, 0), np.float32)  # vectors (K, D), each as long as its singular value
    mean, count, total = np.zeros(0), 0, 0.0
    for batch in batches():
        if not count:
            kept, mean = np.zeros((0, batch.shape[1]), np.float32), np.zeros(batch.shape[1])
        own = batch.mean(0)
        shift = (mean - own) * np.sqrt(count * len(batch) / (count + len(batch)))
        rows = np.concatenate([kept, batch - own, shift[None].astype(np.float32)])
        products = (rows @ rows.T).astype(np.float64)
        total += np.trace(products[len(kept) :, len(kept) :])
        kept = np.linalg.eigh(products)[1].T[::-1][:components].astype(np.float32) @ rows
        count += len(batch)
        mean += (own - mean) * len(batch) / count
    lengths = np.linalg.norm(kept.astype(np.float64), axis=1)
    return kept / np.maximum(lengths, 1e-30)[:, None], np.square(lengths) / total


def _factorised(space: Space, stage: str, batches: Batches, samples: int, components: int) -> Found:
    """What the weights that take the mapped latent stretch the most (Shen & Zhou 2021, eq. 7): nothing is sampled."""
    generator = space.generator.first if isinstance(space.generator, Mixture) else space.generator
    if stage != generator.stages[0] or not generator.steered:
        raise UsageError(f"the estimator factorised is of a mapped latent, which {stage} is not; take another estimator")
    width = len(space.mean(torch.zeros(space.instrument.model.condition_width)))
    parts = [part for name in generator.steered for part in generator.get_submodule(name).named_parameters()]
    taking = [w.detach().cpu() for name, w in parts if name.endswith("weight") and w.dim() == 2 and w.shape[1] == width]
    _, stretched, vectors = torch.linalg.svd(torch.cat([w / w.norm() for w in taking]).double(), full_matrices=False)
    share = stretched.square() / stretched.square().sum()
    return vectors[:components].numpy(), share[:components].numpy()


ESTIMATORS: dict[str, Callable[[Space, str, Batches, int, int], Found]] = {
    "randomised": _randomised,
    "full": _full,
    "incremental": _incremental,
    "factorised": _factorised,
}
