"""What `prepare` found, as numbers and in words."""

from collections import Counter
from typing import Any

import numpy as np

from bowerbird.conditions import CONDITIONS

__all__ = ["describe", "report"]

ONE_FOLDER = ", as all sounds lie in one folder; a folder for each kind, or --labels csv or filename, would give some"


def report(
    facts: dict[str, Any],
    entries: list[dict[str, Any]],
    skipped: dict[str, str],
    why: list[str],
    duplicates: list[list[int]],
    validation: float,
    marks: list[str],
) -> dict[str, Any]:
    """Durations, levels, labels, faults, duplicates and what was left out, as plain values."""
    lengths_s = [entry["samples"] / facts["sample_rate_hz"] for entry in entries]
    return {
        "sounds": len(entries),
        "seconds": facts["seconds"],
        "sample_rate_hz": facts["sample_rate_hz"],
        "channels": facts["channels"],
        "chosen": why,
        "length_s": _spread(lengths_s),
        "peak_db": _spread([entry["peak_db"] for entry in entries]),
        "rms_db": _spread([entry["rms_db"] for entry in entries]),
        "labels": {
            condition: dict(sorted(Counter(entry["labels"][condition] for entry in entries).items()))
            for condition in facts["conditions"]
        },
        "kinds": facts["conditions"],
        "encoder": facts["encoder"]["name"] if facts["encoder"] else None,
        "words_left_out": marks,
        "labels_from": facts["prepared_with"]["labels"],
        "validation": sum(entry["part"] == "validation" for entry in entries),
        "validation_asked": round(validation * len(entries)),
        "clipped": [entry["file"] for entry in entries if entry["clipped"]],
        "notes": {
            note: [entry["file"] for entry in entries if note in entry["notes"]]
            for note in dict.fromkeys(note for entry in entries for note in entry["notes"])
        },
        "near_duplicates": sum(entry["duplicates"] is not None for entry in entries),
        "near_duplicate_groups": [[_named(entries[index]) for index in group] for group in duplicates],
        "licences": facts["licences"],
        "skipped": dict(sorted(skipped.items(), key=lambda item: (item[1] == "hidden", item[0]))),
    }


def _named(entry: dict[str, Any]) -> str:
    """The file, and for a later piece of it where that begins."""
    return entry["file"] + (f" from {entry['start_s']:.2f} s" if entry["start_s"] else "")


def _spread(values: list[float]) -> dict[str, float]:
    points = np.percentile(values, [0, 10, 50, 90, 100])
    return {name: round(float(v), 3) for name, v in zip(("min", "p10", "median", "p90", "max"), points, strict=True)}


def describe(found: dict[str, Any]) -> str:
    """The report in words, a line a subject."""
    length, peak = found["length_s"], found["peak_db"]
    lines = [
        f"{found['sounds']} sounds, {found['seconds'] / 60:.1f} min, {found['sample_rate_hz']} Hz, "
        f"{'stereo' if found['channels'] == 2 else 'mono'}",
        *(f"chosen: {reason}" for reason in found["chosen"]),
        f"length: {length['min']:.2f} to {length['max']:.2f} s, half of them under {length['median']:.2f} s",
        f"peak level: {peak['min']:.1f} to {peak['max']:.1f} dBFS, median {peak['median']:.1f}",
    ]
    for condition, counts in found["labels"].items():
        kind, missing = found["kinds"][condition], counts.get("", 0)
        lines.append(CONDITIONS[kind].fit(condition, list(Counter(counts).elements())).describe())
        if missing:
            lines.append(f"  {missing} of {found['sounds']} sounds have no {condition}")
        single = [label for label, count in counts.items() if count == 1 and label]
        if single and kind == "category":
            lines.append(f"{condition} with one sound only, which can hardly be learnt: {_some(single)}")
    if found["encoder"]:
        lines.append(f"texts are encoded by {found['encoder']}; captions.csv shows them before and after")
    if found["words_left_out"]:
        lines.append(
            f"  left out, since sounds that sound alike do not share them: {', '.join(found['words_left_out'])} "
            "(--keep-words keeps some, --drop-words leaves out more)"
        )
    if not found["labels"]:
        lines.append("labels: none" + (ONE_FOLDER if found["labels_from"] == "folder" else ""))
    if found["validation_asked"]:
        lines.append(f"set apart for validation: {found['validation']} of {found['validation_asked']} asked")
    if found["validation"] < found["validation_asked"] / 2:
        lines.append(
            "  so few because groups stay whole and every label keeps a sound to train on; try a smaller --validation"
        )
    if found["near_duplicates"]:
        groups = found["near_duplicate_groups"]
        lines.append(f"near-duplicates: {found['near_duplicates']} sounds in {len(groups)} groups (report.json lists them)")
        lines += [f"  {_some(group)}" for group in groups[:3]]
    if found["clipped"]:
        lines.append(f"clipped: {len(found['clipped'])} ({_some(found['clipped'])})")
    lines += [f"{note}: {len(files)} ({_some(files)})" for note, files in found["notes"].items()]
    if any(note.startswith("cut to") for note in found["notes"]):
        lines.append("  to keep all of long files: --slice even, or a longer --seconds")
    if found["licences"]:
        lines.append("licences: " + ", ".join(f"{name} {count}" for name, count in found["licences"].items()))
    if found["skipped"]:
        lines.append(f"skipped: {len(found['skipped'])}")
        lines += [f"  {name}: {reason}" for name, reason in list(found["skipped"].items())[:20]]
        if len(found["skipped"]) > 20:
            lines.append(f"  and {len(found['skipped']) - 20} more (report.json lists all)")
    return "\n".join(lines) + "\n"


def _some(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
