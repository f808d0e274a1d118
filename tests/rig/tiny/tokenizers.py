"""Tokenizers of the kinds that published checkpoints bring, with a handful of words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import sentencepiece
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast, T5Tokenizer

WORDS = (
    "<pad>",
    "</s>",
    "<unk>",
    "<s>",
    "a",
    "red",
    "boat",
    "drifts",
    "left",
    "sun",
    "sea",
    "video",
    "scene",
)


def whole_words(length: int = 512, **special: Any) -> PreTrainedTokenizerFast:
    """One number for each word that it knows."""
    words = Tokenizer(models.WordLevel({word: k for k, word in enumerate(WORDS)}, unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=words,
        pad_token="<pad>",
        eos_token="</s>",
        unk_token="<unk>",
        bos_token="<s>",
        model_max_length=length,
        **special,
    )


def t5(folder: Path, length: int = 16) -> T5Tokenizer:
    """T5's, from a folder that is laid out for it."""
    lay_down_t5(folder, length)
    return T5Tokenizer.from_pretrained(folder)


def lay_down_t5(folder: Path, length: int = 16) -> None:
    """T5's, as LTX, CogVideoX and Mochi publish it: a SentencePiece model and nothing that is made from it."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["a red boat drifts left", "the sun rises over a quiet sea"] * 50),
        model_prefix=str(folder / "spiece"),
        vocab_size=26,
        pad_id=0,
        eos_id=1,
        unk_id=2,
        bos_id=-1,
        minloglevel=2,
    )
    (folder / "spiece.vocab").unlink()
    settings = {"tokenizer_class": "T5Tokenizer", "extra_ids": 0, "model_max_length": length}
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
