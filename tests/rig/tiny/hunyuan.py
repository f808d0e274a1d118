"""HunyuanVideo, and 1.5 from text and from pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLHunyuanVideo,
    AutoencoderKLHunyuanVideo15,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideo15ImageToVideoPipeline,
    HunyuanVideo15Pipeline,
    HunyuanVideo15Transformer3DModel,
    HunyuanVideoPipeline,
    HunyuanVideoTransformer3DModel,
)
from diffusers.guiders import ClassifierFreeGuidance
from transformers import (
    ByT5Tokenizer,
    CLIPTextConfig,
    CLIPTextModel,
    LlamaConfig,
    LlamaModel,
    Qwen2_5_VLTextConfig,
    Qwen2_5_VLTextModel,
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
    T5Config,
    T5EncoderModel,
)

from tests.rig.tiny.tokenizers import WORDS, whole_words

# The pipeline cuts off the first 108 tokens, which published tokenizers make of the system's message.
_CHAT = "{{ 'scene ' * 60 }}{% for message in messages %}{{ message['role'] }} {{ message['content'] }} {% endfor %}"


def save_tiny_hunyuan(folder: Path) -> None:
    """HunyuanVideo: Llama and CLIP, guidance as a number that the transformer reads."""
    torch.manual_seed(0)
    HunyuanVideoPipeline(
        tokenizer=whole_words(),
        text_encoder=LlamaModel(
            LlamaConfig(
                vocab_size=len(WORDS),
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=3,
                num_attention_heads=2,
                pad_token_id=0,
            )
        ),
        tokenizer_2=whole_words(length=77),
        text_encoder_2=CLIPTextModel(
            CLIPTextConfig(
                vocab_size=len(WORDS),
                hidden_size=8,
                intermediate_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                eos_token_id=1,
            )
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=7.0),
        transformer=HunyuanVideoTransformer3DModel(
            in_channels=4,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=10,
            num_layers=1,
            num_single_layers=1,
            num_refiner_layers=1,
            text_embed_dim=16,
            pooled_projection_dim=8,
            rope_axes_dim=(2, 4, 4),
        ),
        vae=AutoencoderKLHunyuanVideo(
            latent_channels=4, block_out_channels=(8, 8, 8, 8), layers_per_block=1, norm_num_groups=4
        ),
    ).save_pretrained(folder)
    _write_profile(folder, max_sequence_length=64)


def save_tiny_hunyuan_15(folder: Path) -> None:
    """HunyuanVideo 1.5: Qwen and ByT5, a guider, no callback."""
    torch.manual_seed(0)
    HunyuanVideo15Pipeline(**_parts_of_15("t2v")).save_pretrained(folder)
    _write_profile(folder)


def save_tiny_hunyuan_15_picture(folder: Path) -> None:
    """HunyuanVideo 1.5 I2V: the picture gives the size, goes in as channels, and through SigLIP as words."""
    torch.manual_seed(0)
    sight = SiglipVisionConfig(
        hidden_size=12,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=54,
        patch_size=2,
    )
    HunyuanVideo15ImageToVideoPipeline(
        **_parts_of_15("i2v"),
        image_encoder=SiglipVisionModel(sight),
        feature_extractor=SiglipImageProcessor(size={"height": 54, "width": 54}),
    ).save_pretrained(folder)
    _write_profile(folder, window_seconds=[1, 2])


def _parts_of_15(task: str) -> dict[str, Any]:
    words = whole_words(length=1200)
    words.chat_template = _CHAT
    return {
        "tokenizer": words,
        "text_encoder": Qwen2_5_VLTextModel(
            Qwen2_5_VLTextConfig(
                vocab_size=len(WORDS),
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=3,
                num_attention_heads=2,
                num_key_value_heads=2,
                rope_parameters={"rope_type": "default", "rope_theta": 1e6, "mrope_section": [1, 1, 2]},
            )
        ),
        "tokenizer_2": ByT5Tokenizer(),
        "text_encoder_2": T5EncoderModel(
            T5Config(vocab_size=384, d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
        ),
        "guider": ClassifierFreeGuidance(guidance_scale=6.0),
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=7.0),
        "transformer": HunyuanVideo15Transformer3DModel(
            in_channels=9,
            out_channels=4,
            num_attention_heads=2,
            attention_head_dim=8,
            num_layers=1,
            num_refiner_layers=1,
            mlp_ratio=2.0,
            text_embed_dim=16,
            text_embed_2_dim=32,
            image_embed_dim=12,
            rope_axes_dim=(2, 2, 4),
            target_size=64,
            task_type=task,
        ),
        "vae": AutoencoderKLHunyuanVideo15(
            latent_channels=4,
            block_out_channels=(16, 16, 16, 16, 16),
            layers_per_block=1,
            downsample_match_channel=False,
            upsample_match_channel=False,
        ),
    }


def _write_profile(folder: Path, **more: Any) -> None:
    limits = {"pixels": 64 * 64, "max_frames": 9, **more}
    (folder / "profile.json").write_text(json.dumps(limits), encoding="utf-8")
