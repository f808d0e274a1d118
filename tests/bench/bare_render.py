"""The least that makes the same files: a loaded diffusers pipeline and one ffmpeg run, in a process of its own.

`python -m tests.bench.bare_render FOLDER`: an order in JSON on each line of standard input, an answer on each line of
standard output. Frames are not looked at, files are not read back, the mark is drawn once and not for each clip.
"""

from __future__ import annotations

import hashlib
import json
import math
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
from numpy.typing import NDArray
from PIL import Image as Pictures

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
    first: Any = diffusers.WanPipeline.from_pretrained(
        BUILTIN, dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
    onward: Any = diffusers.WanImageToVideoPipeline(
        **first.components, expand_timesteps=first.config.expand_timesteps
    )
    for pipeline in (first, onward):
        pipeline.set_progress_bar_config(disable=True)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        native = (profile["width"], profile["height"])
        frames = render(first, onward, profile, order)
        plan = Plan(native, len(frames), tuple(order["size"]), order["seconds"], order["fps"])
        raw = frames.tobytes()
        write(plan, raw, folder)
        digest = hashlib.sha256(raw).hexdigest() if order["digest"] else ""
        sys.stdout.write(digest + "\n")
        sys.stdout.flush()


def render(first: Any, onward: Any, profile: dict[str, Any], order: dict[str, Any]) -> NDArray[np.uint8]:
    """Frames x height x width x 3: stretches, each from the last picture of the one before."""
    asked = {
        "prompt": order["prompt"],
        "negative_prompt": "",
        # Without temporal compression the pipelines make one frame more than they are asked for.
        "num_frames": profile["frames"] - (first.vae_scale_factor_temporal == 1),
        "width": profile["width"],
        "height": profile["height"],
        "num_inference_steps": order["steps"],
        "max_sequence_length": profile["max_sequence_length"],
        "generator": torch.Generator("cpu").manual_seed(order["seed"]),
        "output_type": "np",
    }
    frames = _bytes(first(**asked, guidance_scale=order["guidance"]).frames[0])
    guidance = min(order["guidance"], profile["picture_guidance"])
    for _ in range(1, math.ceil(order["seconds"] / profile["window_seconds"][1])):
        picture = Pictures.fromarray(frames[-1])
        following = onward(**asked, image=picture, guidance_scale=guidance).frames[0]
        frames = np.concatenate([frames, _bytes(following)[1:]])
    return frames


def _bytes(video: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(video * 255).astype(np.uint8)


def write(plan: Plan, frames: bytes, folder: Path) -> None:
    """All files of a clip, by the two commands that a worker runs, joined by a pipe: frames go through unmarked. The
    files of the last clip are overwritten."""
    stretching, writing = _commands_of(plan, folder)
    with (
        subprocess.Popen(stretching, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as stretch,
        subprocess.Popen(writing, cwd=folder, stdin=stretch.stdout, stdout=subprocess.DEVNULL) as written,
    ):
        assert stretch.stdin is not None
        stretch.stdin.write(frames)
        stretch.stdin.close()
    assert (stretch.returncode, written.returncode) == (0, 0)


_commands: dict[Plan, tuple[tuple[str, ...], tuple[str, ...]]] = {}


def _commands_of(plan: Plan, folder: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if plan not in _commands:
        plates = encode.draw_plates(VisibleMark("Early Light", "BARE-BARE"), plan, folder)
        ffmpeg = get_ffmpeg_exe()
        _commands[plan] = (
            (ffmpeg, *graph.stretching(plan)),
            (ffmpeg, *graph.writing(plan, plates, plan.frames // 2)),
        )
    return _commands[plan]


if __name__ == "__main__":
    main()
