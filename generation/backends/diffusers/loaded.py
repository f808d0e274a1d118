"""A checkpoint in memory: its pipeline for prompts and the one for pictures, over the same components."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import FirstBlockCacheConfig

from generation.backends.diffusers import ladder
from generation.backends.diffusers.arguments import Run, arguments
from generation.backends.diffusers.lora import Adapters
from generation.backends.diffusers.pixels import to_pictures
from generation.backends.diffusers.profile import Profile
from generation.backends.diffusers.steps import Track, each_step
from generation.spec import Image


class Loaded:
    """On one rung of the memory ladder, for as long as it lives."""

    def __init__(self, folder: Path, profile: Profile, rung: str, device: torch.device) -> None:
        self._profile, self._rung, self._device = profile, rung, device
        first = self._running = _from_disk(folder, profile, device)
        if profile.cache is not None:
            for expert in ladder.experts(first):
                expert.enable_cache(FirstBlockCacheConfig(threshold=profile.cache))
        ladder.place(first, rung, device)
        if profile.compile and rung in ladder.ROOMY:  # weights that come and go cannot be compiled whole
            for expert in ladder.experts(first):
                expert.compile_repeated_blocks(fullgraph=True)
        self._pipelines = {type(first).__name__: first}
        self.adapters = Adapters(first)

    def run(self, run: Run, track: Track) -> list[list[Image]]:
        """Pictures of each take of one run. Whatever stops it, the next run finds everything in its place."""
        pipeline = self._pipeline(from_picture=run.picture is not None)

        def after(done: int, of: int) -> None:
            if self._device.type == "cuda":
                torch.cuda.synchronize(self._device)  # else steps would be reported that are only queued
            track.step(done, of)

        try:
            with each_step(pipeline, after) as callback:
                made = pipeline(**arguments(self._profile, pipeline, run), **callback)
            return to_pictures(made.frames, adapted=self.adapters.heard)
        except BaseException:
            pipeline.maybe_free_model_hooks()
            raise

    def _pipeline(self, *, from_picture: bool) -> Any:
        name = self._profile.picture if from_picture or not self._profile.text else self._profile.text
        assert name is not None  # noqa: S101 (the profile was asked before)
        if name not in self._pipelines:
            self._pipelines[name] = _from_components(name, self._running)
        pipeline = self._pipelines[name]
        if self._rung == "offload" and pipeline is not self._running:
            pipeline.enable_model_cpu_offload(
                device=self._device
            )  # its hooks on shared parts replace the other's
        self._running = pipeline
        return pipeline


def _from_disk(folder: Path, profile: Profile, device: torch.device) -> Any:
    low = torch.float32 if device.type == "cpu" else torch.bfloat16
    pipeline_class = getattr(diffusers, profile.text or profile.picture or "")
    pipeline = pipeline_class.from_pretrained(
        folder,
        dtype={"default": low} | dict.fromkeys(profile.full_precision, torch.float32),
        use_safetensors=True,
        trust_remote_code=False,
        local_files_only=True,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def _from_components(name: str, pipeline: Any) -> Any:
    """Another class over the same parts: nothing is copied, and nothing is cast."""
    pipeline_class = getattr(diffusers, name)
    known = {**pipeline.config, **pipeline.components}
    wanted = inspect.signature(pipeline_class.__init__).parameters
    made = pipeline_class(**{entry: known[entry] for entry in wanted if entry in known})
    made.set_progress_bar_config(disable=True)
    return made
