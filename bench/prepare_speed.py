"""Prepare speed: hours of sound per minute against a plain `librosa.load` loop over the same files (pip install librosa).

The loop does what a first script does: loads every file, with librosa's defaults (to mono and 22.05 kHz), and again at the
rate the dataset is made at.

    python -m bench.prepare_speed FOLDER
"""

import json
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path

import soundfile

from bench.harness import median, publish, variant

ROUNDS = 3


def ours(folder: Path) -> float:
    from bowerbird.data.options import PrepareOptions
    from bowerbird.data.prepare import prepare

    target = Path(tempfile.mkdtemp()) / "dataset"
    began = time.perf_counter()
    prepare(folder, target, PrepareOptions(), quiet=True)
    taken = time.perf_counter() - began
    shutil.rmtree(target.parent)
    return taken


def plain(folder: Path, rate_hz: int | None) -> float:
    import librosa

    files = sorted(path for path in folder.rglob("*.flac"))
    librosa.load(files[0], **({"sr": rate_hz} if rate_hz else {}))  # imports late, which is not what we measure
    began = time.perf_counter()
    for file in files:
        librosa.load(file, **({"sr": rate_hz} if rate_hz else {}))
    return time.perf_counter() - began


def main() -> None:
    folder = Path(sys.argv[1])
    if len(sys.argv) == 3:
        warnings.simplefilter("ignore")
        loads = {"ours": lambda: ours(folder), "default": lambda: plain(folder, None), "44100": lambda: plain(folder, 44100)}
        print(json.dumps({"s": loads[sys.argv[2]]()}))
        return
    hours = sum(soundfile.info(file).duration for file in folder.rglob("*.flac")) / 3600
    rounds = [
        {kind: variant("prepare_speed", folder, kind)["s"] for kind in ("ours", "default", "44100")} for _ in range(ROUNDS)
    ]
    publish(
        "prepare_speed",
        {
            "files": f"{folder.name}, {hours * 60:.1f} min of sound",
            "hours_per_minute": round(median([60 * hours / r["ours"] for r in rounds]), 2),
            "ratio_to_librosa_defaults": round(median([r["default"] / r["ours"] for r in rounds]), 2),
            "ratio_to_librosa_at_44100_hz": round(median([r["44100"] / r["ours"] for r in rounds]), 2),
            "rounds_s": rounds,
        },
    )


if __name__ == "__main__":
    main()
