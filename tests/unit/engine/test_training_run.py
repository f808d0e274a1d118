"""A run that was interrupted ends with the same weights as one that was not."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch

from generation.backends.diffusers.training.run import Run

FIGURES = "curve.jsonl"


class Descent(Run):
    """One number on its way to 3, pushed about by noise that the step's number decides; `dies_at` ends it there."""

    def __init__(self, folder: Path, *, dies_at: int | None = None) -> None:
        super().__init__(state=folder / "state.pt", curve=folder / FIGURES, steps=20, report_every=5)
        self.at, self._dies_at = torch.zeros(1), dies_at
        self._resume()

    def _train_step(self) -> Sequence[float]:
        if self._step == self._dies_at:
            raise KeyboardInterrupt
        noise = torch.randn(1, generator=torch.Generator().manual_seed(self._step))
        self.at = self.at + 0.2 * (3 - self.at) + 0.01 * noise
        return [float((3 - self.at).abs())]

    def _said(self, losses: Sequence[float]) -> dict[str, Any]:
        return {"off": losses[0]}

    def _state(self) -> dict[str, Any]:
        return {"at": self.at}

    def _restore(self, state: dict[str, Any]) -> None:
        self.at = state["at"]


def test_goes_on_from_its_last_state_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    (undisturbed := Descent(whole)).run()

    with pytest.raises(KeyboardInterrupt):
        Descent(broken, dies_at=12).run(save_every=0)
    (resumed := Descent(broken)).run()

    assert torch.equal(resumed.at, undisturbed.at)
    said = [json.loads(line) for line in (broken / FIGURES).read_text().splitlines()]
    assert [line["step"] for line in said] == [5, 10, 15, 20]
    assert not list(broken.glob("*.part"))


def test_a_run_that_has_ended_does_nothing_more(tmp_path: Path) -> None:
    Descent(tmp_path).run()
    before = (tmp_path / FIGURES).read_text()
    Descent(tmp_path, dies_at=20).run()
    assert (tmp_path / FIGURES).read_text() == before
