"""`doctor`: what this machine can do, what is missing and the line that installs it."""

import importlib.util
import shutil
import sys
import time
from typing import Any

import soundfile
import torch
from torch.nn import functional

import bowerbird
from bowerbird.machine import describe_machine, has_fast_bfloat16, keep_freed_memory, usable_cores

__all__ = ["convolution_tflops", "examine"]

OPTIONAL = {
    "av": ("m4a and aac files", 'pip install "bowerbird[m4a]"'),
    "sentence_transformers": ("text encoders that know meaning", 'pip install "bowerbird[text]"'),
    "transformers": ("evaluate --embedding", 'pip install "bowerbird[clap]"'),
}
SOUND_FORMATS = {"wav", "flac", "ogg", "opus", "aiff", "caf", "mp3"}
MEASURE_S = 1.0


def convolution_tflops(dtype: torch.dtype, device: torch.device, *, channels: int = 128) -> float:
    """TFLOP/s of a 3 x 3 convolution, forward and backward, on the shapes that training meets."""
    batch, rows, frames = 16, 64, 104
    layout = torch.channels_last if dtype is torch.bfloat16 else torch.contiguous_format
    x = torch.randn(batch, channels, rows, frames, device=device).to(dtype).to(memory_format=layout).requires_grad_()
    weight = torch.randn(channels, channels, 3, 3, device=device).to(dtype).to(memory_format=layout).requires_grad_()
    flops = 3 * 2 * batch * channels * channels * 9 * rows * frames

    def once() -> None:
        y = functional.conv2d(x, weight, padding=1)
        torch.autograd.grad(y, (x, weight), y.detach())
        if device.type == "cuda":
            torch.cuda.synchronize()

    once()
    once()
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < MEASURE_S:
        once()
        count += 1
    return flops * count / (time.perf_counter() - began) / 1e12


def examine() -> tuple[dict[str, Any], str]:
    """Facts as plain values and the same in words."""
    keep_freed_memory()
    torch.set_num_threads(usable_cores())
    cpu = torch.device("cpu")
    bfloat16 = has_fast_bfloat16(cpu)
    formats = {name.lower() for name in soundfile.available_formats()}
    readable = {name for name in SOUND_FORMATS if name in formats}
    if "opus" in {name.lower() for name in soundfile.available_subtypes("OGG")}:
        readable.add("opus")
    facts: dict[str, Any] = {
        "machine": describe_machine(),
        "cores": usable_cores(),
        "python": sys.version.split()[0],
        "torch": torch.__version__,
        "bowerbird": bowerbird.__version__,
        "cpu_fast_bfloat16": bfloat16,
        "cpu_float32_tflops": round(convolution_tflops(torch.float32, cpu, channels=32), 3),
        "cuda": torch.cuda.is_available(),
        "decoders": sorted(readable) + (["aac", "m4a"] if importlib.util.find_spec("av") else []),
        "decoders_missing": sorted(SOUND_FORMATS - readable),
        "missing": {what: line for module, (what, line) in OPTIONAL.items() if importlib.util.find_spec(module) is None},
    }
    lines = [
        f"{facts['machine']}; Python {facts['python']}, torch {facts['torch']}, bowerbird {facts['bowerbird']}",
        f"float32 convolutions: {facts['cpu_float32_tflops']} TFLOP/s",
    ]
    if bfloat16:
        facts["cpu_bfloat16_tflops"] = round(convolution_tflops(torch.bfloat16, cpu), 3)
        lines.append(f"bfloat16 convolutions: {facts['cpu_bfloat16_tflops']} TFLOP/s, used for training and playing")
    else:
        lines.append("bfloat16: no fast unit in this processor, float32 is used (training is several times slower)")
    if facts["cuda"]:
        gpu = torch.device("cuda")
        facts["gpu"] = torch.cuda.get_device_name()
        facts["gpu_bfloat16_tflops"] = round(convolution_tflops(torch.bfloat16, gpu), 1)
        lines.append(f"GPU: {facts['gpu']}, bfloat16 convolutions {facts['gpu_bfloat16_tflops']} TFLOP/s")
        if shutil.which("cc") is None:
            facts["missing"]["faster training on the GPU"] = "a C compiler, on Debian apt-get install gcc"
    else:
        lines.append("GPU: none usable by torch; everything works without one")
    lines.append(f"reads: {', '.join(facts['decoders'])}")
    if facts["decoders_missing"]:
        lines.append(f"libsndfile here cannot read {', '.join(facts['decoders_missing'])}: pip install -U soundfile")
    lines += [f"missing for {what}: {line}" for what, line in facts["missing"].items()]
    return facts, "\n".join(lines)
