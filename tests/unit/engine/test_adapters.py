"""What is read from a LoRA file's header, and what is refused there; no model library is needed to ask."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from generation.backends.adapters import inspect_adapter
from generation.errors import SpecRejected
from tests.rig.tiny.lora import Tensors, one_pair, pairs_for, write
from tests.rig.tiny.wan import save_tiny_wan


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny-wan")
    save_tiny_wan(folder)
    return folder


def refused(path: Path, **limits: Any) -> str:
    with pytest.raises(SpecRejected) as refusal:
        inspect_adapter(path, **limits)
    assert refusal.value.sentence.endswith((".", "?"))
    return refusal.value.code


def test_reads_rank_targets_size_and_digest(tmp_path: Path, checkpoint: Path) -> None:
    file = tmp_path / "style.safetensors"
    write(file, pairs_for(checkpoint, rank=6))
    facts = inspect_adapter(file, checkpoint=checkpoint)
    assert facts.rank == 6
    assert facts.targets == ("transformer.blocks.0.attn1.to_q", "transformer.blocks.1.attn1.to_q")
    assert facts.bytes == file.stat().st_size
    assert facts.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert facts.scale == 1.0


def test_reads_how_strong_it_was_trained(tmp_path: Path) -> None:
    write(tmp_path / "style.safetensors", one_pair(rank=4), r=4, lora_alpha=8)
    assert inspect_adapter(tmp_path / "style.safetensors").scale == 2.0


def test_needs_no_model_library(tmp_path: Path, checkpoint: Path) -> None:
    write(tmp_path / "style.safetensors", one_pair())
    script = (
        "import sys; from pathlib import Path; from generation.backends.adapters import inspect_adapter; "
        "inspect_adapter(Path(sys.argv[1]), checkpoint=Path(sys.argv[2])); "
        "print(sorted({'torch', 'diffusers', 'transformers', 'django'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "style.safetensors"), str(checkpoint)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_refuses_what_is_not_there_and_what_is_no_safetensors(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.safetensors") == "adapter_unreadable"
    torch.save(one_pair(), tmp_path / "pickle.safetensors")
    assert refused(tmp_path / "pickle.safetensors") == "adapter_unreadable"
    whole = tmp_path / "whole.safetensors"
    save_file(one_pair(), whole)
    whole.write_bytes(whole.read_bytes()[:-8])
    assert refused(whole) == "adapter_unreadable"


def test_refuses_what_is_larger_than_allowed(tmp_path: Path) -> None:
    write(tmp_path / "style.safetensors", one_pair(rank=8))
    size = (tmp_path / "style.safetensors").stat().st_size
    assert refused(tmp_path / "style.safetensors", most_bytes=size - 1) == "adapter_too_large"
    assert refused(tmp_path / "style.safetensors", highest_rank=7) == "adapter_rank"
    assert inspect_adapter(tmp_path / "style.safetensors", most_bytes=size, highest_rank=8).rank == 8


@pytest.mark.parametrize("number", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30, -66_000.0], ids=str)
def test_refuses_weights_that_are_no_numbers_or_none_that_half_precision_holds(
    tmp_path: Path, number: torch.dtype, value: float
) -> None:
    for name in one_pair():
        for place in (0, -1):
            tensors = {key: tensor.to(number) for key, tensor in one_pair(rank=5, width=25).items()}
            tensors[name].view(-1)[place] = value
            write(tmp_path / f"{name}{place}.safetensors", tensors)
            assert refused(tmp_path / f"{name}{place}.safetensors") == "adapter_numbers"


@pytest.mark.parametrize("number", [torch.float32, torch.float16, torch.bfloat16], ids=str)
def test_takes_the_largest_and_the_smallest_numbers_that_half_precision_holds(
    tmp_path: Path, number: torch.dtype
) -> None:
    tensors = {key: tensor.to(number) for key, tensor in one_pair().items()}
    for tensor in tensors.values():
        edges = torch.finfo(number)
        largest = 65_280.0 if number == torch.bfloat16 else 65_504.0
        tensor.view(-1)[:3] = torch.tensor([largest, -largest, edges.smallest_normal / 2], dtype=number)
    write(tmp_path / "style.safetensors", tensors)
    assert inspect_adapter(tmp_path / "style.safetensors").rank == 4


def test_reads_a_large_tensor_piece_by_piece(tmp_path: Path) -> None:
    """96 MiB in one tensor, the last number infinite, with room for a few pieces of it at a time."""
    tensors = one_pair(rank=1, width=3 * 2**23)
    tensors["transformer.blocks.0.attn1.to_q.lora_B.weight"] = torch.zeros(24, 1)
    tensors["transformer.blocks.0.attn1.to_q.lora_A.weight"][0, -1] = float("inf")
    write(tmp_path / "style.safetensors", tensors)
    script = (
        "import resource, sys; from pathlib import Path; from generation.backends.adapters import inspect_adapter\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try: inspect_adapter(Path(sys.argv[1]))\n"
        "except Exception as fault: print(fault.code)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "style.safetensors")]
    code, grown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert code == "adapter_numbers"
    assert int(grown) < 32 * 1024


def odd(name: str) -> Tensors:
    pair = one_pair()
    module = "transformer.blocks.0.attn1.to_q"
    return {
        "nothing": {},
        "half a pair": {f"{module}.lora_A.weight": pair[f"{module}.lora_A.weight"]},
        "a weight": {**pair, "transformer.proj_out.weight": torch.zeros(4, 4)},
        "other ranks": {**pair, f"{module}.lora_B.weight": torch.zeros(24, 5)},
        "a kernel": {**pair, f"{module}.lora_A.weight": torch.zeros(4, 24, 1, 1, 1)},
        "whole numbers": {key: value.to(torch.int8) for key, value in pair.items()},
        "another part": {key.replace("transformer", "text_encoder"): value for key, value in pair.items()},
        "kohya's names": {
            key.replace("transformer.", "diffusion_model."): value for key, value in pair.items()
        },
    }[name]


@pytest.mark.parametrize(
    "name",
    [
        "nothing",
        "half a pair",
        "a weight",
        "other ranks",
        "a kernel",
        "whole numbers",
        "another part",
        "kohya's names",
    ],
)
def test_refuses_what_is_no_pair(tmp_path: Path, name: str) -> None:
    save_file(odd(name), tmp_path / "style.safetensors")
    assert refused(tmp_path / "style.safetensors") == "adapter_tensors"


@pytest.mark.parametrize(
    "settings",
    [
        {"use_dora": True},
        {"alpha_pattern": {"to_q": 2}},
        {"use_rslora": True},
        {"r": 0},
        {"lora_alpha": "big"},
        {"lora_alpha": float("nan")},
        {"lora_alpha": float("inf")},
        {"lora_alpha": 10**400},
        {"lora_alpha": 1, "r": 10**400},
        {"r": float("nan")},
    ],
)
def test_refuses_settings_that_a_plain_lora_has_not(tmp_path: Path, settings: dict[str, Any]) -> None:
    write(tmp_path / "style.safetensors", one_pair(), **settings)
    assert refused(tmp_path / "style.safetensors") == "adapter_settings"


def test_refuses_settings_that_cannot_be_read(tmp_path: Path) -> None:
    save_file(one_pair(), tmp_path / "a.safetensors", metadata={"lora_adapter_metadata": "{"})
    save_file(one_pair(), tmp_path / "b.safetensors", metadata={"lora_adapter_metadata": json.dumps([1])})
    assert refused(tmp_path / "a.safetensors") == refused(tmp_path / "b.safetensors") == "adapter_settings"


def test_fits_a_checkpoint_that_is_kept_in_eight_bits(tmp_path: Path, checkpoint: Path) -> None:
    (tmp_path / "model" / "transformer").mkdir(parents=True)
    for file in (checkpoint / "transformer").glob("*.safetensors"):
        small = {name: weight.to(torch.float8_e4m3fn) for name, weight in load_file(file).items()}
        save_file(small, tmp_path / "model" / "transformer" / file.name)
    write(tmp_path / "style.safetensors", pairs_for(checkpoint, rank=2))

    assert inspect_adapter(tmp_path / "style.safetensors", checkpoint=tmp_path / "model").rank == 2


def test_refuses_modules_that_the_checkpoint_has_not(tmp_path: Path, checkpoint: Path) -> None:
    write(tmp_path / "other.safetensors", one_pair(width=32))
    assert refused(tmp_path / "other.safetensors", checkpoint=checkpoint) == "adapter_targets"
    renamed = {key.replace("blocks.0", "blocks.7"): value for key, value in one_pair().items()}
    write(tmp_path / "deep.safetensors", renamed)
    assert refused(tmp_path / "deep.safetensors", checkpoint=checkpoint) == "adapter_targets"
    assert inspect_adapter(tmp_path / "deep.safetensors").rank == 4


def test_reads_a_file_anew_when_it_was_changed(tmp_path: Path) -> None:
    file = tmp_path / "style.safetensors"
    write(file, one_pair(rank=4))
    before = inspect_adapter(file)
    write(file, one_pair(rank=5))
    assert (before.rank, inspect_adapter(file).rank) == (4, 5)
