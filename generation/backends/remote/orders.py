"""A spec as the fields of an order; and what is refused before any server is asked."""

from __future__ import annotations

from typing import Final

from generation.backends.pictures import check_picture
from generation.backends.remote.answers import Model
from generation.errors import SpecRejected
from generation.spec import RenderSpec

_LONGEST_PROMPT: Final = 32_000
_LARGEST_SEED: Final = 2**63 - 1


def check(spec: RenderSpec, model: Model) -> None:
    """Raises SpecRejected for what no file can be, and for what the server says that its model does not make."""
    _check_shape(spec, model)
    if spec.steps < 1:
        raise SpecRejected("unsupported_steps", "A render has at least one step.")
    if not 0 <= spec.seed <= _LARGEST_SEED:
        raise SpecRejected("invalid_seed", "A seed is a whole number from 0 to 2^63 - 1.")
    if len(spec.prompt) > _LONGEST_PROMPT:
        raise SpecRejected("prompt_too_long", f"A prompt has at most {_LONGEST_PROMPT} characters.")
    if spec.image and not model.images:
        raise SpecRejected("images_unsupported", "This model cannot start from a picture.")
    if spec.image:
        check_picture(spec.image)
    if spec.adapter:
        raise SpecRejected("adapters_unsupported", "This model takes no style adapters.")


def _check_shape(spec: RenderSpec, model: Model) -> None:
    if spec.seconds < 1 or (model.lengths and spec.seconds not in model.lengths):
        nearest = min(model.lengths, key=lambda length: abs(length - spec.seconds), default=1)
        raise SpecRejected("unsupported_length", f"The nearest length that this model makes is {nearest} s.")
    if spec.width < 2 or spec.height < 2 or spec.width % 2 or spec.height % 2:
        raise SpecRejected("unsupported_size", "Width and height must be even.")
    if model.sizes and (spec.width, spec.height) not in model.sizes:
        width, height = min(
            model.sizes, key=lambda size: abs(size[0] - spec.width) + abs(size[1] - spec.height)
        )
        raise SpecRejected(
            "unsupported_size", f"The nearest size that this model makes is {width} × {height}."
        )


def fields(spec: RenderSpec, *, model: str, prompt: str) -> dict[str, str]:
    """OpenAI's fields, and those by which vLLM-Omni takes what OpenAI has none for; others ignore them."""
    named = {
        "model": model,
        "prompt": prompt,
        "negative_prompt": spec.negative_prompt,
        "seconds": str(spec.seconds),
        "size": f"{spec.width}x{spec.height}",
        "fps": str(spec.fps),
        "seed": str(spec.seed),
        "num_inference_steps": str(spec.steps),
        "guidance_scale": str(spec.guidance),
    }
    return {name: value for name, value in named.items() if value}
