"""Scores of the pitches that were heard against those that were asked for."""

import numpy as np
from numpy.typing import NDArray

from bowerbird.tracker import Pitches

__all__ = ["pitch_scores"]


def pitch_scores(heard: Pitches, asked: NDArray[np.floating]) -> dict[str, float]:
    """Heard against the MIDI numbers asked (B,): shares within 50 cents, an octave or more off, elsewhere, without pitch."""
    cents = 100 * (heard.midi - asked)
    near = np.abs(cents) <= 50
    octaves = ~near & (np.abs(cents - 1200 * np.round(cents / 1200)) <= 50)
    unpitched = np.isnan(cents)
    return {
        "pitch/within_50_cents": float(near.mean()),
        "pitch/octave_errors": float(octaves.mean()),
        "pitch/elsewhere": float((~near & ~octaves & ~unpitched).mean()),
        "pitch/unpitched": float(unpitched.mean()),
        **({"pitch/median_error_cents": float(np.median(np.abs(cents[near])))} if near.any() else {}),
        **({"pitch/wobble_cents": float(np.nanmedian(heard.wobble_cents))} if np.isfinite(heard.wobble_cents).any() else {}),
    }
