"""Memory: the peak of training on an hour of 44.1 kHz sound with the standard preset.

python -m bench.memory
"""

import json
import resource
import sys
import tempfile
from pathlib import Path

import numpy as np

from bench.harness import publish, variant

SOUNDS, SECONDS = 3000, 1.2


def main() -> None:
    if len(sys.argv) > 1:
        from bowerbird.audio import write
        from bowerbird.data.dataset import Dataset
        from bowerbird.data.options import PrepareOptions
        from bowerbird.data.prepare import prepare
        from bowerbird.presets import configure
        from bowerbird.training.loop import train

        folder = Path(sys.argv[1])
        if sys.argv[2] == "prepare":
            for index in range(SOUNDS):
                random = np.random.default_rng(index)
                fall = np.exp(-np.linspace(0, random.uniform(1, 6), int(SECONDS * 44100)))
                sound = 0.5 * fall * random.uniform(-1, 1, len(fall))
                write(folder / "sounds" / f"class{index % 7}" / f"{index}.wav", sound[None].astype(np.float32), 44100)
            dataset = prepare(folder / "sounds", folder / "dataset", PrepareOptions(), quiet=True)
            print(json.dumps({"hours": round(dataset.facts["seconds"] / 3600, 3)}))
            return
        dataset = Dataset(folder / "dataset")
        model, config = configure(dataset, "standard", None, ["minutes=2", "preview_minutes=0.5"])[:2]
        outcome = train(dataset, folder / "run", model, config, "cpu", quiet=True)
        peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(json.dumps({"peak_gb": round(peak_gb, 2), "examples": outcome.seen}))
        return
    with tempfile.TemporaryDirectory() as folder:
        prepared = variant("memory", folder, "prepare")
        result = variant("memory", folder, "train")
    publish("memory", prepared | result)


if __name__ == "__main__":
    main()
