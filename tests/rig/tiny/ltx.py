"""LTX-Video and LTX-2."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLLTX2Audio,
    AutoencoderKLLTX2Video,
    AutoencoderKLLTXVideo,
    FlowMatchEulerDiscreteScheduler,
    LTX2Pipeline,
    LTX2VideoTransformer3DModel,
    LTXConditionPipeline,
    LTXPipeline,
    LTXVideoTransformer3DModel,
)
from diffusers.pipelines.ltx2 import LTX2TextConnectors
from diffusers.pipelines.ltx2.vocoder import LTX2Vocoder
from transformers import (
    Gemma3Config,
    Gemma3ForConditionalGeneration,
    Gemma3TextConfig,
    SiglipVisionConfig,
    T5Config,
    T5EncoderModel,
)

from tests.rig.tiny.tokenizers import lay_down_t5, t5, whole_words


def save_tiny_ltx(folder: Path) -> None:
    """LTX-Video 0.9: VAE 8 x 32 x 32, a T5 whose padding is masked, a schedule that shifts with the size."""
    _save_ltx(LTXPipeline, folder, takes_timestep=False, shifts=True)


def save_tiny_ltx_091(folder: Path) -> None:
    """LTX-Video 0.9.1: the VAE takes a timestep."""
    _save_ltx(LTXPipeline, folder, takes_timestep=True, shifts=True)


def save_tiny_ltx_095(folder: Path) -> None:
    """LTX-Video 0.9.5 and later: conditions of any kind, a fixed schedule."""
    _save_ltx(LTXConditionPipeline, folder, takes_timestep=True, shifts=False)


def _save_ltx(pipeline: Any, folder: Path, *, takes_timestep: bool, shifts: bool) -> None:
    torch.manual_seed(0)
    pipeline(
        tokenizer=t5(folder / "tokenizer"),
        text_encoder=T5EncoderModel(
            T5Config(vocab_size=32, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=shifts),
        transformer=LTXVideoTransformer3DModel(
            in_channels=8,
            out_channels=8,
            num_attention_heads=4,
            attention_head_dim=8,
            cross_attention_dim=32,
            caption_channels=32,
            num_layers=2,
        ),
        vae=AutoencoderKLLTXVideo(
            latent_channels=8,
            block_out_channels=(8, 8, 8, 8),
            decoder_block_out_channels=(8, 8, 8, 8),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1, 1),
            timestep_conditioning=takes_timestep,
        ),
    ).save_pretrained(folder)
    lay_down_t5(folder / "tokenizer")
    _write_profile(folder)


def save_tiny_ltx_2(folder: Path) -> None:
    """LTX-2: pictures and sound in one transformer, Gemma 3 for the text, connectors between."""
    torch.manual_seed(0)
    audio_vae = AutoencoderKLLTX2Audio(
        base_channels=4,
        output_channels=2,
        ch_mult=(1,),
        num_res_blocks=1,
        attn_resolutions=None,
        in_channels=2,
        resolution=32,
        latent_channels=2,
        mid_block_add_attention=False,
        mel_bins=8,
    )
    LTX2Pipeline(
        tokenizer=whole_words(padding_side="left"),
        text_encoder=_gemma(),
        connectors=_connectors(),
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True),
        transformer=LTX2VideoTransformer3DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=8,
            cross_attention_dim=16,
            audio_in_channels=4,
            audio_out_channels=4,
            audio_num_attention_heads=2,
            audio_attention_head_dim=4,
            audio_cross_attention_dim=8,
            num_layers=2,
            caption_channels=16,
            rope_double_precision=False,
            rope_type="split",
        ),
        vae=AutoencoderKLLTX2Video(
            latent_channels=4,
            block_out_channels=(8, 16, 32, 64),
            decoder_block_out_channels=(8, 16, 32),
            layers_per_block=(1, 1, 1, 1, 1),
            decoder_layers_per_block=(1, 1, 1, 1),
            spatial_compression_ratio=32,
            temporal_compression_ratio=8,
        ),
        audio_vae=audio_vae,
        vocoder=LTX2Vocoder(
            in_channels=16,
            hidden_channels=32,
            out_channels=2,
            upsample_kernel_sizes=[4, 4],
            upsample_factors=[2, 2],
            resnet_kernel_sizes=[3],
            resnet_dilations=[[1, 3, 5]],
            output_sampling_rate=16000,
        ),
    ).save_pretrained(folder)
    _write_profile(folder)


def _gemma() -> Gemma3ForConditionalGeneration:
    text = Gemma3TextConfig(
        vocab_size=32,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )
    sight = SiglipVisionConfig(
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    return Gemma3ForConditionalGeneration(
        Gemma3Config(text_config=text, vision_config=sight, mm_tokens_per_image=4, image_token_index=31)
    )


def _connectors() -> LTX2TextConnectors:
    return LTX2TextConnectors(
        caption_channels=16,
        text_proj_in_factor=3,
        video_connector_num_attention_heads=2,
        video_connector_attention_head_dim=8,
        video_connector_num_layers=1,
        video_connector_num_learnable_registers=None,
        audio_connector_num_attention_heads=2,
        audio_connector_attention_head_dim=8,
        audio_connector_num_layers=1,
        audio_connector_num_learnable_registers=None,
        connector_rope_base_seq_len=32,
        rope_double_precision=False,
        rope_type="split",
    )


def _write_profile(folder: Path) -> None:
    limits = {"pixels": 64 * 64, "max_frames": 9, "max_sequence_length": 16, "window_seconds": [1, 2]}
    (folder / "profile.json").write_text(json.dumps(limits), encoding="utf-8")
