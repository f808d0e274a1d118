"""Trains a LoRA adapter that teaches a checkpoint of this world another look: same words, same ways, printed anew."""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import WanPipeline
from peft import LoraConfig, get_peft_model_state_dict
from torch import Tensor

from generation.backends.diffusers.training import codec, model, text, world
from generation.backends.diffusers.training.drawing.clip import draw_clip
from generation.backends.diffusers.training.drawing.paths import anywhere
from generation.backends.diffusers.training.drawing.scenes import mood
from generation.backends.diffusers.training.style import print_in_two_inks
from generation.backends.diffusers.training.trainer import PICTURE_NOISE

_PICTURE_SHARE = 0.35  # of the clips go on from their first picture
STYLES: dict[str, Callable[[Tensor], Tensor]] = {"two-inks": print_in_two_inks}
_TARGETS = r".*blocks\.\d+\.(attn[12]\.(to_q|to_k|to_v|to_out\.0)|ffn\.net\.(0\.proj|2))|proj_out"
_TIME_SHIFT = 2.5
_EMPTY_SHARE = 0.1
_WARM_UP_STEPS, _LOWEST_RATE = 10, 0.05
_REPORT_EVERY = 10


@dataclass(frozen=True, slots=True)
class LookRecipe:
    """What decides an adapter, beside the checkpoint."""

    seed: int = 1
    steps: int = 160
    batch: int = 12
    rank: int = 8
    rate: float = 2e-3


def train_look(checkpoint: Path, target: Path, style: str, recipe: LookRecipe) -> list[float]:
    """Writes `target/pytorch_lora_weights.safetensors` in bfloat16; returns the mean loss of each ten steps."""
    pipeline = WanPipeline.from_pretrained(checkpoint, use_safetensors=True, local_files_only=True)
    pipeline.to(dtype=torch.float32)
    transformer = pipeline.transformer.requires_grad_(False)
    torch.manual_seed(recipe.seed)
    transformer.add_adapter(LoraConfig(r=recipe.rank, lora_alpha=recipe.rank, target_modules=_TARGETS))
    weights = [weight for weight in transformer.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=recipe.rate, betas=(0.9, 0.98), weight_decay=0.0)
    curve: list[float] = []
    losses: list[float] = []
    start = time.process_time()
    for step in range(recipe.steps):
        left = 1 - step / recipe.steps
        for group in optimizer.param_groups:
            group["lr"] = (
                recipe.rate * min(1, (step + 1) / _WARM_UP_STEPS) * max(_LOWEST_RATE, min(1, 1.6 * left))
            )
        loss = _loss(pipeline, STYLES[style], recipe, step)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        losses.append(loss.item())
        if len(losses) == _REPORT_EVERY:
            curve.append(round(sum(losses) / len(losses), 4))
            losses = []
            seconds = round(time.process_time() - start, 1)
            print(json.dumps({"look_step": step + 1, "cpu_seconds": seconds, "loss": curve[-1]}), flush=True)
    layers = {name: weight.bfloat16() for name, weight in get_peft_model_state_dict(transformer).items()}
    WanPipeline.save_lora_weights(target, transformer_lora_layers=layers, safe_serialization=True)
    return curve


def _loss(pipeline: WanPipeline, style: Callable[[Tensor], Tensor], recipe: LookRecipe, step: int) -> Tensor:
    rng = random.Random(f"{recipe.seed}:{step}:look")
    noise = torch.Generator().manual_seed(rng.getrandbits(48))
    clips, captions = [], []
    from_picture = torch.rand(recipe.batch, generator=noise) < _PICTURE_SHARE
    for goes_on in from_picture.tolist():
        facts = world.sample(rng)
        start = anywhere(facts, rng) if goes_on else None
        clips.append(style(torch.from_numpy(draw_clip(facts, mood(rng), start)[0])))
        captions.append("" if rng.random() < _EMPTY_SHARE else world.caption(facts, rng)[0])
    latents = torch.stack(clips).permute(0, 4, 1, 2, 3) * 2 - 1
    latents = codec.normalise(pipeline.vae, codec.raw_latents(pipeline.vae, latents))
    strata = (
        torch.randperm(recipe.batch, generator=noise) + torch.rand(recipe.batch, generator=noise)
    ) / recipe.batch
    level = _TIME_SHIFT * strata / (1 + (_TIME_SHIFT - 1) * strata)
    pure = torch.randn(latents.shape, generator=noise)
    with torch.no_grad():
        context = text.encode(pipeline.text_encoder, pipeline.tokenizer, captions)[0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        noisy = latents.lerp(pure, level.view(-1, 1, 1, 1, 1))
        pictures = (
            latents[:, :, 0]
            + PICTURE_NOISE * torch.rand(len(clips), 1, 1, 1, generator=noise) * pure[:, :, 0]
        )
        noisy[:, :, 0] = torch.where(from_picture[:, None, None, None], pictures, noisy[:, :, 0])
        velocity = pipeline.transformer(noisy, _times(level, from_picture), context, return_dict=False)[0]
    error = (velocity.float() - (pure - latents)).square().mean(1)
    error[:, 0] *= ~from_picture[:, None, None]
    loss: Tensor = error.mean()
    return loss


def _times(level: Tensor, from_picture: Tensor) -> Tensor:
    """For each token (n x 240): those of a given first frame are at time 0."""
    times = (level * 1000)[:, None].repeat(1, math.prod(model.GRID))
    times[from_picture, : math.prod(model.GRID[1:])] = 0
    return times
