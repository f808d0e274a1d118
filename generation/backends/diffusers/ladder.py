"""Where a pipeline's parts lie: from all in the device's memory down to weights of eight bits that come and go.

Each rung needs less memory than the one above, and is slower. A step down is made with a pipeline that was loaded anew:
it carries no hooks, adapters or compiled code of the rung above.
"""

from __future__ import annotations

from typing import Any, Final

import torch

from generation.backends.diffusers.profile import RUNGS

# All weights stay where they are used. On the processor itself there is nowhere else for them to go.
ROOMY: Final = ("none", "tiling")
# Adapters take on the type of the weights that they change, and cannot be computed with in eight bits.
NO_ADAPTERS: Final = "fp8"
EXPERTS: Final = ("transformer", "transformer_2")


def rungs(ladder: tuple[str, ...], device: torch.device) -> tuple[str, ...]:
    """The rungs of a family's ladder that this device has, from fast to small; at least one."""
    able = tuple(rung for rung in RUNGS if rung in ladder and (device.type != "cpu" or rung in ROOMY))
    return able or ROOMY[:1]


def place(pipeline: Any, rung: str, device: torch.device) -> None:
    """Puts a pipeline, as it comes from disk, on its rung; all but the first decode in tiles.

    Takes are decoded one by one, which costs no time and saves memory (HunyuanVideo 1.5 cannot decode two at once), but
    for decoders that take a timestep (LTX-Video): that is not cut in slices with the rest.
    """
    if not pipeline.vae.config.get("timestep_conditioning"):
        pipeline.vae.enable_slicing()
    if rung != "none" and hasattr(pipeline.vae, "enable_tiling"):
        pipeline.vae.enable_tiling()
    if rung == "offload":
        pipeline.enable_model_cpu_offload(device=device)
    elif rung in {"group offload", "fp8"}:
        if rung == "fp8":
            _cast_to_eight_bits(pipeline)
        pipeline.enable_group_offload(
            onload_device=device,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=device.type == "cuda",
        )
    else:
        pipeline.to(device)


def experts(pipeline: Any) -> list[Any]:
    """The transformers of a pipeline: one, or two for much and for little noise."""
    found = (getattr(pipeline, name, None) for name in EXPERTS)
    return [expert for expert in found if expert is not None]


def _cast_to_eight_bits(pipeline: Any) -> None:
    """Weights are stored in eight bits, and computed with as before."""
    for expert in experts(pipeline):
        expert.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=expert.dtype)
