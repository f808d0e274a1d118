"""CogVideoX: 1.0 with fixed positions, 1.5 with rotary ones and patches in time; both also from pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLCogVideoX,
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    CogVideoXImageToVideoPipeline,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
)
from transformers import T5Config, T5EncoderModel

from tests.rig.tiny.tokenizers import lay_down_t5, t5


def save_tiny_cogvideox(folder: Path) -> None:
    """CogVideoX 2B: absolute positions, DDIM."""
    _save(CogVideoXPipeline, folder, CogVideoXDDIMScheduler(prediction_type="v_prediction"))


def save_tiny_cogvideox_15(folder: Path) -> None:
    """CogVideoX 1.5: rotary positions, patches of two frames, a scheduler that draws noise of its own."""
    _save(
        CogVideoXPipeline,
        folder,
        CogVideoXDPMScheduler(prediction_type="v_prediction"),
        use_rotary_positional_embeddings=True,
        patch_size_t=2,
        patch_bias=False,
    )


def save_tiny_cogvideox_picture(folder: Path) -> None:
    """CogVideoX 5B I2V: the picture goes in as channels, positions are learned."""
    _save(
        CogVideoXImageToVideoPipeline,
        folder,
        CogVideoXDPMScheduler(prediction_type="v_prediction"),
        in_channels=8,
        use_rotary_positional_embeddings=True,
        use_learned_positional_embeddings=True,
    )


def save_tiny_cogvideox_15_picture(folder: Path) -> None:
    """CogVideoX 1.5 I2V: patches of two frames, and the distance between frames as a number."""
    _save(
        CogVideoXImageToVideoPipeline,
        folder,
        CogVideoXDPMScheduler(prediction_type="v_prediction"),
        in_channels=8,
        use_rotary_positional_embeddings=True,
        patch_size_t=2,
        patch_bias=False,
        ofs_embed_dim=2,
    )


def _save(pipeline: Any, folder: Path, scheduler: Any, **transformer: Any) -> None:
    torch.manual_seed(0)
    settings = {
        "num_attention_heads": 2,
        "attention_head_dim": 16,
        "in_channels": 4,
        "out_channels": 4,
        "time_embed_dim": 2,
        "text_embed_dim": 32,
        "num_layers": 1,
        "sample_width": 6,
        "sample_height": 4,
        "sample_frames": 9,
        "max_text_seq_length": 16,
    }
    pipeline(
        tokenizer=t5(folder / "tokenizer"),
        text_encoder=T5EncoderModel(
            T5Config(vocab_size=32, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
        ),
        scheduler=scheduler,
        transformer=CogVideoXTransformer3DModel(**{**settings, **transformer}),
        vae=AutoencoderKLCogVideoX(
            block_out_channels=(8, 8, 8, 8), latent_channels=4, layers_per_block=1, norm_num_groups=2
        ),
    ).save_pretrained(folder)
    lay_down_t5(folder / "tokenizer")
    limits = {
        "width": 48,
        "height": 32,
        "max_frames": 9,
        "max_sequence_length": 16,
        "window_seconds": [1, 2],
    }
    (folder / "profile.json").write_text(json.dumps(limits), encoding="utf-8")
