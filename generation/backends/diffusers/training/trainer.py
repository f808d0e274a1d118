"""Flow-matching training of the video model: pairs of frames first (places, colours, shapes), then whole clips.

A part of the clips goes on from a picture: their first frame is clean and at time 0, which is how Wan's stock
image-to-video pipeline asks (`expand_timesteps`).

Each step draws from generators seeded with the run's seed and the step's number, so a run that was interrupted and
resumed sees the same clips, captions and noise as one that was not.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import WanTransformer3DModel
from torch import Tensor
from transformers import AutoTokenizer, UMT5EncoderModel

from generation.backends.diffusers.training import model, text, world
from generation.backends.diffusers.training.data import Clips, load_data
from generation.backends.diffusers.training.muon import Muon
from generation.backends.diffusers.training.run import Run
from generation.backends.diffusers.training.words import ATTRIBUTES, VALUES

_PLACE_WEIGHT, _MASK_WEIGHT, _SUBJECT_WEIGHT = 0.03, 0.2, 4.0
_TIME_SHIFT = 2.5
_EMPTY_SHARE, _OPEN_SHARE, _MISSPELT_SHARE = 0.1, 0.2, 0.01
_PICTURE_SHARE = 0.2  # of the clips that set out where their words say
# The first pictures of chained clips are not perfect either: all get up to this deviation, and in this many clips of a
# step the picture is one that the model itself makes of the clip under that much noise.
PICTURE_NOISE, _OWN_PICTURES, _OWN_LEVELS = 0.08, 6, (0.3, 0.8)
_EMA_DECAY = 0.997
_WARM_UP_STEPS, _LOWEST_RATE = 30, 0.03
_DETAILED = {"sun": 1.8, "whale": 1.5, "bird": 2.0}  # drawn more often than the others
# How often each motion is drawn in the last part, against 1 for all alike: a circle is the hardest to learn.
_HARD_WEIGHTS = {"grow": 0.8, "shrink": 0.8, "stay": 0.3, "circle": 2.5}
_HARD_WEIGHT_OF_THE_REST = 1.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the result, beside the data and the text encoder."""

    seed: int = 1
    steps: int = 2700
    full_rate_share: float = 1 / 3
    pair_steps: int = 440
    hard_from: int = 1900
    pair_batch: int = 160
    clip_batch: int = 32
    muon_rate: float = 4e-3
    adam_rate: float = 1.5e-3


class Batch(NamedTuple):
    """Latents (n x 30 x frames x 6 x 10), cover (n x frames x 6 x 10), who starts from a picture (n), and captions."""

    latents: Tensor
    cover: Tensor
    from_picture: Tensor
    captions: list[str]


class Trainer(Run):
    """One run in one folder, with `state.pt` and `curve.jsonl`."""

    def __init__(
        self, folder: Path, recipe: Recipe, *, init: Path | None = None, compile_blocks: bool = True
    ) -> None:
        """With `init`, a run without a state begins with the averaged weights of that checkpoint folder or state."""
        super().__init__(
            state=folder / "state.pt", curve=folder / "curve.jsonl", steps=recipe.steps, report_every=50
        )
        self._recipe = recipe
        self._clips = load_data(folder / "clips")
        self._tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
        self._encoder = UMT5EncoderModel.from_pretrained(folder / "text_encoder").float().eval()
        torch.manual_seed(recipe.seed)
        self._model = model.build_transformer()
        if init and not self._file.exists():
            self._model.load_state_dict(_initial_weights(init))
        self._average = copy.deepcopy(self._model).requires_grad_(False)
        self._helpers = model.Helpers()
        self._make_optimizers()
        self._resume()
        self._run_block = torch.compile(model.run_block, dynamic=False) if compile_blocks else model.run_block

    def _make_optimizers(self) -> None:
        matrices = [weight for weight in self._model.blocks.parameters() if weight.ndim == 2]
        taken = {id(weight) for weight in matrices}
        rest = [p for p in (*self._model.parameters(), *self._helpers.parameters()) if id(p) not in taken]
        self._muon = Muon(matrices)
        self._adam = torch.optim.AdamW(rest, lr=self._recipe.adam_rate, betas=(0.9, 0.98), weight_decay=0.01)

    def _train_step(self) -> list[float]:
        rng = random.Random(f"{self._recipe.seed}:{self._step}")
        noise = torch.Generator().manual_seed(rng.getrandbits(48))
        loss, parts = self._loss(self._batch(rng, noise), rng, noise)
        rate = self._rate()
        for group in self._adam.param_groups:
            group["lr"] = self._recipe.adam_rate * rate
        self._adam.zero_grad()
        self._muon.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._model.parameters(), 1.0)
        self._adam.step()
        self._muon.step(self._recipe.muon_rate * rate)
        self._follow()
        return parts

    def _batch(self, rng: random.Random, noise: torch.Generator) -> Batch:
        pairs = self._step < self._recipe.pair_steps
        chosen = self._choose(self._recipe.pair_batch if pairs else self._recipe.clip_batch, noise)
        latents, cover = self._clips.latents[chosen].float(), self._clips.cover[chosen].float()
        if pairs:
            first = torch.randint(0, latents.shape[2] // 2, (len(chosen),), generator=noise) * 2
            frames = first[:, None] + torch.arange(2)
            rows = torch.arange(len(chosen))[:, None]
            latents = latents.transpose(1, 2)[rows, frames].transpose(1, 2)
            cover = cover[rows, frames]
        chance = torch.rand(len(chosen), generator=noise) < _PICTURE_SHARE
        from_picture = (self._clips.anywhere[chosen] | chance) & (not pairs)
        return Batch(
            latents,
            cover,
            from_picture,
            [self._caption(facts, rng) for facts in self._clips.facts[chosen].tolist()],
        )

    def _choose(self, count: int, noise: torch.Generator) -> Tensor:
        hard = self._step >= self._recipe.hard_from
        return torch.multinomial(_weights(self._clips, hard=hard), count, generator=noise)

    @staticmethod
    def _caption(indices: list[int], rng: random.Random) -> str:
        if rng.random() < _EMPTY_SHARE:
            return ""
        return world.caption(world.facts_of(indices), rng, leave=world.left_open(rng, _OPEN_SHARE))[0]

    def _loss(self, batch: Batch, rng: random.Random, noise: torch.Generator) -> tuple[Tensor, list[float]]:
        latents = batch.latents
        with torch.no_grad():
            context = text.encode(
                self._encoder, self._tokenizer, batch.captions, misspelt=_MISSPELT_SHARE, rng=rng
            )[0]
        if latents.shape[2] == 2:
            context = context[:, :12]  # the slots and a few silent words: enough for pictures, and cheaper
        level = _noise_levels(len(latents), noise)
        pure = torch.randn(latents.shape, generator=noise)
        noisy = latents.lerp(pure, level.view(-1, 1, 1, 1, 1))
        blur = PICTURE_NOISE * torch.rand(len(latents), 1, 1, 1, generator=noise)
        first = batch.from_picture[:, None, None, None]
        pictures = self._own_pictures(batch, context, noise) + blur * pure[:, :, 0]
        noisy[:, :, 0] = torch.where(first, pictures, noisy[:, :, 0])
        with torch.autocast("cpu", dtype=torch.bfloat16):
            velocity, middle = model.forward(
                self._model, noisy, level * 1000, context, batch.from_picture, run=self._run_block
            )
            places = self._helpers.place_loss(middle.places)
            mask = self._helpers.mask_loss(middle.mask, batch.cover)
        error = (velocity.float() - (pure - latents)).square()
        weight = 1 + _SUBJECT_WEIGHT * batch.cover
        weight[:, 0] *= ~batch.from_picture[:, None, None]
        weighted = (error * weight[:, None]).sum() / (weight.sum() * latents.shape[1])
        loss = weighted + _PLACE_WEIGHT * places + _MASK_WEIGHT * mask
        plain = (error.mean(1) * (weight > 0)).sum() / (weight > 0).sum()
        return loss, [plain.item(), weighted.item(), places.item(), mask.item()]

    @torch.no_grad()
    def _own_pictures(self, batch: Batch, context: Tensor, noise: torch.Generator) -> Tensor:
        """The clips' first latents (n x 30 x 6 x 10), some of them as the model makes them out in one step."""
        pictures = batch.latents[:, :, 0].clone()
        chosen = batch.from_picture.nonzero()[:_OWN_PICTURES, 0]
        if len(chosen) < _OWN_PICTURES:  # one number of them: each other would be compiled anew
            return pictures
        latents, low, high = batch.latents[chosen], *_OWN_LEVELS
        level = low + (high - low) * torch.rand(len(chosen), generator=noise)
        noisy = latents.lerp(torch.randn(latents.shape, generator=noise), level.view(-1, 1, 1, 1, 1))
        none = torch.zeros(len(chosen), dtype=torch.bool)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            velocity, _ = model.forward(
                self._model, noisy, level * 1000, context[chosen], none, run=self._run_block
            )
        pictures[chosen] = (noisy - level.view(-1, 1, 1, 1, 1) * velocity.float())[:, :, 0]
        return pictures

    def _rate(self) -> float:
        left = 1 - self._step / self._recipe.steps
        return min(1, (self._step + 1) / _WARM_UP_STEPS) * max(
            _LOWEST_RATE, min(1, left / (1 - self._recipe.full_rate_share))
        )

    @torch.no_grad()
    def _follow(self) -> None:
        decay = min(_EMA_DECAY, (1 + self._step) / (10 + self._step))
        torch._foreach_lerp_(list(self._average.parameters()), list(self._model.parameters()), 1 - decay)

    def _said(self, losses: Sequence[float]) -> dict[str, Any]:
        stage = "pairs" if self._step <= self._recipe.pair_steps else "clips"
        names = ("loss", "weighted", "places", "mask")
        return {"stage": stage} | {name: round(loss, 4) for name, loss in zip(names, losses, strict=True)}

    def _state(self) -> dict[str, Any]:
        return {
            "recipe": asdict(self._recipe),
            "model": self._model.state_dict(),
            "average": self._average.state_dict(),
            "helpers": self._helpers.state_dict(),
            "adam": self._adam.state_dict(),
            "muon": self._muon.state_dict(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._model.load_state_dict(state["model"])
        self._average.load_state_dict(state["average"])
        self._helpers.load_state_dict(state["helpers"])
        self._adam.load_state_dict(state["adam"])
        self._muon.load_state_dict(state["muon"])


def load_average(folder: Path) -> tuple[WanTransformer3DModel, dict[str, Any]]:
    """The averaged weights of a run, and its recipe, step and CPU seconds."""
    state = torch.load(folder / "state.pt", weights_only=True)
    transformer = model.build_transformer()
    transformer.load_state_dict(state["average"])
    return transformer.eval(), {name: state[name] for name in ("recipe", "step", "cpu_seconds")}


def _noise_levels(count: int, noise: torch.Generator) -> Tensor:
    """One level from each of `count` equal strata, in random order, shifted towards noise."""
    strata = torch.randperm(count, generator=noise) + torch.rand(count, generator=noise)
    even = strata / count
    return _TIME_SHIFT * even / (1 + (_TIME_SHIFT - 1) * even)


def _weights(clips: Clips, *, hard: bool) -> Tensor:
    subjects = torch.tensor([_DETAILED.get(subject, 1.0) for subject in VALUES["subject"]])
    weights = subjects[clips.facts[:, ATTRIBUTES.index("subject")]]
    if not hard:
        return weights
    motions = [_HARD_WEIGHTS.get(motion, _HARD_WEIGHT_OF_THE_REST) for motion in VALUES["motion"]]
    return weights * torch.tensor(motions)[clips.facts[:, ATTRIBUTES.index("motion")]]


def _initial_weights(source: Path) -> dict[str, Tensor]:
    """Of a checkpoint folder or a `state.pt`, of patches of this size or of 2 x 2 x 2."""
    if source.is_dir():
        weights: dict[str, Tensor] = (
            WanTransformer3DModel.from_pretrained(source / "transformer").float().state_dict()
        )
    else:
        weights = torch.load(source, weights_only=True)["average"]
    if weights["patch_embedding.weight"].shape[2] == 2:
        weights = model.widen_in_time(weights)
    return weights
