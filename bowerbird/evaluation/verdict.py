"""What the figures mean, in sentences for people. The limits stand here and nowhere else."""

import math
from dataclasses import dataclass

from bowerbird.evaluation.faults import FAULTS, FAULTY
from bowerbird.midi import PITCH

__all__ = ["Verdict", "verdicts"]

FAULT_MARGIN = 0.02  # share of sounds with a fault beyond the real ones' share, or as much as chance makes of two halves
CHECKERBOARD_DB = 3.0  # beyond the real ones'
SAME, SAME_WORDS = 0.02, "as near to the real sounds as two halves of them are to each other"
NOISE_DB = 6.0  # of the quietest moment beyond the real ones'
REPEATS, VARIATIONS, STRANGE = 0.5, 0.8, 3.0  # of the distance between real neighbours
LEAST_FROM_LATENT = 0.02
TELLABLE = 0.2  # of the way from chance to certainty
FEW_SOUNDS = 200
LACKING_DB, DULL_HZ = 12.0, 2000.0  # weaker than the real ones in a band; above it that is dull, below it thin
MATCHED = 0.8  # of pairs of a sound and two texts
KEPT = 0.8  # of what holds of real sounds, for labels beside the main one
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
        *_other_labels(figures),
        *_pitch(figures),
        *_variety(figures, per_class),
        *_memory(figures),
        *_faults(figures),
    ]
    return sorted(found, key=lambda verdict: verdict.good)


def _fidelity(figures: dict[str, float]) -> list[Verdict]:
    way, covered = figures["fidelity/kad_way_to_noise"], figures["fidelity/coverage"]
    steps = (
        (SAME if figures["fidelity/kad_low"] <= max(0.0, figures["fidelity/kad_floor"]) else -math.inf, SAME_WORDS),
        (0.15, "near to the real sounds"),
        (0.4, "on their way to the real sounds"),
    )
    said = next((words for limit, words in steps if way <= limit), "far from the real sounds")
    share = f"covers {covered:.0%} of the real sounds' variety"
    return [
        Verdict(way <= 0.15, f"As a set the generated sounds are {said} ({max(way, 0.0):.0%} of the way to white noise)."),
        Verdict(
            covered >= 0.7, f"It {share} (another half of the real ones covers {figures['fidelity/coverage_floor']:.0%})."
        ),
    ]


def _labels(figures: dict[str, float], per_class: dict[str, dict[str, float]]) -> list[Verdict]:
    if "label/accuracy_ratio" not in figures:
        return []
    made, real = figures["label/accuracy_generated"], figures["label/accuracy_real"]
    chance = 1 / sum("accuracy_real" in scores for scores in per_class.values())
    if real < chance + TELLABLE * (1 - chance):
        sentence = f"The labels can hardly be told apart even in the real sounds ({real:.0%}; by chance {chance:.0%})"
        return [Verdict(False, f"{sentence}, so whether the generated ones keep to them cannot be told either.")]
    weak = [name for name, scores in per_class.items() if scores.get("accuracy", 1) < 0.7 * scores.get("accuracy_real", 0)]
    where = f"; it confuses {', '.join(weak)}" if weak else ""
    sentence = (
        f"A classifier trained on real sounds knows {made:.0%} of the generated ones (of real ones {real:.0%}){where}."
    )
    back = figures["label/trained_on_generated"]
    return [
        Verdict(made >= 0.9 * real and not weak, sentence),
        Verdict(back >= 0.85 * real, f"A classifier trained on generated sounds knows {back:.0%} of the real ones."),
    ]


def _other_labels(figures: dict[str, float]) -> list[Verdict]:
    found = []
    for key, made in figures.items():
        name, _, what = key.removeprefix("label/").rpartition("_")
        real = figures.get(f"{key.removesuffix('generated')}real")
        label, _, figure = name.rpartition("_")
        if what != "generated" or real is None or label in ("", PITCH):  # the main label and pitch have their own sentences
            continue
        sentence = {
            "accuracy": f"A classifier hears the {label} asked for in {made:.0%} (in real sounds {real:.0%}).",
            "rank": f"The more {label} is asked for, the more there is: rank correlation {made:.2f} (real {real:.2f}).",
            "queries": f"Asked as people would, in {label} alone, {made:.0%} of the sounds are heard as the class that was "
            f"meant (real sounds of it: {real:.0%}).",
            "map": f"Words of the {label} are heard: mean average precision {made:.2f} (in real sounds {real:.2f}).",
            "caption": f"A sound fits its own {label.removesuffix('_own')} better than another's in {made:.0%} of pairs "
            f"(real ones in {real:.0%}).",
        }[figure]
        least = MATCHED if figure == "caption" else KEPT * real
        found.append(Verdict(made >= least, sentence))
    return found


def _pitch(figures: dict[str, float]) -> list[Verdict]:
    if "pitch/within_50_cents" not in figures:
        return []
    right, real = figures["pitch/within_50_cents"], figures["pitch/within_50_cents_real"]
    octaves = figures["pitch/octave_errors"]
    found = [
        Verdict(
            right >= 0.9 * real,
            f"{right:.0%} of the sounds have the pitch asked for within 50 cents (of real ones {real:.0%}); "
            f"{octaves:.0%} are octaves off.",
        ),
    ]
    if "pitch/between_within_50_cents" in figures:
        between = figures["pitch/between_within_50_cents"]
        words = f"Asked for pitches between those of the data, {between:.0%} come within 50 cents."
        found.append(Verdict(between >= 0.8 * real, words))
    wobble, real_wobble = (figures.get(f"pitch/wobble_cents{kind}") for kind in ("", "_real"))
    if wobble is not None and real_wobble is not None:
        steady = wobble <= real_wobble + WOBBLE_CENTS
        words = "are steady" if steady else "waver"
        sentence = f"Tones {words}: {wobble:.1f} cents from frame to frame (real {real_wobble:.1f})."
        found.append(Verdict(steady, sentence))
    return found


def _variety(figures: dict[str, float], per_class: dict[str, dict[str, float]]) -> list[Verdict]:
    alike = [f"{name} ({scores['variety']:.2f})" for name, scores in per_class.items() if scores.get("variety", 1) < 0.75]
    if "variety/ratio" in figures:
        ratio = figures["variety/ratio"]
        sentence = f"Sounds of one class differ {ratio:.2f} times as much as real ones do"
        words = "; more than they should" if ratio > 1.2 else "; less than they should" if ratio < 0.8 else ""
        more = f"; too much alike: {', '.join(alike)}" if alike else words
        found = [Verdict(not alike and 0.8 <= ratio <= 1.2, f"{sentence}{more}.")]
    else:
        found = [Verdict(False, "No class has two different real sounds, so variety within a class cannot be told.")]
    latent, real_latent = (figures.get(f"variety/from_latent{kind}") for kind in ("", "_real"))
    if latent is not None:
        sentence = f"Of what differs, {latent:.0%} comes from the latent and the rest from the labels"
        beside = "" if real_latent is None else f" (of real sounds, {real_latent:.0%} differs under equal labels)"
        least = max(LEAST_FROM_LATENT, (real_latent or 0.0) / 2)
        found.append(Verdict(latent >= least, f"{sentence}{beside}."))
    if figures["variety/twins"] > figures["variety/twins_real"] + 0.1:
        found.append(
            Verdict(False, f"{figures['variety/twins']:.0%} of the sounds have a twin: the same sound comes again.")
        )
    return found


def _memory(figures: dict[str, float]) -> list[Verdict]:
    copies, real = figures["memory/near_copies"], figures["memory/near_copies_real"]
    ratio, count = figures["memory/distance_ratio"], figures["memory/sounds"]
    steps = (
        (REPEATS, "repeats of training sounds"),
        (VARIATIONS, "variations of single training sounds"),
        (STRANGE, "as new as another real sound"),
    )
    what = next((words for limit, words in steps if ratio < limit), "unlike any of them")
    if not figures.get("memory/own_sounds", 1.0):
        return [Verdict(False, "These are not the very sounds it was trained on, so copies cannot be told.")]
    sentence = f"{copies:.0%} of the generated sounds are nearly copies of a training sound (of real ones {real:.0%})"
    found = [
        Verdict(
            copies <= real + 0.05 and REPEATS <= ratio < STRANGE,
            f"{sentence}; most are {what}, {ratio:.2f} times as far from the nearest as real sounds from each other.",
        )
    ]
    if count < FEW_SOUNDS:
        sentence = f"Only {count:.0f} real sounds are compared: these figures are rough, and whether it would"
        found.append(Verdict(False, f"{sentence} make others of their kind cannot be told from them."))
    return found


def _faults(figures: dict[str, float]) -> list[Verdict]:
    found = []
    for name in FAULTS:
        key = f"fault/{name.replace(' ', '_')}"
        share, real = figures[key], figures[f"{key}_real"]
        if share > real + _margin(real, figures["memory/sounds"]):
            found.append(Verdict(False, f"{share:.0%} of the sounds {FAULTY[name]} (real {real:.0%})."))
    share, real = figures["fault/blots"], figures["fault/blots_real"]
    if share > real + _margin(real, figures["memory/sounds"]):
        sentence = f"{share:.0%} of the sounds have a blot, louder than any real sound is there by far (real {real:.0%})."
        found.append(Verdict(False, sentence))
    beat = figures["fault/checkerboard_db"] - figures["fault/checkerboard_db_real"]
    if beat > CHECKERBOARD_DB:
        found.append(
            Verdict(
                False, f"The level beats at the network's own grid, {beat:.1f} dB more than in real sounds (checkerboard)."
            )
        )
    noise_db, quiet_db = figures["fault/floor_db"], figures["fault/floor_db_real"]
    if noise_db > quiet_db + NOISE_DB:
        sentence = f"Noise lies under the sounds: their quietest moment is {-noise_db:.0f} dB under the loudest"
        found.append(Verdict(False, f"{sentence} (real {-quiet_db:.0f} dB)."))
    lacking_db, lacking_hz = figures["fault/lacking_db"], figures["fault/lacking_hz"]
    if lacking_db > LACKING_DB:
        word = "dull" if lacking_hz > DULL_HZ else "thin"
        sentence = f"The sounds are {word}: around {lacking_hz:.0f} Hz they are {lacking_db:.0f} dB weaker than real ones"
        found.append(Verdict(False, f"{sentence}."))
    return found or [
        Verdict(True, "No noise, silence, clipping, direct current, clicks, blots or cut-off tails beyond the real sounds'.")
    ]


def _margin(real: float, sounds: float) -> float:
    """FAULT_MARGIN, or two standard errors of the difference of two shares of so many sounds, `real` being the true one."""
    return max(FAULT_MARGIN, 2 * math.sqrt(2 * real * (1 - real) / max(sounds, 1)))
