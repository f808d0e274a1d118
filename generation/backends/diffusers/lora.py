"""Puts a LoRA file onto a loaded checkpoint, and takes it off again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

from safetensors.torch import load_file

from generation.backends.adapters import inspect_adapter
from generation.backends.diffusers.ladder import experts
from generation.errors import SpecRejected
from generation.spec import Adapter

_NAME: Final = "style"
_STRONGEST: Final = 4.0


def check_adapter(adapter: Adapter, *, checkpoint: Path) -> None:
    """Raises SpecRejected unless the file is what its digest says, fits the checkpoint, and has a sane weight."""
    facts = inspect_adapter(adapter.path, checkpoint=checkpoint)
    if facts.sha256 != adapter.sha256:
        raise SpecRejected("adapter_changed", "The adapter's file is not the one that was checked.")
    if not math.isfinite(adapter.weight) or abs(adapter.weight) > _STRONGEST:
        raise SpecRejected(
            "adapter_weight", f"An adapter's weight is from -{_STRONGEST:g} to {_STRONGEST:g}."
        )


class Adapters:
    """The adapter of one loaded pipeline; it stays on while the same one is asked for again."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._loaded: str | None = None
        self._strength = 0.0

    @property
    def supported(self) -> bool:
        """Whether diffusers can load adapters for this kind of pipeline."""
        return hasattr(self._pipeline, "load_lora_weights")

    @property
    def heard(self) -> bool:
        """Whether what the model makes now is an adapter's doing as well."""
        return self._loaded is not None and self._strength != 0

    def use(self, adapter: Adapter | None) -> None:
        """Makes the next render speak with this adapter, or with none; two experts both get it."""
        if self._loaded and (adapter is None or adapter.sha256 != self._loaded):
            self._unload()
        if adapter is None:
            return
        if self._loaded is None:
            self._load(adapter)
        self._strength = adapter.weight * inspect_adapter(adapter.path).scale
        for expert in experts(self._pipeline):
            expert.set_adapters(_NAME, weights=self._strength)

    def _load(self, adapter: Adapter) -> None:
        """Tensors alone: the settings in the file's header could ask for more than a LoRA does (they are checked)."""
        tensors = load_file(adapter.path)
        try:
            self._pipeline.load_lora_weights(tensors, adapter_name=_NAME)
            if len(experts(self._pipeline)) > 1:
                self._pipeline.load_lora_weights(tensors, adapter_name=_NAME, load_into_transformer_2=True)
        except BaseException as fault:
            self._unload()
            if isinstance(fault, ValueError | KeyError):
                raise SpecRejected("adapter_targets", "The adapter does not fit this model.") from fault
            raise
        self._loaded = adapter.sha256

    def _unload(self) -> None:
        self._pipeline.unload_lora_weights()
        self._loaded = None
