"""The least that makes the same files: a loaded diffusers pipeline and one ffmpeg run, in a process of its own.

`python -m tests.bench.bare_render FOLDER`: an order in JSON on each line of standard input, an answer on each line of
standard output. Frames are not looked at, files are not read back, the mark is drawn once and not for each clip.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import diffusers
import numpy as np
import torch
import transformers
from imageio_ffmpeg import get_ffmpeg_exe

from generation.backends.diffusers.checkpoints import BUILTIN
from generation.media import encode, graph
from generation.media.plan import Plan
from generation.spec import VisibleMark


def main() -> None:
    folder = Path(sys.argv[1])
    if threads := os.environ.get("PRIVATE_VIEW_TORCH_THREADS"):
        torch.set_num_threads(int(threads))
    for library in (diffusers, transformers):
        library.utils.logging.set_verbosity_error()
        library.utils.logging.disable_progress_bar()
    profile = json.loads((BUILTIN / "profile.json").read_text())
    pipeline: Any = diffusers.WanPipeline.from_pretrained(
        BUILTIN, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        native = (profile["width"], profile["height"])
        plan = Plan(native, profile["frames"], tuple(order["size"]), order["seconds"], order["fps"])
        frames = render(pipeline, profile, order)
        write(plan, frames, folder)
        digest = hashlib.sha256(frames).hexdigest() if order["digest"] else ""
        sys.stdout.write(digest + "\n")
        sys.stdout.flush()


def render(pipeline: Any, profile: dict[str, Any], order: dict[str, Any]) -> bytes:
    """Raw RGB, one frame after the other."""
    made = pipeline(
        prompt=order["prompt"],
        negative_prompt="",
        # Without temporal compression the pipeline makes one frame more than it is asked for.
        num_frames=profile["frames"] - (pipeline.vae_scale_factor_temporal == 1),
        width=profile["width"],
        height=profile["height"],
        num_inference_steps=order["steps"],
        guidance_scale=order["guidance"],
        max_sequence_length=profile["max_sequence_length"],
        generator=torch.Generator("cpu").manual_seed(order["seed"]),
        output_type="np",
    ).frames[0]
    return bytes(np.rint(made * 255).astype(np.uint8).data)


def write(plan: Plan, frames: bytes, folder: Path) -> None:
    """All files of a clip, by the command that a worker runs; those of the last one are overwritten."""
    subprocess.run(_command(plan, folder), cwd=folder, input=frames, stdout=subprocess.DEVNULL, check=True)


_commands: dict[Plan, tuple[str, ...]] = {}


def _command(plan: Plan, folder: Path) -> tuple[str, ...]:
    if plan not in _commands:
        plates = encode.draw_plates(VisibleMark("Early Light", "BARE-BARE"), plan, folder)
        _commands[plan] = (get_ffmpeg_exe(), *graph.arguments(plan, plates))
    return _commands[plan]


if __name__ == "__main__":
    main()
