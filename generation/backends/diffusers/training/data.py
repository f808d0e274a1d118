"""Draws the training clips and keeps their latents: `chunk-0000.pt` and so on, 500 clips each, any of them alone."""

from __future__ import annotations

import random
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

import torch
from diffusers import AutoencoderKLWan
from torch import Tensor

from generation.backends.diffusers.training import codec, world
from generation.backends.diffusers.training.drawing.clip import cells, draw_clip
from generation.backends.diffusers.training.drawing.paths import anywhere
from generation.backends.diffusers.training.drawing.scenes import mood

CHUNK_CLIPS = 500
_ANYWHERE_SHARE = 0.4


class Clips(NamedTuple):
    """Latents (n x 30 x 16 x 6 x 10, float16), cover of each cell (n x 16 x 6 x 10), attribute indices (n x 6).

    `anywhere` (n): the clip goes on from some first picture, and not from where its words would let it begin.
    """

    latents: Tensor
    cover: Tensor
    facts: Tensor
    anywhere: Tensor


def make_data(vae_folder: Path, folder: Path, *, chunks: int, seed: int, processes: int) -> int:
    """Writes the chunks that are not there yet; returns how many it wrote."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [
        (vae_folder, _file(folder, k), seed, k) for k in range(chunks) if not _file(folder, k).exists()
    ]
    with get_context("spawn").Pool(processes) as pool:
        pool.starmap(_make_chunk, missing, chunksize=1)
    return len(missing)


def load_data(folder: Path) -> Clips:
    """All chunks in one."""
    parts = [torch.load(file, weights_only=True) for file in sorted(folder.glob("chunk-*.pt"))]
    if not parts:
        raise FileNotFoundError(f"No training clips in {folder}: run the 'data' step first.")
    return Clips(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def _file(folder: Path, chunk: int) -> Path:
    return folder / f"chunk-{chunk:04d}.pt"


def _make_chunk(vae_folder: Path, file: Path, seed: int, chunk: int) -> None:
    torch.set_num_threads(1)
    vae = AutoencoderKLWan.from_pretrained(vae_folder)
    rng = random.Random(f"{seed}:{chunk}")
    latents, cover, indices, starts = [], [], [], []
    for _ in range(CHUNK_CLIPS):
        facts = world.sample(rng)
        start = anywhere(facts, rng) if rng.random() < _ANYWHERE_SHARE else None
        frames, masks = draw_clip(facts, mood(rng), start)
        clip = torch.from_numpy(frames).permute(3, 0, 1, 2)[None] * 2 - 1
        latents.append(codec.normalise(vae, codec.raw_latents(vae, clip))[0].half())
        cover.append(torch.from_numpy(cells(masks, codec.PATCH)).half())
        indices.append(facts.index())
        starts.append(start is not None)
    part = file.with_suffix(".part")
    torch.save((torch.stack(latents), torch.stack(cover), torch.tensor(indices), torch.tensor(starts)), part)
    part.replace(file)
