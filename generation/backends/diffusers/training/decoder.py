"""Trains the codec's decoder: what it is shown are codes as the video model leaves them, what it should draw is clean.

Half of a decoder's work is to know the world: that edges are sharp and colours flat. So it learns from the video
model's own errors (what that makes, in a few steps, of clean codes with some noise), beside exact codes, and removes
speckle and the edges of squares. A part of the clips is printed as the second style is, so that it can show it.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from diffusers.models.autoencoders.autoencoder_kl_wan import unpatchify
from torch import Tensor
from transformers import AutoTokenizer, UMT5EncoderModel

from generation.backends.diffusers.training import codec, text, world
from generation.backends.diffusers.training.drawing.clip import draw_clip
from generation.backends.diffusers.training.drawing.paths import anywhere
from generation.backends.diffusers.training.drawing.scenes import mood
from generation.backends.diffusers.training.muon import Muon
from generation.backends.diffusers.training.run import Run
from generation.backends.diffusers.training.style import print_in_two_inks

_CLIPS = 8  # drawn for each step; half of each clip's frames are decoded
_STYLE_SHARE, _ANYWHERE_SHARE, _EXACT_SHARE = 0.12, 0.1, 0.15
_LARGEST_NOISE, _STEPS = 0.8, 3
_EDGE_WEIGHT, _SUBJECT_WEIGHT = 1.0, 3.0
_MUON_RATE, _ADAM_RATE, _LOWEST_RATE, _WARM_UP_STEPS = 8e-4, 3e-4, 0.03, 10
_EMA_DECAY = 0.98


class Sample(NamedTuple):
    """Codes as the decoder takes them (n x 30 x 16 x 6 x 10), the clean clip (n x 3 x 16 x 96 x 160), its mask."""

    codes: Tensor
    clips: Tensor
    masks: Tensor


class DecoderTrainer(Run):
    """One run in one folder, `decoder.pt` to go on from; `write` puts the averaged decoder into `folder/vae`."""

    def __init__(self, folder: Path, *, checkpoint: Path, steps: int, seed: int) -> None:
        """`checkpoint`: the pipeline folder whose video model's errors are learned."""
        super().__init__(
            state=folder / "decoder.pt", curve=folder / "decoder.jsonl", steps=steps, report_every=20
        )
        self._folder, self._seed = folder, seed
        torch.manual_seed(seed)
        self._vae = AutoencoderKLWan.from_pretrained(folder / "vae")
        self._decoder = self._vae.decoder.train().requires_grad_(True)
        self._average = {name: value.detach().clone() for name, value in self._decoder.state_dict().items()}
        # The two ends begin right and are only refined; what lies between begins silent and learns fast.
        ends = {id(self._decoder.conv_in.weight), id(self._decoder.conv_out.weight)}
        between = [
            weight for weight in self._decoder.parameters() if weight.ndim == 5 and id(weight) not in ends
        ]
        taken = {id(weight) for weight in between}
        rest = [weight for weight in self._decoder.parameters() if id(weight) not in taken]
        self._muon = Muon(between)
        self._adam = torch.optim.AdamW(rest, lr=_ADAM_RATE, betas=(0.9, 0.98), weight_decay=0.01)
        self._tokenizer = AutoTokenizer.from_pretrained(checkpoint / "tokenizer")
        self._encoder = UMT5EncoderModel.from_pretrained(checkpoint / "text_encoder").float().eval()
        self._model = WanTransformer3DModel.from_pretrained(checkpoint / "transformer").float().eval()
        self._resume()

    def write(self) -> None:
        """The averaged decoder, into the folder's codec."""
        self._decoder.load_state_dict(self._average)
        self._vae.save_pretrained(self._folder / "vae")

    def _train_step(self) -> list[float]:
        rng = random.Random(f"{self._seed}:{self._step}")
        noise = torch.Generator().manual_seed(rng.getrandbits(48))
        sample = self._sample(rng, noise)
        half = slice(0, 8) if rng.random() < 0.5 else slice(8, 16)
        loss, parts = self._loss(sample.codes[:, :, half], sample.clips[:, :, half], sample.masks[:, half])
        for group in self._adam.param_groups:
            group["lr"] = _ADAM_RATE * self._rate()
        self._adam.zero_grad()
        self._muon.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._decoder.parameters(), 1.0)
        self._adam.step()
        self._muon.step(_MUON_RATE * self._rate())
        decay = min(_EMA_DECAY, (1 + self._step) / (10 + self._step))
        with torch.no_grad():
            for name, value in self._decoder.state_dict().items():
                self._average[name].lerp_(value, 1 - decay)
        return parts

    @torch.no_grad()
    def _sample(self, rng: random.Random, noise: torch.Generator) -> Sample:
        clips, masks, captions = [], [], []
        for _ in range(_CLIPS):
            facts = world.sample(rng)
            frames, mask = draw_clip(
                facts, mood(rng), anywhere(facts, rng) if rng.random() < _ANYWHERE_SHARE else None
            )
            clip = torch.from_numpy(frames)
            clips.append(print_in_two_inks(clip) if rng.random() < _STYLE_SHARE else clip)
            masks.append(torch.from_numpy(mask))
            captions.append(world.caption(facts, rng)[0])
        drawn = torch.stack(clips).permute(0, 4, 1, 2, 3) * 2 - 1
        latents = codec.normalise(self._vae, codec.raw_latents(self._vae, drawn))
        guessed = self._guess(latents, captions, noise)
        exact = torch.rand(_CLIPS, 1, 1, 1, 1, generator=noise) < _EXACT_SHARE
        return Sample(
            codec.restore(self._vae, torch.where(exact, latents, guessed)), drawn, torch.stack(masks)
        )

    def _guess(self, latents: Tensor, captions: list[str], noise: torch.Generator) -> Tensor:
        """Codes that the video model makes of codes with a part of noise, in a few steps: near the clean ones."""
        level = _LARGEST_NOISE * torch.rand(len(latents), generator=noise)
        share = level.view(-1, 1, 1, 1, 1)
        noisy = latents.lerp(torch.randn(latents.shape, generator=noise), share)
        context = text.encode(self._encoder, self._tokenizer, captions)[0]
        for step in range(_STEPS):
            with torch.autocast("cpu", dtype=torch.bfloat16):
                velocity = self._model(noisy, level * 1000 * (1 - step / _STEPS), context, return_dict=False)[
                    0
                ]
            noisy = noisy - share / _STEPS * velocity.float()
        return noisy

    def _loss(self, codes: Tensor, clips: Tensor, masks: Tensor) -> tuple[Tensor, list[float]]:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            drawn = self._decoder(self._vae.post_quant_conv(codes))
        drawn = unpatchify(drawn.float(), self._vae.config.patch_size)
        weight = 1 + _SUBJECT_WEIGHT * torch.nn.functional.max_pool2d(masks, 9, 1, 4)[:, None]
        plain = (drawn - clips).abs()
        edges = _steps(drawn, clips, weight)
        loss = (plain * weight).mean() + _EDGE_WEIGHT * edges
        return loss, [(drawn.detach() - clips).square().mean().item() / 4, plain.mean().item(), edges.item()]

    def _rate(self) -> float:
        left = 1 - self._step / self._steps
        return min(1, (self._step + 1) / _WARM_UP_STEPS) * max(_LOWEST_RATE, min(1, left * 1.6))

    def _said(self, losses: Sequence[float]) -> dict[str, Any]:
        error, plain, edges = losses
        return {
            "psnr_db": round(-10 * math.log10(error), 2),
            "absolute": round(plain, 4),
            "edges": round(edges, 4),
        }

    def _state(self) -> dict[str, Any]:
        return {
            "decoder": self._decoder.state_dict(),
            "average": self._average,
            "adam": self._adam.state_dict(),
            "muon": self._muon.state_dict(),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        self._average = state["average"]
        self._decoder.load_state_dict(state["decoder"])
        self._adam.load_state_dict(state["adam"])
        self._muon.load_state_dict(state["muon"])


def _steps(drawn: Tensor, clips: Tensor, weight: Tensor) -> Tensor:
    """How far the differences of neighbouring pixels, across and along, are from the clean ones'."""
    error = drawn - clips
    across = (error[..., 1:] - error[..., :-1]).abs() * weight[..., 1:]
    along = (error[..., 1:, :] - error[..., :-1, :]).abs() * weight[..., 1:, :]
    return across.mean() + along.mean()
