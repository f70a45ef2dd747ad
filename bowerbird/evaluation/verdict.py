"""What the figures mean, in sentences for people. The limits stand here and nowhere else."""

from dataclasses import dataclass

from bowerbird.evaluation.faults import FAULTS

__all__ = ["Verdict", "verdicts"]

FAULT_MARGIN = 0.02  # share of sounds with a fault beyond the real ones' share
CHECKERBOARD_DB = 3.0  # beyond the real ones'
NOISE_DB = 6.0  # of the quietest moment beyond the real ones'
REPEATS, VARIATIONS = 0.5, 0.8  # of the distance between real neighbours
FEW_SOUNDS = 200
LACKING_DB, DULL_HZ = 12.0, 2000.0  # weaker than the real ones in a band; above it that is dull, below it thin
WOBBLE_CENTS = 5.0  # a change of pitch from one 20 ms frame to the next, beyond the real ones'


@dataclass(frozen=True)
class Verdict:
    """One sentence, and whether it is good news."""

    good: bool
    sentence: str


def verdicts(figures: dict[str, float], per_class: dict[str, dict[str, float]]) -> list[Verdict]:
    """Bad news first."""
    found = [
        *_fidelity(figures),
        *_labels(figures, per_class),
        *_pitch(figures),
        *_variety(figures, per_class),
        *_memory(figures),
        *_faults(figures),
    ]
    return sorted(found, key=lambda verdict: verdict.good)


def _fidelity(figures: dict[str, float]) -> list[Verdict]:
    way, covered = figures["fidelity/kad_way_to_noise"], figures["fidelity/coverage"]
    steps = (
        (0.02, "as near to the real sounds as two halves of them are to each other"),
        (0.15, "near to the real sounds"),
        (0.4, "on their way to the real sounds"),
    )
    said = next((words for limit, words in steps if way <= limit), "far from the real sounds")
    share = f"covers {covered:.0%} of the real sounds' variety"
    return [
        Verdict(way <= 0.15, f"As a set the generated sounds are {said} ({way:.0%} of the way to white noise)."),
        Verdict(
            covered >= 0.7, f"It {share} (another half of the real ones covers {figures['fidelity/coverage_floor']:.0%})."
        ),
    ]


def _labels(figures: dict[str, float], per_class: dict[str, dict[str, float]]) -> list[Verdict]:
    if "label/accuracy_ratio" not in figures:
        return []
    made, real = figures["label/accuracy_generated"], figures["label/accuracy_real"]
    weak = [name for name, scores in per_class.items() if scores.get("accuracy", 1) < 0.7 * scores.get("accuracy_real", 0)]
    where = f"; it confuses {', '.join(weak)}" if weak else ""
    sentence = (
        f"A classifier trained on real sounds knows {made:.0%} of the generated ones (of real ones {real:.0%}){where}."
    )
    return [Verdict(made >= 0.9 * real and not weak, sentence)]


def _pitch(figures: dict[str, float]) -> list[Verdict]:
    if "pitch/within_50_cents" not in figures:
        return []
    right, real = figures["pitch/within_50_cents"], figures["pitch/within_50_cents_real"]
    octaves, wobble = figures["pitch/octave_errors"], figures["pitch/wobble_cents"]
    steady = wobble <= figures["pitch/wobble_cents_real"] + WOBBLE_CENTS
    return [
        Verdict(
            right >= 0.9 * real,
            f"{right:.0%} of the sounds have the pitch asked for within 50 cents (of real ones {real:.0%}); "
            f"{octaves:.0%} are octaves off.",
        ),
        Verdict(
            steady,
            f"Tones {'are steady' if steady else 'waver'}: {wobble:.1f} cents from frame to frame "
            f"(real {figures['pitch/wobble_cents_real']:.1f}).",
        ),
    ]


def _variety(figures: dict[str, float], per_class: dict[str, dict[str, float]]) -> list[Verdict]:
    ratio = figures["variety/ratio"]
    alike = [f"{name} ({scores['variety']:.2f})" for name, scores in per_class.items() if scores.get("variety", 1) < 0.75]
    wild = ratio > 1.2
    found = [
        Verdict(
            not alike and not wild,
            f"Sounds of one class differ {ratio:.2f} times as much as real ones do"
            + (f"; too much alike: {', '.join(alike)}." if alike else "; more than they should." if wild else "."),
        )
    ]
    if figures["variety/twins"] > figures["variety/twins_real"] + 0.1:
        found.append(
            Verdict(False, f"{figures['variety/twins']:.0%} of the sounds have a twin: the same sound comes again.")
        )
    return found


def _memory(figures: dict[str, float]) -> list[Verdict]:
    copies, real = figures["memory/near_copies"], figures["memory/near_copies_real"]
    ratio, count = figures["memory/distance_ratio"], figures["memory/sounds"]
    steps = ((REPEATS, "repeats of training sounds"), (VARIATIONS, "variations of single training sounds"))
    what = next((words for limit, words in steps if ratio < limit), "as new as another real sound")
    sentence = f"{copies:.0%} of the generated sounds are nearly copies of a training sound (of real ones {real:.0%})"
    found = [
        Verdict(
            copies <= real + 0.05 and ratio >= REPEATS,
            f"{sentence}; most are {what}, {ratio:.2f} times as far from the nearest as real sounds from each other.",
        )
    ]
    if count < FEW_SOUNDS:
        sentence = f"There are only {count:.0f} real sounds to compare with: these figures are rough, and whether it would"
        found.append(Verdict(False, f"{sentence} make others of their kind cannot be told from them."))
    return found


def _faults(figures: dict[str, float]) -> list[Verdict]:
    found = []
    for name in FAULTS:
        key = f"fault/{name.replace(' ', '_')}"
        if figures[key] > figures[f"{key}_real"] + FAULT_MARGIN:
            found.append(
                Verdict(False, f"{figures[key]:.0%} of the sounds are or have: {name} (real {figures[f'{key}_real']:.0%}).")
            )
    beat = figures["fault/checkerboard_db"] - figures["fault/checkerboard_db_real"]
    if beat > CHECKERBOARD_DB:
        found.append(
            Verdict(
                False, f"The level beats at the network's own grid, {beat:.1f} dB more than in real sounds (checkerboard)."
            )
        )
    noise_db, quiet_db = figures["fault/floor_db"], figures["fault/floor_db_real"]
    if noise_db > quiet_db + NOISE_DB:
        sentence = f"Noise lies under the sounds: their quietest moment is {noise_db:.0f} dB under the loudest"
        found.append(Verdict(False, f"{sentence} (real {quiet_db:.0f} dB)."))
    lacking_db, lacking_hz = figures["fault/lacking_db"], figures["fault/lacking_hz"]
    if lacking_db > LACKING_DB:
        word = "dull" if lacking_hz > DULL_HZ else "thin"
        sentence = f"The sounds are {word}: around {lacking_hz:.0f} Hz they are {lacking_db:.0f} dB weaker than real ones"
        found.append(Verdict(False, f"{sentence}."))
    return found or [
        Verdict(True, "No noise, silence, clipping, direct current, clicks or cut-off tails beyond the real sounds'.")
    ]
