"""Tokenizer and a tiny UMT5 encoder that reads the attributes out of a prompt.

A slot token for each attribute stands before every prompt, put there by the tokenizer's own template. The encoder is
taught to turn slot k into one fixed vector for each value of attribute k (one more for "left open"), and every other
token into one fixed null vector; then it is frozen. The video model thus never has to find out which colour belongs to
what.
"""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from torch import Tensor
from transformers import PreTrainedTokenizerFast, UMT5Config, UMT5EncoderModel

from generation.backends.diffusers.training import world
from generation.backends.diffusers.training.words import ATTRIBUTES, VALUES

MAX_TOKENS = 40
WIDTH = 128
SLOTS = tuple(f"<{name}>" for name in ATTRIBUTES)
_SPECIAL = ("<pad>", "</s>", "<unk>", *SLOTS)
_FURTHER_WORDS = "is that with and its into very film clip image at to of in the an"
_BATCH = 96
# Values of the attributes that the first weights were trained with.
_FIRST_VALUES = {"scene": 8, "subject": 10, "colour": 10, "motion": 8}
_EMPTY_SHARE = 0.02  # prompts without a word, so that guidance has something to lean against
_MISSPELT_SHARE = 0.01  # words replaced by an unknown one
_OPEN_SHARE = 0.5  # prompts that leave one to three attributes open


def make_text(folder: Path, *, seed: int, cpu_seconds: float) -> dict[str, float]:
    """Trains and writes `folder/tokenizer` and `folder/text_encoder`; returns each slot's share of right readings."""
    torch.manual_seed(seed)
    rng = random.Random(seed)
    tokenizer = build_tokenizer(rng)
    encoder = _build_encoder(len(tokenizer))
    _train(encoder, tokenizer, rng, cpu_seconds)
    encoder.eval()
    with torch.no_grad():
        _, right = _loss(encoder, tokenizer, rng, 4000, misspelt=0.0)
    tokenizer.save_pretrained(folder / "tokenizer")
    encoder.save_pretrained(folder / "text_encoder")
    return {name: round(share, 4) for name, share in zip(ATTRIBUTES, right.tolist(), strict=True)}


def build_tokenizer(rng: random.Random) -> PreTrainedTokenizerFast:
    """One token a word; words that no caption has become `<unk>`."""
    words = set(_FURTHER_WORDS.split())
    for _ in range(20_000):
        words.update(world.caption(world.sample(rng), rng, leave=world.left_open(rng, 0.2))[0].split())
    known = [*_SPECIAL, *sorted(word for word in words if word.isalpha()), ",", "."]
    vocabulary = {word: index for index, word in enumerate(known)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{' '.join(SLOTS)} $A </s>",
        special_tokens=[(token, vocabulary[token]) for token in (*SLOTS, "</s>")],
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        model_max_length=MAX_TOKENS,
    )


def codes() -> tuple[list[Tensor], Tensor]:
    """The target vectors: for each attribute one row a value and one for "left open"; and the null vector.

    All are orthogonal and of norm sqrt(WIDTH), the norm of a layer-normed vector; the same in every run. Rows are given
    out in the order in which values came into the world, so that what was learned of a row stays true.
    """
    generator = torch.Generator().manual_seed(1)
    rows = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=generator))[0] * WIDTH**0.5
    first = {name: _FIRST_VALUES.get(name, 0) for name in ATTRIBUTES}
    numbers, given = {}, 0
    for name in _FIRST_VALUES:
        numbers[name] = list(range(given, given + first[name] + 1))
        given += first[name] + 1
    null = given
    for name in ATTRIBUTES:
        more = len(VALUES[name]) + 1 - len(numbers.get(name, ()))
        added = list(range(given + 1, given + 1 + more))
        given += more
        known = numbers.get(name, [])
        # "Left open" is the last of an attribute's rows, wherever its vector comes from.
        numbers[name] = [*known[:-1], *added, *known[-1:]]
    return [rows[numbers[name]] for name in ATTRIBUTES], rows[null]


def encode(
    encoder: UMT5EncoderModel,
    tokenizer: PreTrainedTokenizerFast,
    captions: Sequence[str],
    *,
    misspelt: float = 0.0,
    rng: random.Random | None = None,
) -> tuple[Tensor, Tensor]:
    """Hidden states (n x 40 x 128) with zeros past each prompt, as WanPipeline makes them, and the mask (n x 40)."""
    if misspelt and rng is not None:
        captions = [_misspell(text, misspelt, rng) for text in captions]
    tokens = tokenizer(
        list(captions), padding="max_length", max_length=MAX_TOKENS, truncation=True, return_tensors="pt"
    )
    hidden = encoder(tokens.input_ids, tokens.attention_mask).last_hidden_state
    return hidden * tokens.attention_mask[..., None], tokens.attention_mask


def _misspell(text: str, share: float, rng: random.Random) -> str:
    return " ".join("qqq" if rng.random() < share else word for word in text.split())


def _build_encoder(vocabulary: int) -> UMT5EncoderModel:
    return UMT5EncoderModel(
        UMT5Config(
            vocab_size=vocabulary,
            d_model=WIDTH,
            d_kv=32,
            d_ff=2 * WIDTH,
            num_layers=2,
            num_heads=4,
            dropout_rate=0.0,
            pad_token_id=0,
            eos_token_id=1,
            decoder_start_token_id=0,
            feed_forward_proj="gated-gelu",
        )
    )


def _train(
    encoder: UMT5EncoderModel, tokenizer: PreTrainedTokenizerFast, rng: random.Random, cpu_seconds: float
) -> None:
    near = [p for name, p in encoder.named_parameters() if "relative_attention_bias" in name]
    rest = [p for name, p in encoder.named_parameters() if "relative_attention_bias" not in name]
    optimizer = torch.optim.AdamW(
        [{"params": near, "lr": 3e-2, "weight_decay": 0.0}, {"params": rest, "lr": 3e-3}], betas=(0.9, 0.98)
    )
    peaks = [group["lr"] for group in optimizer.param_groups]
    start, step = time.process_time(), 0
    while (share := (time.process_time() - start) / cpu_seconds) < 1:
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * min(1, (step + 1) / 30) * max(0.02, 1 - share)
        loss, right = _loss(encoder, tokenizer, rng, _BATCH, misspelt=_MISSPELT_SHARE)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 200 == 0:
            print(
                f"text step {step} loss {loss.item():.3f} right {[round(x, 3) for x in right.tolist()]}",
                flush=True,
            )


def _loss(
    encoder: UMT5EncoderModel,
    tokenizer: PreTrainedTokenizerFast,
    rng: random.Random,
    count: int,
    *,
    misspelt: float,
) -> tuple[Tensor, Tensor]:
    captions, wanted = _captions(count, rng)
    hidden, mask = encode(encoder, tokenizer, captions, misspelt=misspelt, rng=rng)
    targets, null = codes()
    loss = 2 * ((hidden - null).square().mean(-1) * mask)[:, len(SLOTS) :].mean()
    right = []
    for slot, target in enumerate(targets):
        likeness = hidden[:, slot] @ target.T / WIDTH**0.5
        loss = loss + F.cross_entropy(likeness, wanted[:, slot])
        loss = loss + 2 * (hidden[:, slot] - target[wanted[:, slot]]).square().mean()
        right.append((likeness.argmax(1) == wanted[:, slot]).float().mean())
    return loss, torch.stack(right)


def _captions(count: int, rng: random.Random) -> tuple[list[str], Tensor]:
    captions: list[str] = []
    wanted: list[list[int]] = []
    for _ in range(count):
        text, named = world.caption(world.sample(rng), rng, leave=world.left_open(rng, _OPEN_SHARE))
        if rng.random() < _EMPTY_SHARE:
            text, named = "", dict.fromkeys(ATTRIBUTES)
        captions.append(text)
        wanted.append([_index(name, named[name]) for name in ATTRIBUTES])
    return captions, torch.tensor(wanted)


def _index(attribute: str, value: str | None) -> int:
    return len(VALUES[attribute]) if value is None else VALUES[attribute].index(value)
