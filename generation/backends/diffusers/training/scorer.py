"""How many held-out prompts a checkpoint follows, by a reader that sees pixels only; beside what the reader can do."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from diffusers import WanPipeline
from torch import Tensor

from generation.backends.diffusers.training import asking, fitting, text
from generation.backends.diffusers.training.asking import Asked
from generation.backends.diffusers.training.drawing.canvas import FRAMES, HEIGHT, WIDTH
from generation.backends.diffusers.training.drawing.clip import draw_clip
from generation.backends.diffusers.training.drawing.paths import path
from generation.backends.diffusers.training.drawing.scenes import mood
from generation.backends.diffusers.training.reader import Reader, load_reader
from generation.backends.diffusers.training.spoil import spoil
from generation.backends.diffusers.training.words import ATTRIBUTES, MAIN
from generation.backends.diffusers.training.world import Facts

Scores: TypeAlias = dict[str, Any]
_READER_SEED = 7
_BATCH = 8
_SAME_WAY = 3.0  # pixels


@dataclass(frozen=True, slots=True)
class Trial:
    """Which prompts, and how the model is asked."""

    prompts: int = 300
    sampling_steps: int = 24
    guidance: float = 3.5
    seed: int = 1


def score_truth(count: int, *, seed: int, reader_file: Path | None = None) -> Scores:
    """The ceiling: what the reader makes of drawn clips of held-out combinations, clean and spoilt; in percent."""
    reader = _reader(reader_file)
    facts = [one.facts for one in asking.held_out(count, seed)]
    rng = random.Random(f"{seed}:truth")
    clips = [torch.from_numpy(draw_clip(one, mood(rng))[0]).permute(0, 3, 1, 2) for one in facts]
    chance = torch.Generator().manual_seed(seed)
    every = [ATTRIBUTES] * count
    clean = [reader.read(clip) for clip in clips]
    spoilt = [reader.read(spoil(clip, chance)) for clip in clips]
    return {"clean": _shares(facts, every, clean), "spoilt": _shares(facts, every, spoilt)}


def score_checkpoint(
    folder: Path, trial: Trial, *, leave: bool = False, reader_file: Path | None = None
) -> Scores:
    """Shares of prompts whose clip shows what was asked, in percent, and every miss.

    The prompts are of combinations that no training clip shows, in words and orders that no caption has, and are
    completed as the product completes them. With `leave` they leave one to three of the main attributes open, and
    only the named ones count.
    """
    reader = _reader(reader_file)
    asked = asking.held_out(trial.prompts, trial.seed, leave=leave)
    before = time.process_time()
    readings = [reader.read(clip) for clip in render(folder, asked, trial)]
    misses = [
        {
            "prompt": one.prompt,
            "completed": one.completed,
            "read": {name: read[name] for name in one.named if not _right(one.facts, read, name)},
        }
        for one, read in zip(asked, readings, strict=True)
        if not all(_right(one.facts, read, name) for name in one.named)
    ]
    return {
        **_shares([one.facts for one in asked], [one.named for one in asked], readings),
        "steps": trial.sampling_steps,
        "guidance": trial.guidance,
        "seed": trial.seed,
        "cpu_seconds_a_clip": round((time.process_time() - before) / trial.prompts, 2),
        "misses": misses,
    }


@cache
def _reader(file: Path | None) -> Reader:
    """Fitted once in a process, or once for a file."""
    if file and file.exists():
        return load_reader(file)
    reader = fitting.fit(seed=_READER_SEED)
    if file:
        reader.save(file)
    return reader


def render(folder: Path, asked: Sequence[Asked], trial: Trial) -> Iterator[Tensor]:
    """Clips of the completed prompts: frames x 3 x 96 x 160 in 0..1. Arithmetic in bfloat16 where it is safe."""
    pipeline = WanPipeline.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    pipeline.to(dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    for start in range(0, len(asked), _BATCH):
        batch = asked[start : start + _BATCH]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            video = pipeline(
                prompt=[one.completed for one in batch],
                negative_prompt=[""] * len(batch),
                height=HEIGHT,
                width=WIDTH,
                num_frames=FRAMES - 1,  # without temporal compression the pipeline makes one more
                num_inference_steps=trial.sampling_steps,
                guidance_scale=trial.guidance,
                generator=[torch.Generator().manual_seed(one.seed) for one in batch],
                max_sequence_length=text.MAX_TOKENS,
                output_type="pt",
            ).frames
        yield from video.float()


def _right(facts: Facts, read: dict[str, str | None], name: str) -> bool:
    """A manner is right when it is the one asked for, or looks the same: a big subject has little room to be high."""
    value, wanted = read[name], str(getattr(facts, name))
    if name in MAIN or value is None or value == wanted:
        return value == wanted
    seen = path(replace(facts, **{name: value}))
    return bool(np.abs(np.array(seen) - np.array(path(facts))).max() < _SAME_WAY)


def _shares(
    facts: Sequence[Facts], named: Sequence[Sequence[str]], readings: Sequence[dict[str, str | None]]
) -> Scores:
    """Of each attribute, of the clips that name it; and of the clips all of whose named main attributes are right."""
    right: dict[str, list[bool]] = {name: [] for name in (*ATTRIBUTES, "all_main", "all")}
    for one, names, read in zip(facts, named, readings, strict=True):
        seen = {name: _right(one, read, name) for name in names}
        for name, is_right in seen.items():
            right[name].append(is_right)
        right["all_main"].append(all(seen[name] for name in names if name in MAIN))
        right["all"].append(all(seen.values()))
    shares = {name: round(100 * sum(values) / max(len(values), 1), 1) for name, values in right.items()}
    return {"clips": len(facts), **shares}
