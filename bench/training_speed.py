"""Training speed: examples per second against the same net trained naively, and the share of the machine's peak.

Naive: float32, contiguous, the system's allocator, an optimiser that loops over weights. Everything else, batch, losses,
penalty and augmentation, is the same code. Peak: the machine's own bfloat16 convolution, forward and backward.

    python -m bench.training_speed
"""

import contextlib
import json
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.harness import median, publish, variant
from bowerbird.conditions.category import Category
from bowerbird.config import ModelConfig, TrainConfig
from bowerbird.doctor import convolution_tflops
from bowerbird.instrument import generator_of
from bowerbird.machine import keep_freed_memory, usable_cores
from bowerbird.networks.residual import ResidualOptions
from bowerbird.representations.log_magnitude import LogMagnitude
from bowerbird.training.judge import judge_of
from bowerbird.training.step import Adversary

ROUNDS, SECONDS = 3, 20.0


def measure(kind: str) -> dict[str, float]:
    """Examples per second and FLOP per example of a whole training cycle of `penalty_every` steps."""
    torch.set_num_threads(usable_cores())
    config, quick = TrainConfig(minutes=1), kind == "fast"
    labels = [f"class{k % 7}/sub{k % 59}" for k in range(1092)]
    model = ModelConfig(LogMagnitude.suited(44100, 1, 52920), ResidualOptions(), (Category.fit("class", labels),))
    generator = generator_of(model)
    judge = judge_of(model, config)
    if quick:
        keep_freed_memory()
        for network in (generator, judge):
            network.to(memory_format=torch.channels_last)
    fast = (lambda: torch.autocast("cpu", torch.bfloat16)) if quick else contextlib.nullcontext
    adversary = Adversary(generator, judge, model.network.z_dim, model.representation.traits, config, fast)
    if not quick:
        adversary.judge_optimiser, adversary.generator_optimiser = (
            torch.optim.Adam(network.parameters(), config.learning_rate, (0.0, config.adam_beta2), foreach=False)
            for network in (judge, generator)
        )
    batch = config.batch_size
    real = torch.rand(batch, *model.representation.shape) * 2 - 1
    anchors = torch.randn(batch // 2, config.anchor_dimensions)
    condition = model.encode([{"class": label} for label in labels[:batch]])
    differs = (condition.roll(1, 0) != condition).any(1)

    def step(number: int, penalise: bool) -> None:
        adversary.update(real, condition, differs, anchors, number * batch, penalise)

    def cycle() -> None:
        for number in range(config.penalty_every):
            step(number, number == 0)

    cycle()
    # The counter cannot follow a double backward: the penalty's operations take time here but are not counted.
    with FlopCounterMode(display=False) as counter:
        step(1, False)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < SECONDS:
        cycle()
        count += config.penalty_every * batch
    rate = count / (time.perf_counter() - began)
    flop = counter.get_total_flops() / batch
    return {"examples_per_s": rate, "gflop_per_example": flop / 1e9, "tflops": rate * flop / 1e12}


def peak() -> dict[str, float]:
    keep_freed_memory()
    torch.set_num_threads(usable_cores())
    return {"tflops": convolution_tflops(torch.bfloat16, torch.device("cpu"))}


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(peak() if sys.argv[1] == "peak" else measure(sys.argv[1])))
        return
    rounds = [{kind: variant("training_speed", kind) for kind in ("peak", "fast", "naive")} for _ in range(ROUNDS)]
    ratios = [r["fast"]["examples_per_s"] / r["naive"]["examples_per_s"] for r in rounds]
    shares = [r["fast"]["tflops"] / r["peak"]["tflops"] for r in rounds]
    publish(
        "training_speed",
        {
            "net": "the standard preset's, 44.1 kHz, 1.2 s",
            "ratio_fast_to_naive": round(median(ratios), 2),
            "share_of_peak": round(median(shares), 3),
            "rounds": rounds,
        },
    )


if __name__ == "__main__":
    main()
