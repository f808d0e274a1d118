"""Wan: 2.1, 2.2 for text and pictures (5B), 2.2 with two experts (A14B), and 2.1 that starts from pictures only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLWan,
    UniPCMultistepScheduler,
    WanImageToVideoPipeline,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import (
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
    UMT5Config,
    UMT5EncoderModel,
)

from tests.rig.tiny.tokenizers import WORDS, whole_words


def save_tiny_wan(folder: Path) -> None:
    """Wan 2.1: VAE 4 x 8 x 8, patches of 1 x 2 x 2, flow matching by UniPC."""
    torch.manual_seed(0)
    WanPipeline(**_parts(), transformer=_transformer()).save_pretrained(folder)
    _write_profile(folder)


def save_tiny_wan_5b(folder: Path) -> None:
    """Wan 2.2 5B: starts from text, or from a picture whose tokens have timestep 0."""
    torch.manual_seed(0)
    WanPipeline(**_parts(), transformer=_transformer(), expand_timesteps=True).save_pretrained(folder)
    _write_profile(folder, window_seconds=[1, 2])


def save_tiny_wan_a14b(folder: Path) -> None:
    """Wan 2.2 A14B: one expert for much noise, one for little."""
    torch.manual_seed(0)
    WanPipeline(
        **_parts(), transformer=_transformer(), transformer_2=_transformer(), boundary_ratio=0.875
    ).save_pretrained(folder)
    _write_profile(folder)


def save_tiny_wan_small_world(folder: Path) -> None:
    """Laid out as the built-in model is: every frame has latents of its own, one size and one number of frames."""
    torch.manual_seed(0)
    vae = AutoencoderKLWan(
        base_dim=8,
        z_dim=16,
        dim_mult=[1, 1],
        num_res_blocks=0,
        attn_scales=[],
        temperal_downsample=[False],
        in_channels=192,
        out_channels=192,
        patch_size=8,
        scale_factor_temporal=1,
        scale_factor_spatial=16,
    )
    WanPipeline(
        **{**_parts(), "vae": vae}, transformer=_transformer(), expand_timesteps=True
    ).save_pretrained(folder)
    _write_profile(folder, width=64, height=64, frames=8, fps=8, images=True, window_seconds=[2, 5])


def save_tiny_wan_picture(folder: Path) -> None:
    """Wan 2.1 I2V: the picture goes in as channels, and through CLIP as words."""
    torch.manual_seed(0)
    vision = CLIPVisionConfig(
        hidden_size=32,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=16,
        projection_dim=32,
    )
    WanImageToVideoPipeline(
        **_parts(),
        transformer=_transformer(in_channels=36, image_dim=32),
        image_encoder=CLIPVisionModel(vision),
        image_processor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}),
    ).save_pretrained(folder)
    _write_profile(folder)


def save_tiny_wan_a14b_picture(folder: Path) -> None:
    """Wan 2.2 I2V A14B: the picture goes in as channels, to both experts; no CLIP."""
    torch.manual_seed(0)
    WanImageToVideoPipeline(
        **_parts(),
        transformer=_transformer(in_channels=36),
        transformer_2=_transformer(in_channels=36),
        boundary_ratio=0.9,
    ).save_pretrained(folder)
    _write_profile(folder)


def _parts() -> dict[str, Any]:
    return {
        "tokenizer": whole_words(length=16),
        "text_encoder": UMT5EncoderModel(
            UMT5Config(vocab_size=len(WORDS), d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
        ),
        "vae": AutoencoderKLWan(base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1),
        "scheduler": UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
    }


def _transformer(**more: Any) -> WanTransformer3DModel:
    settings = {
        "patch_size": (1, 2, 2),
        "num_attention_heads": 2,
        "attention_head_dim": 12,
        "in_channels": 16,
        "out_channels": 16,
        "text_dim": 32,
        "ffn_dim": 32,
        "num_layers": 2,
        "cross_attn_norm": True,
        "rope_max_seq_len": 32,
    }
    return WanTransformer3DModel(**{**settings, **more})


def _write_profile(folder: Path, **more: Any) -> None:
    limits = {"pixels": 64 * 48, "max_frames": 9, "max_sequence_length": 16, "size_multiple": 16, **more}
    (folder / "profile.json").write_text(json.dumps(limits), encoding="utf-8")
