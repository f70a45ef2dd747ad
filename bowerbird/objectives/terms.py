"""Terms beside the adversarial loss."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["mode_seeking", "selected", "unlike"]

APART = 2 / math.sqrt(math.pi)  # mean distance of two standard normal numbers


def mode_seeking(made: Tensor, z: Tensor, real: Tensor, twice: int) -> Tensor:
    """Minus how different pictures of one code are for the difference of their latents, bounded by one.

    The last `twice` of `made` (B + twice, K, F, L) have the codes of those before them; z (B + twice, Z). Both differences
    are measured: pictures in mean distances between real ones (B, K, F, L), latents in those of chance. Mode seeking (Mao et
    al. 2019, eq. 3) in the bounded form of Yang et al. 2019, eq. 2: without a bound it asks for noise.
    """
    first, second = slice(len(made) - 2 * twice, len(made) - twice), slice(len(made) - twice, None)
    apart = (made[first].float() - made[second].float()).abs().mean((1, 2, 3))
    usual = (real - real.roll(1, 0)).abs().mean().clamp_min(1e-6)
    latents_apart = (z[first] - z[second]).abs().mean(1).clamp_min(1e-6) / APART
    return -(apart / usual / latents_apart).clamp_max(1.0).mean()


def selected(scores: Tensor, shares: Tensor, choice: Tensor) -> Tensor:
    """What a selector of generators learns from: the better a choice scored, the likelier it becomes (Williams 1992).

    scores (B) of generated sounds, the probabilities of each generator (B, G), and which made each sound (B).
    """
    better = (scores - scores.mean()) / (scores.std() + 1e-6)
    return -(better * shares.gather(1, choice[:, None])[:, 0].clamp_min(1e-6).log()).mean()


def unlike(logits: Tensor, condition: Tensor, spans: Sequence[tuple[slice, bool]]) -> Tensor:
    """How far an auxiliary classifier's logits (B, N) are from encoded labels (B, N), the mean over kinds of label.

    `spans` are the columns of each kind and whether they are a signed vector: of those it is one minus the cosine, of zeros
    and ones and shares between the cross-entropy of each entry. Missing labels, all zeros, do not count.
    """
    missed = []
    for columns, signed in spans:
        there = condition[:, columns].any(1)
        if there.any():
            said, meant = logits[there, columns], condition[there, columns]
            apart = functional.cosine_similarity(said, meant, dim=1)
            missed.append(1 - apart.mean() if signed else functional.binary_cross_entropy_with_logits(said, meant))
    return torch.stack(missed).mean() if missed else logits.sum() * 0
