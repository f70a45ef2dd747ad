"""Playing speed: one 1.5 s, 44.1 kHz mono one-shot end to end on one core, and a batch against real time on all cores.

End to end: from the request (label and seed) to samples in memory, latent, network and inversion included.

    python -m bench.make_speed INSTRUMENT
"""

import json
import sys
import time

import torch

from bench.harness import median, publish, variant
from bowerbird.instrument import Instrument, load
from bowerbird.machine import keep_freed_memory, usable_cores

ROUNDS = 15


def measure(instrument: Instrument, threads: int, count: int) -> dict[str, float]:
    torch.set_num_threads(threads)
    keep_freed_memory()
    instrument.sample(count)
    taken = []
    for round_ in range(ROUNDS if count == 1 else 3):
        began = time.perf_counter()
        instrument.sample(count, seed=round_ * count)
        taken.append(time.perf_counter() - began)
    seconds = instrument.model.representation.samples / instrument.sample_rate * count
    return {"ms": round(1000 * median(taken), 1), "times_real_time": round(seconds / median(taken), 1), "sound_s": seconds}


def main() -> None:
    if len(sys.argv) == 3:
        one = sys.argv[2] == "one"
        instrument = load(sys.argv[1])
        print(json.dumps(measure(instrument, 1 if one else usable_cores(), 1 if one else 64)))
        return
    one = variant("make_speed", sys.argv[1], "one", pin="0")
    batch = variant("make_speed", sys.argv[1], "batch")
    publish("make_speed", {"one_shot_one_core": one, "batch_of_64_all_cores": batch})


if __name__ == "__main__":
    main()
