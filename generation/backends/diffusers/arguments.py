"""A family's way of being called: names and quirks of its pipelines' arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from PIL import Image as Pictures

from generation.backends.diffusers.profile import Profile
from generation.backends.diffusers.sizes import NativeSize


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a pipeline: a stretch of one clip, or of several takes whose noise alone differs."""

    prompts: list[str]
    negative_prompt: str
    size: NativeSize
    steps: int
    guidance: float
    generators: list[torch.Generator]
    picture: Pictures.Image | None = None  # which all takes start from


def arguments(profile: Profile, pipeline: Any, run: Run) -> dict[str, Any]:
    """What the pipeline is called with. Sets its guider, where guidance is no argument."""
    if run.picture and profile.picture_guidance is not None:
        run = replace(run, guidance=min(run.guidance, profile.picture_guidance))
    named: dict[str, Any] = {
        "prompt": run.prompts,
        "negative_prompt": [run.negative_prompt] * len(run.prompts),
        profile.length_argument: _frames(pipeline, run.size.frames),
        "num_inference_steps": run.steps,
        "generator": run.generators,
        "output_type": "pt",
        **profile.settings,
        **(profile.unguided if run.guidance <= 1 else {}),
        **_guidance(profile, pipeline, run),
    }
    if profile.fps_argument:
        named[profile.fps_argument] = float(profile.fps)
    if profile.max_sequence_length:
        named["max_sequence_length"] = profile.max_sequence_length
    if run.picture:
        named["image"] = run.picture
    if not (run.picture and profile.guidance == "guider"):  # HunyuanVideo 1.5 takes its size from the picture
        named |= {"height": run.size.height, "width": run.size.width}
    return named


def _guidance(profile: Profile, pipeline: Any, run: Run) -> dict[str, Any]:
    if profile.guidance == "guider":
        pipeline.guider = pipeline.guider.new(guidance_scale=run.guidance)
        return {}
    if profile.guidance == "embedded":
        # The model was distilled to take guidance as a number. Away from a negative prompt it is led by a second pass.
        if run.negative_prompt:
            return {"guidance_scale": 1.0, "true_cfg_scale": run.guidance}
        return {"guidance_scale": run.guidance, "negative_prompt": None}
    if profile.second_guidance is None:
        return {"guidance_scale": run.guidance}
    second = 1 + (run.guidance - 1) * profile.second_guidance
    return {"guidance_scale": run.guidance, "guidance_scale_2": second}


def _frames(pipeline: Any, frames: int) -> int:
    """Without temporal compression the Wan pipeline makes one frame more than it is asked for."""
    return frames - 1 if getattr(pipeline, "vae_scale_factor_temporal", None) == 1 else frames
