"""Puts the trained parts together as a standard pipeline folder in bfloat16, without traces of where it was made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import AutoencoderKLWan, FlowMatchEulerDiscreteScheduler, WanPipeline
from transformers import AutoTokenizer, UMT5EncoderModel

from generation.backends.diffusers.profile import PROFILE_FILE
from generation.backends.diffusers.training import text
from generation.backends.diffusers.training.drawing.canvas import FRAMES, HEIGHT, WIDTH
from generation.backends.diffusers.training.trainer import load_average
from generation.backends.diffusers.training.words import VOCABULARY_FILE

_SAMPLER_SHIFT = 3.0
_FRAMES_A_SECOND = 8
# A stretch of two seconds is played as long as it has to be. A calm clip in few stretches keeps its subject's form
# better than a lively one in many: each goes on from a picture that is a little worse.
_WINDOW_SECONDS = (1, 5)
# Words say where a clip begins; guided by them as by default, one that begins elsewhere may grow a second subject.
_PICTURE_GUIDANCE = 2.5
# Wider or narrower than this, and the crop would cut off where subjects go.
_ASPECT = (1.5, 1.85)


def pack(folder: Path, target: Path) -> None:
    """Writes the pipeline, its profile and its vocabulary from a training folder to `target`."""
    transformer, _ = load_average(folder)
    pipeline = WanPipeline(
        tokenizer=AutoTokenizer.from_pretrained(folder / "tokenizer"),
        text_encoder=UMT5EncoderModel.from_pretrained(folder / "text_encoder"),
        vae=AutoencoderKLWan.from_pretrained(folder / "vae"),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=_SAMPLER_SHIFT),
        transformer=transformer,
        expand_timesteps=True,  # says that the same weights start from a picture, too
    )
    pipeline.to(dtype=torch.bfloat16)
    pipeline.save_pretrained(target)
    for config in target.rglob("*.json"):
        config.chmod(0o644)
        if config.name != "tokenizer.json":
            _forget_origin(config)
    for weights in target.rglob("*.safetensors"):
        weights.chmod(0o644)
    (target / PROFILE_FILE).write_text(json.dumps(_profile(), indent=2) + "\n", encoding="utf-8")
    shutil.copyfile(VOCABULARY_FILE, target / "vocabulary.json")


def _profile() -> dict[str, object]:
    return {
        "fps": _FRAMES_A_SECOND,
        "width": WIDTH,
        "height": HEIGHT,
        "frames": FRAMES,
        "images": True,
        "picture_guidance": _PICTURE_GUIDANCE,
        "window_seconds": _WINDOW_SECONDS,
        "max_sequence_length": text.MAX_TOKENS,
        "aspect": _ASPECT,
        "seconds": [1, 20],
        "vocabulary": "vocabulary.json",
    }


def _forget_origin(config: Path) -> None:
    values = json.loads(config.read_text(encoding="utf-8"))
    values.pop("_name_or_path", None)
    config.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
