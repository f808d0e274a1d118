"""How many held-out prompts a checkpoint follows, by a reader that sees pixels only; beside what the reader can do."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import torch
from diffusers import WanPipeline
from torch import Tensor

from generation.backends.diffusers.training import fitting, text, world
from generation.backends.diffusers.training.drawing.canvas import FRAMES, HEIGHT, WIDTH
from generation.backends.diffusers.training.drawing.clip import draw_clip
from generation.backends.diffusers.training.drawing.scenes import mood
from generation.backends.diffusers.training.reader import Reader, load_reader
from generation.backends.diffusers.training.spoil import spoil
from generation.backends.diffusers.training.words import ATTRIBUTES
from generation.backends.diffusers.training.world import Facts

Scores: TypeAlias = dict[str, Any]
_READER_SEED = 7
_BATCH = 8


@dataclass(frozen=True, slots=True)
class Trial:
    """Which prompts, and how the model is asked."""

    prompts: int = 160
    sampling_steps: int = 16
    guidance: float = 2.0
    seed: int = 1


def score_truth(count: int, *, seed: int, reader_file: Path | None = None) -> Scores:
    """The ceiling: what the reader makes of drawn clips of held-out combinations, clean and spoilt; in percent."""
    reader = _reader(reader_file)
    facts = _held_out(count, seed)
    rng = random.Random(f"{seed}:truth")
    clips = [torch.from_numpy(draw_clip(one, mood(rng))[0]).permute(0, 3, 1, 2) for one in facts]
    chance = torch.Generator().manual_seed(seed)
    clean = [reader.read(clip) for clip in clips]
    spoilt = [reader.read(spoil(clip, chance)) for clip in clips]
    return {"clean": _shares(facts, clean), "spoilt": _shares(facts, spoilt)}


def score_checkpoint(folder: Path, trial: Trial, *, reader_file: Path | None = None) -> Scores:
    """Shares of prompts whose clip shows what was asked, in percent, and every miss.

    The prompts name all four attributes, of combinations that no training clip of this package shows; their wordings
    are drawn anew from the trial's seed, and so is the noise.
    """
    reader = _reader(reader_file)
    facts = _held_out(trial.prompts, trial.seed)
    rng = random.Random(f"{trial.seed}:wordings")
    prompts = [world.caption(one, rng, omit=0.0)[0] for one in facts]
    before = time.process_time()
    readings = [reader.read(clip) for clip in _render(folder, prompts, trial)]
    misses = [
        {
            "prompt": prompt,
            "read": {name: read[name] for name in ATTRIBUTES if read[name] != getattr(one, name)},
        }
        for prompt, one, read in zip(prompts, facts, readings, strict=True)
        if any(read[name] != getattr(one, name) for name in ATTRIBUTES)
    ]
    return {
        **_shares(facts, readings),
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


def _held_out(count: int, seed: int) -> list[Facts]:
    """Each combination once before any comes again."""
    rng, every, chosen = random.Random(f"{seed}:facts"), world.every_held_out(), list[Facts]()
    while len(chosen) < count:
        chosen += rng.sample(every, len(every))
    return chosen[:count]


def _render(folder: Path, prompts: Sequence[str], trial: Trial) -> Iterator[Tensor]:
    pipeline = WanPipeline.from_pretrained(folder, use_safetensors=True, local_files_only=True)
    pipeline.to(dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    for start in range(0, len(prompts), _BATCH):
        batch = list(prompts[start : start + _BATCH])
        seeds = [trial.seed * 1_000_003 + start + offset for offset in range(len(batch))]
        video = pipeline(
            prompt=batch,
            negative_prompt=[""] * len(batch),
            height=HEIGHT,
            width=WIDTH,
            num_frames=FRAMES - 1,  # without temporal compression the pipeline makes one more
            num_inference_steps=trial.sampling_steps,
            guidance_scale=trial.guidance,
            generator=[torch.Generator().manual_seed(seed) for seed in seeds],
            max_sequence_length=text.MAX_TOKENS,
            output_type="np",
        ).frames
        yield from torch.from_numpy(video).permute(0, 1, 4, 2, 3)


def _shares(facts: Sequence[Facts], readings: Sequence[dict[str, str | None]]) -> Scores:
    pairs = list(zip(facts, readings, strict=True))
    right = {name: [read[name] == getattr(one, name) for one, read in pairs] for name in ATTRIBUTES}
    every = [all(each) for each in zip(*right.values(), strict=True)]
    shares = {name: round(100 * sum(values) / len(values), 1) for name, values in right.items()}
    return {"clips": len(pairs), **shares, "all_four": round(100 * sum(every) / len(every), 1)}
