"""The families of checkpoints that we run, as data; and which of them a folder belongs to.

Figures are those of the model cards and of the pipelines' own defaults in diffusers 0.42.1.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Final

from generation.backends.diffusers.profile import PROFILE_FILE, RUNGS, Profile
from generation.errors import EngineError

_INDEX: Final = "model_index.json"
_TRANSFORMER: Final = "transformer/config.json"

# Wan's VAE breaks in bfloat16. 2.1: 480 x 832 at 16 frames a second, at most 81 frames.
WAN: Final = Profile(
    name="Wan 2.1",
    pipelines=("WanPipeline",),
    text="WanPipeline",
    fps=16,
    frame_step=4,
    max_frames=81,
    pixels=832 * 480,
    size_multiple=16,
    window_seconds=(1, 5),
    max_sequence_length=512,
    full_precision=("vae",),
)
WAN_PICTURE: Final = replace(
    WAN,
    name="Wan 2.1 from pictures",
    pipelines=("WanImageToVideoPipeline",),
    text=None,
    picture="WanImageToVideoPipeline",
)
# One model for text and pictures: the first frame's tokens have timestep 0. VAE 16 x 16, patches 2 x 2: sizes in 32.
WAN_5B: Final = replace(
    WAN,
    name="Wan 2.2 TI2V 5B",
    pipelines=("WanPipeline", "WanImageToVideoPipeline"),
    mark=(_INDEX, "expand_timesteps"),
    picture="WanImageToVideoPipeline",
    fps=24,
    max_frames=121,
    pixels=1280 * 704,
    size_multiple=32,
)
# Two experts, for much and for little noise; published guidance 4 and 3.
WAN_A14B: Final = replace(
    WAN, name="Wan 2.2 A14B", mark=(_INDEX, "boundary_ratio"), pixels=1280 * 720, second_guidance=2 / 3
)
WAN_A14B_PICTURE: Final = replace(
    WAN_PICTURE, name="Wan 2.2 A14B from pictures", mark=(_INDEX, "boundary_ratio"), pixels=1280 * 720
)
LTX: Final = Profile(
    name="LTX-Video",
    pipelines=("LTXPipeline", "LTXImageToVideoPipeline"),
    text="LTXPipeline",
    picture="LTXImageToVideoPipeline",
    fps=25,
    frame_step=8,
    max_frames=257,
    pixels=768 * 512,
    size_multiple=32,
    window_seconds=(1, 10),
    max_sequence_length=128,
    fps_argument="frame_rate",
)
# Its VAE takes a timestep. LTXImageToVideoPipeline would draw that noise on the device, where our generators are not.
LTX_091: Final = replace(
    LTX,
    name="LTX-Video 0.9.1",
    mark=("vae/config.json", "timestep_conditioning"),
    picture=None,
    settings={"decode_timestep": 0.05, "decode_noise_scale": 0.025},
)
LTX_095: Final = replace(
    LTX_091,
    name="LTX-Video 0.9.5 and later",
    pipelines=("LTXConditionPipeline",),
    mark=None,
    text="LTXConditionPipeline",
    picture="LTXConditionPipeline",
    max_sequence_length=256,
)
# Its sound is thrown away. Without guidance (distilled checkpoints) the other kinds of guidance are off as well.
LTX_2: Final = Profile(
    name="LTX-2",
    pipelines=("LTX2Pipeline", "LTX2ImageToVideoPipeline", "LTX2ConditionPipeline"),
    text="LTX2Pipeline",
    picture="LTX2ImageToVideoPipeline",
    fps=24,
    frame_step=8,
    max_frames=241,
    pixels=768 * 512,
    size_multiple=32,
    window_seconds=(1, 10),
    max_sequence_length=1024,
    fps_argument="frame_rate",
    unguided={
        "stg_scale": 0.0,
        "modality_scale": 1.0,
        "guidance_rescale": 0.0,
        "audio_guidance_scale": 1.0,
        "audio_stg_scale": 0.0,
        "audio_modality_scale": 1.0,
        "audio_guidance_rescale": 0.0,
    },
)
HUNYUAN: Final = Profile(
    name="HunyuanVideo",
    pipelines=("HunyuanVideoPipeline",),
    text="HunyuanVideoPipeline",
    fps=24,
    frame_step=4,
    max_frames=129,
    pixels=960 * 544,
    size_multiple=16,
    window_seconds=(1, 5),
    max_sequence_length=256,
    guidance="embedded",
)
HUNYUAN_15: Final = Profile(
    name="HunyuanVideo 1.5",
    pipelines=("HunyuanVideo15Pipeline",),
    text="HunyuanVideo15Pipeline",
    fps=24,
    frame_step=4,
    max_frames=121,
    pixels=640 * 640,
    size_multiple=16,
    window_seconds=(1, 5),
    max_sequence_length=None,
    guidance="guider",
)
HUNYUAN_15_PICTURE: Final = replace(
    HUNYUAN_15,
    name="HunyuanVideo 1.5 from pictures",
    pipelines=("HunyuanVideo15ImageToVideoPipeline",),
    text=None,
    picture="HunyuanVideo15ImageToVideoPipeline",
)
COGVIDEOX: Final = Profile(
    name="CogVideoX",
    pipelines=("CogVideoXPipeline",),
    text="CogVideoXPipeline",
    fps=8,
    frame_step=4,
    max_frames=49,
    pixels=720 * 480,
    size_multiple=16,
    aspect=(1.3, 1.85),
    window_seconds=(1, 6),
    width=720,
    height=480,
    max_sequence_length=226,
)
COGVIDEOX_PICTURE: Final = replace(
    COGVIDEOX,
    name="CogVideoX from pictures",
    pipelines=("CogVideoXImageToVideoPipeline",),
    text=None,
    picture="CogVideoXImageToVideoPipeline",
)
COGVIDEOX_15: Final = replace(
    COGVIDEOX,
    name="CogVideoX 1.5",
    mark=(_TRANSFORMER, "patch_size_t"),
    fps=16,
    max_frames=81,
    pixels=1360 * 768,
    window_seconds=(1, 5),
    width=1360,
    height=768,
)
COGVIDEOX_15_PICTURE: Final = replace(
    COGVIDEOX_15,
    name="CogVideoX 1.5 from pictures",
    pipelines=COGVIDEOX_PICTURE.pipelines,
    text=None,
    picture=COGVIDEOX_PICTURE.picture,
)
MOCHI: Final = Profile(
    name="Mochi",
    pipelines=("MochiPipeline",),
    text="MochiPipeline",
    fps=30,
    frame_step=6,
    max_frames=163,
    pixels=848 * 480,
    size_multiple=16,
    window_seconds=(1, 5),
    max_sequence_length=256,
    fewest_steps=2,  # its schedule is cut in two halves
)

# The first that fits: those with a mark stand before the same pipeline's without one.
FAMILIES: Final = (
    WAN_5B,
    WAN_A14B,
    WAN_A14B_PICTURE,
    WAN,
    WAN_PICTURE,
    LTX_091,
    LTX_095,
    LTX,
    LTX_2,
    HUNYUAN,
    HUNYUAN_15,
    HUNYUAN_15_PICTURE,
    COGVIDEOX_15,
    COGVIDEOX_15_PICTURE,
    COGVIDEOX,
    COGVIDEOX_PICTURE,
    MOCHI,
)
# What a checkpoint says of itself. Which classes run it is not its to say.
_OWN: Final = {field.name for field in fields(Profile)} - {"pipelines", "mark", "text", "picture"}


def read_profile(folder: Path) -> Profile:
    """The profile of a checkpoint folder; EngineError when its pipeline is of no family that we know."""
    family = _family(folder)
    own = folder / PROFILE_FILE
    if not own.exists():
        return family
    values = _checked(_read(own))
    if (
        "frames" in values
    ):  # a fixed number of pictures spans any length, unless the checkpoint says otherwise
        values.setdefault("window_seconds", None)
    return replace(family, **values)


def _family(folder: Path) -> Profile:
    pipeline = _read(folder / _INDEX).get("_class_name")
    for family in FAMILIES:
        if pipeline in family.pipelines and (family.mark is None or _is_set(folder, *family.mark)):
            return family
    known = ", ".join(sorted({name for family in FAMILIES for name in family.pipelines}))
    raise EngineError(f"The checkpoint is a {pipeline}; the pipelines known here are {known}.")


def _is_set(folder: Path, file: str, entry: str) -> bool:
    return (folder / file).is_file() and bool(_read(folder / file).get(entry))


def _read(file: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return values


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    if unknown := sorted(set(values) - _OWN):
        raise EngineError(f"The checkpoint's {PROFILE_FILE} has unknown entries: {', '.join(unknown)}.")
    if odd := sorted(set(values.get("ladder", ())) - set(RUNGS)):
        raise EngineError(f"The checkpoint's {PROFILE_FILE} names no rung of the ladder: {', '.join(odd)}.")
    return {name: tuple(value) if isinstance(value, list) else value for name, value in values.items()}
