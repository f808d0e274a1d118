"""What a LoRA file holds, and that its numbers are some: who takes uploads asks here, without the model libraries."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from safetensors import SafetensorError, safe_open

from generation.errors import SpecRejected

MOST_BYTES: Final = 512 * 1024**2
HIGHEST_RANK: Final = 128

_DOWN, _UP = ".lora_A.weight", ".lora_B.weight"
_PART: Final = "transformer."
_SETTINGS: Final = "lora_adapter_metadata"  # where diffusers writes PEFT's settings
# As little-endian whole numbers: all bits but the sign's, and these bits of the largest weight that may be: the largest
# number of half precision. Infinity and what is no number have more in each format.
_NUMBERS: Final = {
    "F32": ("<u4", 0x7FFF_FFFF, 0x477F_E000),
    "F16": ("<u2", 0x7FFF, 0x7BFF),
    "BF16": ("<u2", 0x7FFF, 0x477F),
}
_PIECE: Final = 1 << 22  # bytes of a tensor in memory at a time
_MORE_THAN_PLAIN: Final = (
    "alpha_pattern",
    "rank_pattern",
    "use_dora",
    "use_rslora",
    "lora_bias",
    "modules_to_save",
)

Shapes: TypeAlias = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class AdapterFacts:
    """A LoRA file in diffusers' layout: the highest rank of its pairs, the modules they change, and what names it.

    `targets` are modules as the pipeline calls them, in alphabetical order: `transformer.blocks.0.attn1.to_q`. `scale`
    is what the file's own settings multiply its pairs with (alpha / rank), 1 where it says nothing.
    """

    rank: int
    scale: float
    targets: tuple[str, ...]
    bytes: int
    sha256: str


def inspect_adapter(
    path: Path,
    *,
    checkpoint: Path | None = None,
    most_bytes: int = MOST_BYTES,
    highest_rank: int = HIGHEST_RANK,
) -> AdapterFacts:
    """Facts of a LoRA file; has a few MiB of its weights in memory at a time.

    `checkpoint` is the folder of the pipeline that it is meant for: each target must be there, in the right shape.
    Raises SpecRejected: `adapter_unreadable` (no safetensors file), `adapter_too_large`, `adapter_tensors` (something
    that is no LoRA pair), `adapter_numbers` (more than half precision holds, or none), `adapter_settings` (more than
    a plain LoRA), `adapter_rank`, `adapter_targets`.
    """
    status = _stat(path)
    if status.st_size > most_bytes:
        raise SpecRejected(
            "adapter_too_large", f"An adapter has at most {most_bytes // 1024**2} MiB; this one has more."
        )
    facts, shapes = _read(path, status.st_size, status.st_mtime_ns)
    if facts.rank > highest_rank:
        raise SpecRejected(
            "adapter_rank", f"An adapter has a rank of at most {highest_rank}; this one has {facts.rank}."
        )
    if checkpoint is not None:
        _check_targets(shapes, _weights_of(checkpoint))
    return facts


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as fault:
        raise SpecRejected("adapter_unreadable", "The adapter's file cannot be read.") from fault


@lru_cache(maxsize=64)
def _read(path: Path, size: int, changed: int) -> tuple[AdapterFacts, dict[str, tuple[int, int]]]:
    """Facts, and for each target (features out, features in). Size and time of change are there for the cache."""
    shapes, numbers = _header(path)
    if not numbers <= _NUMBERS.keys():
        raise SpecRejected("adapter_tensors", "An adapter's weights are float32, float16 or bfloat16.")
    pairs = dict(_pairs(shapes))
    scale = _scale(path)
    _check_numbers(path, size)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    rank = max(rank for rank, _ in pairs.values())
    facts = AdapterFacts(rank=rank, scale=scale, targets=tuple(sorted(pairs)), bytes=size, sha256=digest)
    return facts, {module: shape for module, (_, shape) in pairs.items()}


def _header(path: Path) -> tuple[dict[str, tuple[int, ...]], set[str]]:
    """The shape of each tensor, and the kinds of numbers."""
    try:
        with safe_open(path, framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 (it is no dict)
            numbers = {tensor.get_dtype() for tensor in slices.values()}
            shapes = {name: tuple(tensor.get_shape()) for name, tensor in slices.items()}
    except (SafetensorError, OSError) as fault:
        raise SpecRejected("adapter_unreadable", "The adapter is no safetensors file.") from fault
    return shapes, numbers


def _check_numbers(path: Path, size: int) -> None:
    """Raises SpecRejected where a weight is huge, infinite or none: every clip with it would be noise, and no clip.

    The tensors lie one after the other at the end of the file, with no gap; safetensors has made sure of that.
    """
    with safe_open(path, framework="numpy") as file:
        slices = [(name, file.get_slice(name)) for name in file.offset_keys()]
        tensors = [(name, *_NUMBERS[it.get_dtype()], math.prod(it.get_shape())) for name, it in slices]
    with path.open("rb") as content:
        content.seek(size - sum(count * np.dtype(kind).itemsize for _, kind, *_, count in tensors))
        for name, kind, magnitude, largest, count in tensors:
            piece = _PIECE // np.dtype(kind).itemsize
            for start in range(0, count, piece):
                bits = np.fromfile(content, kind, min(piece, count - start))
                if ((bits & magnitude) > largest).any():
                    raise SpecRejected(
                        "adapter_numbers",
                        f"An adapter's weights are numbers up to 65,504; {name[:100]} has some that are not.",
                    )


def _pairs(shapes: Shapes) -> Iterator[tuple[str, tuple[int, tuple[int, int]]]]:
    """(module, (rank, (features out, features in))) of each pair; everything in the file must belong to one."""
    modules = {name.removesuffix(_DOWN) for name in shapes if name.endswith(_DOWN)}
    expected = {module + end for module in modules for end in (_DOWN, _UP)}
    if not modules or expected != set(shapes):
        odd = sorted(expected ^ set(shapes))
        raise _no_pairs(odd[0] if odd else None)
    for module in modules:
        down, up = shapes[module + _DOWN], shapes[module + _UP]
        if len(down) != 2 or len(up) != 2 or down[0] != up[1] or not module.startswith(_PART):
            raise _no_pairs(module)
        yield module, (down[0], (up[0], down[1]))


def _scale(path: Path) -> float:
    """Alpha / rank of the settings in the file's header.

    Nothing else is taken from there: with some settings PEFT rewrites the model's own weights as it loads, for whoever
    renders next. What would look wrong without its settings is refused.
    """
    with safe_open(path, framework="numpy") as file:
        header = (file.metadata() or {}).get(_SETTINGS, "{}")
    try:
        settings = {name.removeprefix(_PART): value for name, value in dict(json.loads(header)).items()}
        scale = float(settings.get("lora_alpha", 1)) / float(settings.get("r", 1))
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError) as fault:
        raise _odd_settings("they cannot be read") from fault
    if not math.isfinite(scale):
        raise _odd_settings("they multiply it with no number")
    for name in _MORE_THAN_PLAIN:
        if settings.get(name):
            raise _odd_settings(name)
    return scale


def _odd_settings(what: str) -> SpecRejected:
    return SpecRejected("adapter_settings", f"The adapter's settings ask for more than a plain LoRA: {what}.")


def _no_pairs(name: str | None) -> SpecRejected:
    found = f"{name[:100]} is in no pair" if name else "it holds none"
    return SpecRejected(
        "adapter_tensors",
        "An adapter holds pairs named transformer.….lora_A.weight and transformer.….lora_B.weight, as diffusers "
        f"saves them, and nothing else; {found}.",
    )


def _check_targets(targets: Shapes, weights: Shapes) -> None:
    for module, shape in sorted(targets.items()):
        if weights.get(module) != shape:
            why = "has no such module" if module not in weights else "has it in another size"
            raise SpecRejected(
                "adapter_targets",
                f"The adapter changes {module[:100]}, but this model {why}. Is it for another?",
            )


@lru_cache(maxsize=8)
def _weights_of(checkpoint: Path) -> dict[str, tuple[int, ...]]:
    """Shape of each two-dimensional weight of the transformer, under its module's name; from the files' headers."""
    found: dict[str, tuple[int, ...]] = {}
    for file in sorted((checkpoint / "transformer").glob("*.safetensors")):
        for name, shape in _header(file)[0].items():
            if len(shape) == 2 and name.endswith(".weight"):
                found[_PART + name.removesuffix(".weight")] = shape
    return found
