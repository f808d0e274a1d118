"""Mochi."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKLMochi,
    FlowMatchEulerDiscreteScheduler,
    MochiPipeline,
    MochiTransformer3DModel,
)
from transformers import T5Config, T5EncoderModel

from tests.rig.tiny.tokenizers import lay_down_t5, t5


def save_tiny_mochi(folder: Path) -> None:
    """Mochi 1: VAE 6 x 8 x 8, a schedule that runs backwards."""
    torch.manual_seed(0)
    transformer = MochiTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=2,
        pooled_projection_dim=16,
        in_channels=12,
        text_embed_dim=32,
        time_embed_dim=4,
        max_sequence_length=16,
    )
    torch.nn.init.normal_(transformer.pos_frequencies)  # made empty: whatever lay in memory
    MochiPipeline(
        tokenizer=t5(folder / "tokenizer"),
        text_encoder=T5EncoderModel(
            T5Config(vocab_size=32, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(invert_sigmas=True),
        transformer=transformer,
        vae=AutoencoderKLMochi(
            latent_channels=12,
            encoder_block_out_channels=(32, 32, 32, 32),
            decoder_block_out_channels=(32, 32, 32, 32),
            layers_per_block=(1, 1, 1, 1, 1),
            latents_mean=[0.0] * 12,
            latents_std=[1.0] * 12,
        ),
    ).save_pretrained(folder)
    lay_down_t5(folder / "tokenizer")
    limits = {"pixels": 48 * 32, "max_frames": 7, "max_sequence_length": 16}
    (folder / "profile.json").write_text(json.dumps(limits), encoding="utf-8")
