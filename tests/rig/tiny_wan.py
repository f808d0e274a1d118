"""A Wan checkpoint of the real classes with random weights of under a megabyte, laid out as published ones are."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, UniPCMultistepScheduler, WanPipeline, WanTransformer3DModel
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

_WORDS = ("<pad>", "</s>", "<unk>", "a", "red", "boat", "drifts")


def save_tiny_wan(folder: Path) -> None:
    """Writes a pipeline folder with Wan's layout: VAE 4 x 8 x 8, patches of 1 x 2 x 2, flow matching by UniPC."""
    torch.manual_seed(0)
    pipeline = WanPipeline(
        tokenizer=_tokenizer(),
        text_encoder=UMT5EncoderModel(
            UMT5Config(vocab_size=len(_WORDS), d_model=32, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
        ),
        vae=AutoencoderKLWan(base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1),
        scheduler=UniPCMultistepScheduler(
            prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
        ),
        transformer=WanTransformer3DModel(
            patch_size=(1, 2, 2),
            num_attention_heads=2,
            attention_head_dim=12,
            in_channels=16,
            out_channels=16,
            text_dim=32,
            ffn_dim=32,
            num_layers=2,
            cross_attn_norm=True,
            rope_max_seq_len=32,
        ),
    )
    pipeline.save_pretrained(folder)
    limits = {"pixels": 64 * 48, "max_frames": 9, "max_sequence_length": 16}
    (folder / "profile.json").write_text(json.dumps(limits), encoding="utf-8")


def _tokenizer() -> PreTrainedTokenizerFast:
    words = Tokenizer(models.WordLevel({word: k for k, word in enumerate(_WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", model_max_length=16
    )
