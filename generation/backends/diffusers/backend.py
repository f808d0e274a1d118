"""Renders with a stock diffusers pipeline: standard classes, safetensors only, no code from a checkpoint."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import diffusers
import numpy as np
import torch
from diffusers import DiffusionPipeline

from generation.backends.diffusers import profile as profiles
from generation.backends.diffusers.checkpoints import digest, locate, refuse_foreign_code
from generation.backends.diffusers.profile import Profile, read_profile
from generation.backends.diffusers.prompts import SmallWorld
from generation.errors import RenderCancelled, SpecRejected, Transient
from generation.spec import Cancelled, Capability, Frames, Image, Progress, RenderSpec

_LONGEST_PROMPT: Final = 32_000
_LARGEST_SEED: Final = 2**63 - 1


class DiffusersBackend:
    """One checkpoint in the memory of this process. Renders one clip at a time; callers wait their turn."""

    name = "diffusers"

    def __init__(self, folder: Path) -> None:
        refuse_foreign_code(folder)
        started = time.monotonic()
        self._profile: Profile = read_profile(folder)
        self.checkpoint: str = digest(folder)
        self._words = SmallWorld(folder / self._profile.vocabulary) if self._profile.vocabulary else None
        self._device = _prepare_torch()
        self._pipeline = _load(folder, self._profile, self._device)
        self._load_seconds = time.monotonic() - started
        self._turn = threading.Lock()

    def complete_prompt(self, prompt: str, seed: int) -> str:
        """The prompt without outer spaces, or a whole sentence where the checkpoint brings its vocabulary."""
        return self._words.complete(prompt, seed).prompt if self._words else prompt.strip()

    def check(self, spec: RenderSpec) -> None:
        """Raises SpecRejected for what the checkpoint's profile excludes."""
        profiles.check(self._profile, spec)
        if not 0 <= spec.seed <= _LARGEST_SEED:
            raise SpecRejected("invalid_seed", "A seed is a whole number from 0 to 2^63 - 1.")
        if len(spec.prompt) > _LONGEST_PROMPT:
            raise SpecRejected("prompt_too_long", f"A prompt has at most {_LONGEST_PROMPT} characters.")
        if spec.image:
            raise SpecRejected("images_unsupported", "This model cannot start from a picture.")
        if spec.adapter:
            raise SpecRejected("adapters_unsupported", "This model takes no style adapters.")

    def capability(self) -> Capability:
        """What was measured while it was loaded."""
        return Capability(
            device=str(self._device),
            dtype="bfloat16" if self._device.type == "cuda" else "float32",
            memory=0,
            load_seconds=self._load_seconds,
            warm_seconds=0.0,
            rung="none",
            images=False,
            adapters=False,
            at_once=1,
        )

    def warm(self) -> None:
        """Nothing yet."""

    def at_once(self, spec: RenderSpec) -> int:
        """One at a time."""
        return 1

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        """One take after the other."""
        return [self._render(spec, progress=progress, cancelled=cancelled) for spec in takes]

    def _render(self, spec: RenderSpec, *, progress: Progress, cancelled: Cancelled) -> Frames:
        """Runs the pipeline. Progress counts its denoising steps; a stop takes effect at the end of the current one."""
        self.check(spec)
        prompt = self.complete_prompt(spec.prompt, spec.seed)
        if cancelled():
            raise RenderCancelled
        with self._turn:
            progress(0, spec.steps)
            try:
                images = self._run(spec, prompt, progress, cancelled)
            except torch.OutOfMemoryError as fault:
                torch.cuda.empty_cache()
                raise Transient("The GPU ran out of memory.") from fault
        height, width, _ = images[0].shape
        return Frames(images=images, count=len(images), width=width, height=height, completed_prompt=prompt)

    def _run(self, spec: RenderSpec, prompt: str, progress: Progress, cancelled: Cancelled) -> list[Image]:
        def after_step(pipeline: Any, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            progress(step + 1, pipeline.num_timesteps)
            if cancelled():
                raise RenderCancelled
            return tensors

        native = profiles.native_size(self._profile, spec)
        result = self._pipeline(
            prompt=prompt,
            negative_prompt=spec.negative_prompt,
            width=native.width,
            height=native.height,
            num_frames=self._frames_to_ask_for(native.frames),
            num_inference_steps=spec.steps,
            guidance_scale=spec.guidance,
            max_sequence_length=self._profile.max_sequence_length,
            # Noise is drawn on the CPU: the same seed starts from the same noise on every device.
            generator=torch.Generator("cpu").manual_seed(spec.seed),
            callback_on_step_end=after_step,
            output_type="np",
        )
        frames: Image = np.rint(result.frames[0] * 255).clip(0, 255).astype(np.uint8)
        return list(frames)

    def _frames_to_ask_for(self, frames: int) -> int:
        """Without temporal compression the Wan pipeline makes one frame more than it is asked for."""
        return frames - 1 if self._pipeline.vae_scale_factor_temporal == 1 else frames


def open_checkpoint(checkpoint: str) -> DiffusersBackend:
    """Loads `builtin`, a folder, or `owner/name` with an optional `@revision` from the hub."""
    return DiffusersBackend(locate(checkpoint))


def _prepare_torch() -> torch.device:
    if threads := os.environ.get("PRIVATE_VIEW_TORCH_THREADS"):
        torch.set_num_threads(int(threads))
    diffusers.utils.logging.set_verbosity_error()
    torch.backends.cudnn.benchmark = False  # it may choose another algorithm, and other bits, from run to run
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _load(folder: Path, profile: Profile, device: torch.device) -> DiffusionPipeline:
    low = torch.bfloat16 if device.type == "cuda" else torch.float32
    dtypes = {"default": low} | dict.fromkeys(profile.full_precision, torch.float32)
    pipeline_class = getattr(diffusers, profile.pipeline)
    pipeline = pipeline_class.from_pretrained(
        folder, dtype=dtypes, use_safetensors=True, trust_remote_code=False, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)
