"""What this machine is and how to be quick on it: device, number format, threads, memory allocator."""

import ctypes
import os
import platform
import sys
from pathlib import Path
from typing import cast

import torch
from torch import nn
from torch._functorch import config as autograd_config

from bowerbird.errors import UsageError

__all__ = ["choose_device", "compiled", "describe_machine", "has_fast_bfloat16", "keep_freed_memory", "usable_cores"]


def usable_cores() -> int:
    """Cores this process may use: its affinity, and the quota of a container."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = Path("/sys/fs/cgroup/cpu.max")
    if quota.is_file():
        allowed, period = quota.read_text().split()[:2]
        if allowed != "max":
            cores = min(cores, max(1, round(int(allowed) / int(period))))
    return cores


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is quicker than float32 there."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return device.type == "cpu" and (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def choose_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" is CUDA where there is one, else the CPU."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f'there is no device "{name}"; known: auto, cpu, cuda') from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f'device "{name}" is not supported; known: auto, cpu, cuda')
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise UsageError(f"no CUDA GPU {device.index or 0} is usable here; use --device cpu (`bowerbird doctor` says more)")
    return device


def compiled(network: nn.Module) -> nn.Module:
    """The network compiled for the sizes it meets; its backward pass can be run for two losses.

    Batches of the judge come with two sizes of labels: two static graphs, not one of symbolic shape.
    """
    # As the library stands (2.13) a backward pass may otherwise write over what it will need again: wrong gradients, unsaid.
    autograd_config.donated_buffer = False
    return cast(nn.Module, torch.compile(network, dynamic=False, options={"inplace_buffers": False}))


def keep_freed_memory() -> bool:
    """Tells glibc to keep freed memory in the process; False where there is no glibc.

    By default every tensor over 32 MB goes back to the system when freed and is page-faulted in again on the next
    operation, which made element-wise work 3 to 6 times slower.
    """
    if sys.platform != "linux" or platform.libc_ver()[0] != "glibc":
        return False
    m_trim_threshold, m_top_pad, m_mmap_max, m_arena_max = -1, -2, -4, -8  # malloc.h
    mallopt = ctypes.CDLL("libc.so.6").mallopt
    settings = ((m_mmap_max, 0), (m_trim_threshold, 2**31 - 1), (m_top_pad, 2**28), (m_arena_max, 1))
    return all(mallopt(name, value) == 1 for name, value in settings)


def describe_machine() -> str:
    """One line: processor, cores, GPU."""
    name = platform.processor() or platform.machine()
    if sys.platform == "linux":
        with Path("/proc/cpuinfo").open(encoding="utf-8", errors="replace") as file:
            name = next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), name)
    gpu = f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{name}, {usable_cores()} cores{gpu}"
