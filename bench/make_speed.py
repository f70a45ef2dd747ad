"""Playing speed: one 1.5 s, 44.1 kHz mono one-shot end to end on one core, and a batch against real time on all cores.

End to end: from the request (label and seed) to samples in memory, latent, network and inversion included.

    python -m bench.make_speed
"""

import json
import sys
import time

import torch

from bench.harness import median, publish, variant
from bowerbird.conditions.category import Category
from bowerbird.config import ModelConfig
from bowerbird.instrument import Instrument, family_of
from bowerbird.machine import keep_freed_memory, usable_cores
from bowerbird.networks.residual import ResidualOptions
from bowerbird.representations.log_magnitude import LogMagnitude

ROUNDS = 15


def untrained() -> Instrument:
    """The standard preset's net for 1.5 s; what its weights are makes no difference to the time."""
    representation = LogMagnitude.suited(44100, 1, 66150)
    model = ModelConfig(representation, ResidualOptions(), (Category.fit("class", ["kick", "snare"]),))
    generator = family_of(model).generator(representation.shape, model.condition_width, model.network)
    return Instrument(model, dict(generator.state_dict()), {}, "cpu")


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
    if len(sys.argv) == 2:
        one = sys.argv[1] == "one"
        print(json.dumps(measure(untrained(), 1 if one else usable_cores(), 1 if one else 64)))
        return
    one, batch = variant("make_speed", "one", pin="0"), variant("make_speed", "batch")
    publish("make_speed", {"one_shot_one_core": one, "batch_of_64_all_cores": batch})


if __name__ == "__main__":
    main()
