"""A training run that can be interrupted: steps, a line of figures now and then, and a state to go on from."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


class Run(ABC):
    """`state` is the file to go on from, `curve` gets a line of JSON every `report_every` steps."""

    def __init__(self, *, state: Path, curve: Path, steps: int, report_every: int) -> None:
        self._file, self._curve, self._steps, self._report_every = state, curve, steps, report_every
        self._step, self._cpu_seconds = 0, 0.0

    def run(self, *, save_every: float = 120.0) -> None:
        """Trains to the last step; keeps the state every `save_every` seconds and at the end."""
        losses: list[Sequence[float]] = []
        saved = time.monotonic()
        while self._step < self._steps:
            before = time.process_time()
            losses.append(self._train_step())
            self._cpu_seconds += time.process_time() - before
            self._step += 1
            if self._step % self._report_every == 0:
                self._report(torch.tensor(losses).mean(0).tolist())
                losses = []
            if time.monotonic() - saved > save_every:
                self._save()
                saved = time.monotonic()
        self._save()

    def _resume(self) -> None:
        """Once everything is made that `_restore` fills."""
        if not self._file.exists():
            return
        state = torch.load(self._file, weights_only=True)
        self._step, self._cpu_seconds = state["step"], state["cpu_seconds"]
        self._restore(state)
        print(f"resumed at step {self._step}", flush=True)

    @abstractmethod
    def _train_step(self) -> Sequence[float]:
        """One step; its losses."""

    @abstractmethod
    def _said(self, losses: Sequence[float]) -> dict[str, Any]:
        """What a line of the curve tells of these means."""

    @abstractmethod
    def _state(self) -> dict[str, Any]:
        """All that decides how it goes on, beside the step."""

    @abstractmethod
    def _restore(self, state: dict[str, Any]) -> None:
        """From such a state."""

    def _report(self, losses: Sequence[float]) -> None:
        at = {"step": self._step, "cpu_seconds": round(self._cpu_seconds, 1)}
        line = json.dumps(at | self._said(losses))
        with self._curve.open("a", encoding="utf-8") as curve:
            curve.write(line + "\n")
        print(line, flush=True)

    def _save(self) -> None:
        part = self._file.with_suffix(".part")
        torch.save({"step": self._step, "cpu_seconds": self._cpu_seconds} | self._state(), part)
        part.replace(self._file)
