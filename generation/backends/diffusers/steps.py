"""Hears of each denoising step of any pipeline, and can stop it there by raising."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final

from generation.errors import RenderCancelled
from generation.spec import Cancelled, Progress

_CALLBACK: Final = "callback_on_step_end"


class Track:
    """Progress of one render over all its windows and parts, and whether it is still wanted."""

    def __init__(self, progress: Progress, cancelled: Cancelled) -> None:
        self._progress, self._cancelled = progress, cancelled
        self._steps = self._before = self._total = 0

    def start(self, steps: int, *, runs: int) -> None:
        """`runs` runs of the pipeline, `steps` steps each; starting again counts from nothing."""
        self._steps, self._before, self._total = steps, 0, steps * runs
        self.ask()
        self._progress(0, self._total)

    def step(self, done: int, of: int) -> None:
        """`done` of the scheduler's steps; second-order schedulers have more of them than were asked for."""
        self._progress(self._before + done * self._steps // of, self._total)
        self.ask()

    def next_run(self) -> None:
        """The pipeline ran through."""
        self._before += self._steps

    def ask(self) -> None:
        """Raises RenderCancelled when nobody wants it any more."""
        if self._cancelled():
            raise RenderCancelled


@contextmanager
def each_step(pipeline: Any, after: Callable[[int, int], None]) -> Iterator[dict[str, Any]]:
    """Arguments for the pipeline's call, which then calls `after(steps done, steps in all)`.

    Where a pipeline has no callback (HunyuanVideo 1.5) its scheduler is listened to. It is not so everywhere: LTX-2
    copies its scheduler for the sound, and the copy would be heard as well.
    """
    if _CALLBACK in inspect.signature(pipeline.__call__).parameters:

        def on_step_end(running: Any, index: int, time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
            after(index + 1, running.num_timesteps)
            return tensors

        yield {_CALLBACK: on_step_end}
        return
    scheduler, done = pipeline.scheduler, 0
    original = scheduler.step

    @wraps(original)
    def step(*arguments: Any, **named: Any) -> Any:
        nonlocal done
        result = original(*arguments, **named)
        done += 1
        after(done, len(scheduler.timesteps))
        return result

    scheduler.step = step
    try:
        yield {}
    finally:
        del scheduler.step
