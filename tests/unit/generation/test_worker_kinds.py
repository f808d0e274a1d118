"""Workers are of one kind when they would give the same bits, and take about the same time."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch

from generation.backends.base import Backend
from generation.backends.diffusers import hardware
from generation.backends.null import NullBackend
from generation.spec import Capability
from generation.worker.kinds import kind_of

GPU = Capability(
    device="cuda",
    hardware="NVIDIA H200, compute 9.0, CUDA 13.0",
    dtype="bfloat16",
    memory=1 << 30,
    load_seconds=1.0,
    warm_seconds=1.0,
    rung="none",
    images=True,
    adapters=True,
    at_once=8,
)


def kind(**other: Any) -> str:
    backend = SimpleNamespace(name="diffusers", capability=lambda: replace(GPU, **other))
    return kind_of(cast("Backend", backend))


@pytest.mark.parametrize(
    "other",
    [
        {"hardware": "NVIDIA L4, compute 8.9, CUDA 13.0"},
        {"hardware": "NVIDIA H200, compute 9.0, CUDA 12.8"},
        {"dtype": "float32"},
        {"rung": "tiling"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_machine_format_or_rung_is_another_kind(other: dict[str, str]) -> None:
    assert kind(**other) != kind()


def test_what_was_measured_meanwhile_is_no_other_kind() -> None:
    assert kind(memory=2 << 30, at_once=4, load_seconds=9.0) == kind()


def test_a_kind_can_be_read() -> None:
    assert kind().startswith("NVIDIA H200, compute 9.0, CUDA 13.0, bfloat16, torch 2.")
    assert ", bfloat16, group offload, torch" in kind(rung="group offload")
    assert kind_of(NullBackend()) == "null none uint8"


def test_a_processor_is_told_with_its_instructions_and_threads() -> None:
    told = hardware.describe(torch.device("cpu"))
    assert torch.backends.cpu.get_cpu_capability() in told
    assert f", {torch.get_num_threads()} thread" in told
    assert len(told) <= 100


def test_a_gpu_is_told_with_its_compute_capability(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = SimpleNamespace(name="NVIDIA GeForce RTX 4090 Laptop GPU", major=8, minor=9)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _device: gpu)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    told = hardware.describe(torch.device("cuda"))
    assert told == "NVIDIA GeForce RTX 4090 Laptop GPU, compute 8.9, CUDA 13.0"
