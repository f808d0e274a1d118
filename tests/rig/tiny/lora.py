"""LoRA files for tiny checkpoints, as diffusers saves them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from generation.spec import Adapter

Tensors = dict[str, torch.Tensor]
_MODULE = "transformer.blocks.0.attn1.to_q"


def pairs_for(checkpoint: Path, *, rank: int = 4, seed: int = 0, ending: str = "attn1.to_q") -> Tensors:
    """Random pairs, strong enough to be seen, for every module of the transformer with that name's ending."""
    draw = torch.Generator().manual_seed(seed)
    weights = load_file(checkpoint / "transformer" / "diffusion_pytorch_model.safetensors")
    tensors: Tensors = {}
    for name, weight in weights.items():
        if name.endswith(f"{ending}.weight"):
            module, (features_out, features_in) = f"transformer.{name.removesuffix('.weight')}", weight.shape
            tensors[f"{module}.lora_A.weight"] = torch.randn(rank, features_in, generator=draw)
            tensors[f"{module}.lora_B.weight"] = torch.randn(features_out, rank, generator=draw)
    return tensors


def one_pair(*, rank: int = 4, width: int = 24) -> Tensors:
    """A pair for the first block of the tiny Wan."""
    return {
        f"{_MODULE}.lora_A.weight": torch.zeros(rank, width),
        f"{_MODULE}.lora_B.weight": torch.zeros(width, rank),
    }


def write(file: Path, tensors: Tensors, **settings: Any) -> Adapter:
    """The file, with settings in its header where there are any."""
    header = {f"transformer.{name}": value for name, value in settings.items()}
    save_file(tensors, file, metadata={"lora_adapter_metadata": json.dumps(header)} if header else None)
    return Adapter(file, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
