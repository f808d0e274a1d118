"""Fits the scorer's reader on drawn clips of combinations that are not held out; minutes on one core."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from generation.backends.diffusers.training import world
from generation.backends.diffusers.training.drawing.canvas import FRAMES
from generation.backends.diffusers.training.drawing.clip import cells, draw_clip
from generation.backends.diffusers.training.drawing.paths import path
from generation.backends.diffusers.training.drawing.scenes import mood
from generation.backends.diffusers.training.reader import (
    CELL,
    Reader,
    Track,
    cut_out,
    follow,
)
from generation.backends.diffusers.training.spoil import spoil

_CLIPS, _FRAMES_OF_EACH, _TRACKS = 1800, 5, 1600
_PLACE_STEPS, _SUBJECT_STEPS = 800, 900
_PLACE_BATCH, _SUBJECT_BATCH = 48, 96
_RATE = 3e-3
# How much a mask that is read may differ from the true one: centre in radii, radius in factors.
_OFF_CENTRE, _OFF_SIZE = 0.15, 0.2


class Examples(NamedTuple):
    """Frames (n x 96 x 160 x 3, bytes), masks (n x 24 x 40), attribute indices (n x 4)."""

    frames: Tensor
    masks: Tensor
    facts: Tensor


def fit(*, seed: int) -> Reader:
    """A reader; the same seed and number of threads give the same one."""
    chance = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    reader = Reader()
    examples = _draw_examples(random.Random(f"{seed}:examples"))
    _fit_places(reader.places, examples, chance)
    _fit_subjects(reader.subjects, examples, chance)
    reader.eval()
    _fit_ways(reader, random.Random(f"{seed}:tracks"), chance)
    return reader


def _draw_examples(rng: random.Random) -> Examples:
    frames, masks, facts = [], [], []
    for _ in range(_CLIPS):
        one = world.sample(rng)
        drawn, mask = draw_clip(one, mood(rng))
        chosen = rng.sample(range(FRAMES), _FRAMES_OF_EACH)
        frames.append(torch.from_numpy(np.rint(drawn[chosen] * 255).astype(np.uint8)))
        masks.append(torch.from_numpy(cells(mask[chosen], CELL)))
        facts += [one.index()] * _FRAMES_OF_EACH
    return Examples(torch.cat(frames), torch.cat(masks), torch.tensor(facts))


def _fit_places(places: nn.Module, examples: Examples, chance: torch.Generator) -> None:
    def loss() -> Tensor:
        chosen = torch.randint(0, len(examples.facts), (_PLACE_BATCH,), generator=chance)
        frames = spoil(_floats(examples.frames[chosen]), chance)
        scene, mask = places(F.avg_pool2d(frames, 2))
        wrong_scene = F.cross_entropy(scene, examples.facts[chosen, 0])
        return 0.2 * wrong_scene + 6 * F.binary_cross_entropy_with_logits(mask, examples.masks[chosen])

    _descend(places, loss, _PLACE_STEPS, "places")


def _fit_subjects(subjects: nn.Module, examples: Examples, chance: torch.Generator) -> None:
    visible = (examples.masks.sum((1, 2)) > 2).nonzero()[:, 0]

    def loss() -> Tensor:
        chosen = visible[torch.randint(0, len(visible), (_SUBJECT_BATCH,), generator=chance)]
        frames = spoil(_floats(examples.frames[chosen]), chance)
        track = _unsteady(follow(examples.masks[chosen]), chance)
        subject, colour = subjects(cut_out(frames, track))
        facts = examples.facts[chosen]
        return F.cross_entropy(subject, facts[:, 1], label_smoothing=0.02) + F.cross_entropy(
            colour, facts[:, 2], label_smoothing=0.02
        )

    _descend(subjects, loss, _SUBJECT_STEPS, "subjects")


@torch.no_grad()
def _fit_ways(reader: Reader, rng: random.Random, chance: torch.Generator) -> None:
    tracks, paths, facts = [], [], []
    for _ in range(_TRACKS):
        one = world.sample(rng)
        frames = torch.from_numpy(draw_clip(one, mood(rng))[0]).permute(0, 3, 1, 2)
        _, mask = reader.places(F.avg_pool2d(spoil(frames, chance), 2))
        x, y, radius = (torch.from_numpy(values) for values in path(one))
        tracks.append(follow(torch.sigmoid(mask)))
        paths.append(Track(x, y, radius, area=radius))
        facts.append(one.index())
    reader.ways.fit(tracks, paths, torch.tensor(facts))


def _unsteady(track: Track, chance: torch.Generator) -> Track:
    off_x, off_y, off_size = (2 * torch.rand(3, len(track.x), generator=chance) - 1).unbind()
    return track._replace(
        x=track.x + off_x * _OFF_CENTRE * track.radius,
        y=track.y + off_y * _OFF_CENTRE * track.radius,
        radius=track.radius * (1 + off_size * _OFF_SIZE),
    )


def _descend(network: nn.Module, loss: Callable[[], Tensor], steps: int, name: str) -> None:
    weights: Iterable[nn.Parameter] = network.parameters()
    optimizer = torch.optim.AdamW(weights, lr=_RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _RATE, total_steps=steps, pct_start=0.1)
    for step in range(1, steps + 1):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            print(f"reader {name} {step} of {steps} loss {value.item():.3f}", flush=True)


def _floats(frames: Tensor) -> Tensor:
    return frames.permute(0, 3, 1, 2).float() / 255
