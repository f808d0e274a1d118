"""The steps of the training, each one resumable; all intermediate data goes to the folder that is named."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from generation.backends.diffusers.training import (
    adapter,
    appearance,
    codec,
    data,
    decoder,
    onward,
    pack,
    report,
    scorer,
    sheet,
    text,
)
from generation.backends.diffusers.training.reader import load_reader
from generation.backends.diffusers.training.trainer import Recipe, Trainer

# A run that begins with trained weights has no need of single pictures.
_CONTINUED: dict[str, Any] = {
    "pair_steps": 0,
    "hard_from": 0,
    "clip_batch": 24,
    "full_rate_share": 0.5,
    "muon_rate": 3e-3,
    "adam_rate": 1e-3,
}


def main() -> None:
    """Runs one step, or all of them in order."""
    arguments = _parser().parse_args()
    torch.set_num_threads(arguments.threads)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    steps = {
        "codec": _codec,
        "data": _data,
        "text": _text,
        "train": _train,
        "decoder": _decoder,
        "pack": _pack,
        "score": _score,
        "sheet": _sheet,
    }
    if arguments.step == "look":
        _look(arguments)
    elif arguments.step == "report":
        report.write(arguments.folder)
    elif arguments.step == "all":
        for step in ("codec", "data", "text", "train", "pack", "decoder", "pack", "score", "sheet"):
            steps[step](arguments)
        report.write(arguments.folder)
    else:
        steps[arguments.step](arguments)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m generation.backends.diffusers.training", description=__doc__
    )
    choices = ("codec", "data", "text", "train", "decoder", "pack", "score", "sheet", "report", "look", "all")
    parser.add_argument("step", choices=choices)
    parser.add_argument("folder", type=Path, help="where everything is kept between the steps")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--chunks", type=int, default=44, help=f"training clips, in chunks of {data.CHUNK_CLIPS}"
    )
    parser.add_argument("--text-seconds", type=float, default=130, help="CPU seconds for the text encoder")
    parser.add_argument("--steps", type=int, default=Recipe().steps)
    parser.add_argument("--init", type=Path, help="checkpoint folder or state.pt whose weights to begin with")
    parser.add_argument("--save-every", type=float, default=120, help="seconds")
    parser.add_argument("--decoder-steps", type=int, default=450)
    parser.add_argument("--style", choices=sorted(adapter.STYLES), default="two-inks")
    parser.add_argument("--look-steps", type=int, default=adapter.LookRecipe().steps)
    parser.add_argument("--no-compile", action="store_true", help="where there is no C++ compiler")
    parser.add_argument("--checkpoint", type=Path, help="pipeline folder to score (the packed one)")
    parser.add_argument("--prompts", type=int, default=160)
    parser.add_argument("--sampling-steps", type=int, default=scorer.Trial().sampling_steps)
    parser.add_argument("--guidance", type=float, default=scorer.Trial().guidance)
    return parser


def _codec(arguments: argparse.Namespace) -> None:
    _note(arguments.folder, "codec", codec.make_codec(arguments.folder, seed=arguments.seed))


def _data(arguments: argparse.Namespace) -> None:
    folder = arguments.folder
    data.make_data(
        folder / "vae",
        folder / "clips",
        chunks=arguments.chunks,
        seed=arguments.seed,
        processes=arguments.threads,
    )


def _text(arguments: argparse.Namespace) -> None:
    right = text.make_text(arguments.folder, seed=arguments.seed, cpu_seconds=arguments.text_seconds)
    _note(arguments.folder, "text", right)


def _train(arguments: argparse.Namespace) -> None:
    recipe = Recipe(seed=arguments.seed, steps=arguments.steps)
    if arguments.init:
        recipe = replace(recipe, **_CONTINUED)
    trainer = Trainer(arguments.folder, recipe, init=arguments.init, compile_blocks=not arguments.no_compile)
    trainer.run(save_every=arguments.save_every)


def _decoder(arguments: argparse.Namespace) -> None:
    checkpoint = arguments.checkpoint or arguments.folder / "checkpoint"
    trainer = decoder.DecoderTrainer(
        arguments.folder, checkpoint=checkpoint, steps=arguments.decoder_steps, seed=arguments.seed
    )
    trainer.run(save_every=arguments.save_every)
    trainer.write()


def _look(arguments: argparse.Namespace) -> None:
    checkpoint = arguments.checkpoint or arguments.folder / "checkpoint"
    recipe = adapter.LookRecipe(seed=arguments.seed, steps=arguments.look_steps)
    curve = adapter.train_look(
        checkpoint, arguments.folder / "looks" / arguments.style, arguments.style, recipe
    )
    _note(arguments.folder, f"look {arguments.style}", {"loss": curve})


def _pack(arguments: argparse.Namespace) -> None:
    pack.pack(arguments.folder, arguments.folder / "checkpoint")


def _score(arguments: argparse.Namespace) -> None:
    checkpoint, trial = arguments.checkpoint or arguments.folder / "checkpoint", _trial(arguments)
    reader = arguments.folder / "reader.pt"
    ceiling = scorer.score_truth(arguments.prompts, seed=arguments.seed, reader_file=reader)
    scores = scorer.score_checkpoint(checkpoint, trial, reader_file=reader)
    left_open = scorer.score_checkpoint(checkpoint, trial, leave=True, reader_file=reader)
    results: Any = {"ground_truth": ceiling, "checkpoint": scores, "left_open": left_open}
    results["crispness"] = appearance.score_crispness(checkpoint, trial)
    results["last_stretch"] = onward.score_last_stretch(checkpoint, trial, load_reader(reader))
    results["spread"] = appearance.score_spread(checkpoint, trial, load_reader(reader))
    _note(arguments.folder, f"score {checkpoint.name}", results)


def _sheet(arguments: argparse.Namespace) -> None:
    checkpoint = arguments.checkpoint or arguments.folder / "checkpoint"
    sheet.draw(checkpoint, _trial(arguments), arguments.folder / "sheet.webp")


def _trial(arguments: argparse.Namespace) -> scorer.Trial:
    return scorer.Trial(arguments.prompts, arguments.sampling_steps, arguments.guidance, arguments.seed)


def _note(folder: Path, name: str, values: dict[str, Any]) -> None:
    """Keeps a result in `folder/results.json` and prints it."""
    file = folder / "results.json"
    results = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    results[name] = values
    file.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(json.dumps({name: values}, indent=2))


if __name__ == "__main__":
    main()
