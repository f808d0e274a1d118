"""Renders with a stock diffusers pipeline: standard classes, safetensors only, no code from a checkpoint."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image as Pictures

from generation.backends.diffusers import hardware, sizes
from generation.backends.diffusers.checkpoints import digest, locate, refuse_foreign_code
from generation.backends.diffusers.families import read_profile
from generation.backends.diffusers.lora import check_adapter
from generation.backends.diffusers.prompts import SmallWorld
from generation.backends.diffusers.room import Clip, Room
from generation.backends.diffusers.steps import Track
from generation.backends.diffusers.windows import Take
from generation.backends.pictures import check_picture
from generation.errors import SpecRejected
from generation.spec import Cancelled, Capability, Frames, Progress, RenderSpec

_LONGEST_PROMPT: Final = 32_000
_LARGEST_SEED: Final = 2**63 - 1


class DiffusersBackend:
    """One checkpoint in the memory of this process. Renders one handful of takes at a time; callers wait their turn."""

    name = "diffusers"

    def __init__(self, folder: Path) -> None:
        refuse_foreign_code(folder)
        started = time.monotonic()
        self._folder = folder
        self._profile = read_profile(folder)
        self.checkpoint: str = digest(folder)
        self._words = SmallWorld(folder / self._profile.vocabulary) if self._profile.vocabulary else None
        self._room = Room(folder, self._profile, hardware.prepare())
        self._load_seconds = time.monotonic() - started
        self._warm_seconds = 0.0
        self._turn = threading.Lock()

    def capability(self) -> Capability:
        """As measured since it was loaded."""
        return Capability(
            device=str(self._room.device),
            dtype="float32" if self._room.device.type == "cpu" else "bfloat16",
            memory=self._room.meter.memory,
            load_seconds=self._load_seconds,
            warm_seconds=self._warm_seconds,
            rung=self._room.rung,
            images=self._profile.starts_from_pictures,
            adapters=self._room.takes_adapters,
            at_once=self._room.most_at_once,
            hardware=hardware.describe(self._room.device),
        )

    def warm(self) -> None:
        """Two steps at the smallest size; from a picture, where the model starts from nothing else."""
        started = time.monotonic()
        size = sizes.smallest_size(self._profile)
        spec = RenderSpec(
            prompt="", seed=0, width=size.width, height=size.height, seconds=1, fps=1, steps=2, guidance=2.0
        )
        with tempfile.TemporaryDirectory() as folder, self._turn:
            if self._profile.text is None:
                spec = replace(spec, image=_any_picture(Path(folder)))
            self._room.render([Take(spec, "", size)], Track(lambda *_: None, lambda: False))
        self._warm_seconds = time.monotonic() - started

    def complete_prompt(self, prompt: str, seed: int) -> str:
        """The prompt without outer spaces, or a whole sentence where the checkpoint brings its vocabulary."""
        return self._complete(prompt, seed)[0]

    def check(self, spec: RenderSpec) -> None:
        """Raises SpecRejected for what the checkpoint's profile excludes, and for files that it cannot use."""
        sizes.check_size(self._profile, spec)
        if not 0 <= spec.seed <= _LARGEST_SEED:
            raise SpecRejected("invalid_seed", "A seed is a whole number from 0 to 2^63 - 1.")
        if len(spec.prompt) > _LONGEST_PROMPT:
            raise SpecRejected("prompt_too_long", f"A prompt has at most {_LONGEST_PROMPT} characters.")
        self._check_picture(spec)
        if spec.adapter is None:
            return
        if not self._room.knows_adapters:
            raise SpecRejected("adapters_unsupported", "This model takes no style adapters.")
        check_adapter(spec.adapter, checkpoint=self._folder)

    def at_once(self, spec: RenderSpec) -> int:
        """One on a processor, and of clips that start from a picture or go on from their own; else what fits."""
        return self._room.at_once(self._take(spec))

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        """Runs the pipeline. Progress counts its denoising steps; a stop takes effect at the end of the current one.

        A step down the memory ladder begins anew, and so does the progress.
        """
        for spec in takes:
            self.check(spec)
        planned = [self._take(spec) for spec in takes]
        track = Track(progress, cancelled)
        track.ask()
        with self._turn:
            clips = self._room.render(planned, track)
        return [self._frames(take, clip) for take, clip in zip(planned, clips, strict=True)]

    def _check_picture(self, spec: RenderSpec) -> None:
        if spec.image is None:
            if self._profile.text is None:
                raise SpecRejected("image_required", "This model starts from a picture, and none was given.")
        elif not self._profile.starts_from_pictures:
            raise SpecRejected("images_unsupported", "This model cannot start from a picture.")
        else:
            check_picture(spec.image)

    def _take(self, spec: RenderSpec) -> Take:
        prompt, _ = self._complete(spec.prompt, spec.seed, spec.earlier, spec.negative_prompt)
        return Take(spec, prompt, sizes.native_size(self._profile, spec))

    def _complete(
        self, prompt: str, seed: int, earlier: str = "", negative: str = ""
    ) -> tuple[str, tuple[str, ...]]:
        """The prompt that is rendered, and the words that are not used in it."""
        if self._words is None:
            return prompt.strip(), ()
        completed = self._words.complete(prompt, seed, earlier, negative)
        return completed.prompt, completed.ignored

    def _frames(self, take: Take, clip: Clip) -> Frames:
        height, width, _ = clip.pictures[0].shape
        _, ignored = self._complete(take.spec.prompt, take.spec.seed)
        return Frames(
            images=clip.pictures,
            count=len(clip.pictures),
            width=width,
            height=height,
            completed_prompt=take.prompt,
            ignored_words=ignored,
            windows=take.size.windows,
            batch=clip.batch,
            place=clip.place,
        )


def open_checkpoint(checkpoint: str) -> DiffusersBackend:
    """Loads `builtin`, a folder, or `owner/name` with an optional `@revision` from the hub."""
    return DiffusersBackend(locate(checkpoint))


def _any_picture(folder: Path) -> Path:
    """Light above, dark below."""
    shade = np.linspace(220, 30, 64, dtype=np.uint8)[:, None, None]
    Pictures.fromarray(np.broadcast_to(shade, (64, 64, 3)).copy()).save(folder / "any.png")
    return folder / "any.png"
