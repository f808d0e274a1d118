"""What torch computes on, how it is set up so that sums come out the same, and what that is called."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Final

import diffusers
import torch
import transformers

_PROCESSORS: Final = Path("/proc/cpuinfo")


def prepare() -> torch.device:
    """The GPU, or else the processor; set up for equal bits from run to run."""
    if threads := os.environ.get("PRIVATE_VIEW_TORCH_THREADS"):
        torch.set_num_threads(int(threads))
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    torch.backends.cudnn.benchmark = False  # it may choose another algorithm, and other bits, from run to run
    torch.backends.cudnn.deterministic = True
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def describe(device: torch.device) -> str:
    """The model, and what else of it decides how sums are split and rounded; at most 100 characters."""
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        return f"{gpu.name}, compute {gpu.major}.{gpu.minor}, CUDA {torch.version.cuda}"[:100]
    instructions, threads = torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()
    return f"{_processor()[:60]}, {instructions}, {threads} {'thread' if threads == 1 else 'threads'}"


def _processor() -> str:
    """As Linux names it; elsewhere the architecture."""
    try:
        lines = _PROCESSORS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, "") or platform.machine()
