"""Note names and MIDI numbers."""

import re

__all__ = ["PITCH", "midi_number"]

PITCH = "pitch"  # a label of this name is a MIDI number
STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
SHIFTS = {"#": 1, "b": -1, "": 0}


def midi_number(text: str) -> float:
    """`60`, `60.5`, `C4`, `f#3`, `Bb2` or `B♭2` -> MIDI number, middle C = C4 = 60; ValueError for anything else."""
    note = re.fullmatch(r"([A-Ga-g])([#b]?)(-?\d)", text.strip().replace("♯", "#").replace("♭", "b"))
    try:
        number = 12 * (int(note[3]) + 1) + STEPS[note[1].upper()] + SHIFTS[note[2]] if note else float(text)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 127:
        raise ValueError(text)
    return number
