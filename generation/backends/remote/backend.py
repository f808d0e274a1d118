"""Renders elsewhere: at any server that speaks OpenAI's `/v1/videos`, such as vLLM-Omni or another Private View."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import httpx

from generation.backends.remote import address as addresses
from generation.backends.remote import orders
from generation.backends.remote.address import Address
from generation.backends.remote.answers import Job, Unwell
from generation.backends.remote.film import Film
from generation.backends.remote.limits import Limits
from generation.backends.remote.server import Server
from generation.errors import RenderCancelled, Transient
from generation.spec import Cancelled, Capability, Frames, Progress, RenderSpec

Answer = TypeVar("Answer")
_USUAL: Final = Limits()
_GLANCE = 0.2  # seconds between two looks at whether the render is still wanted
_GROWTH = 1.5  # of the pauses between two questions


def open_server(checkpoint: str) -> RemoteBackend:
    """The backend behind an address such as `https://lab@host/v1#model`; see `address`. Raises EngineError."""
    found = addresses.read(checkpoint)
    return RemoteBackend(found.url, found.token, found.model)


class RemoteBackend:
    """One model of one server. Nothing runs here, so that any number of renders may wait for it at once.

    Asks the server about its model when it is made: EngineError when it does not know us, Transient when it is away.
    """

    name = "remote"

    def __init__(
        self,
        address: str,
        token: str = "",
        model: str = "",
        *,
        limits: Limits = _USUAL,
        away: httpx.BaseTransport | None = None,
    ) -> None:
        """`away` carries what is fetched from other hosts; unless told, to public addresses over https alone."""
        began = time.monotonic()
        self._address = Address(address.rstrip("/"), model, token)
        self._limits = limits
        self._server = Server(self._address, limits, away)
        try:
            self._model = self._server.model()
        except BaseException:
            self._server.close()
            raise
        self._load_seconds = time.monotonic() - began
        self._warm_seconds = 0.0

    @property
    def checkpoint(self) -> str:
        """SHA-256 over the address, the model's name and what the server said of it: no file is at hand."""
        told = [
            self._address.url,
            self._address.model,
            *(f"{key}={value}" for key, value in self._model.identity),
        ]
        return hashlib.sha256("\0".join(told).encode()).hexdigest()

    def capability(self) -> Capability:
        """Of the server's machine nothing is known. `images` is false only where the server says so."""
        return Capability(
            device=httpx.URL(self._address.url).host,
            dtype="unknown",
            memory=0,
            load_seconds=self._load_seconds,
            warm_seconds=self._warm_seconds,
            rung="none",
            images=self._model.images,
            adapters=False,
            at_once=1,
        )

    def close(self) -> None:
        """Ends the connections; a worker's end with its process."""
        self._server.close()

    def warm(self) -> None:
        """Opens the connection. Renders nothing: at the server, a render that is thrown away costs somebody."""
        began = time.monotonic()
        self._server.model()
        self._warm_seconds = time.monotonic() - began

    def at_once(self, spec: RenderSpec) -> int:
        """One: how many go through one forward is the server's affair."""
        return 1

    def complete_prompt(self, prompt: str, seed: int) -> str:
        """The prompt without outer spaces. What a server adds to it is only known with its frames."""
        return prompt.strip()

    def check(self, spec: RenderSpec) -> None:
        """Refuses what no file can be, and what the server says that its model does not make."""
        orders.check(spec, self._model)

    def render(
        self, takes: Sequence[RenderSpec], *, progress: Progress, cancelled: Cancelled
    ) -> list[Frames]:
        """Frames decoded from the file that the server delivers: as many and as large as are in it.

        Steps are told from the server's percentage, each one once, those passed between two questions together.
        Whatever ends a render early, the server is told that the job is no longer wanted.
        """
        for spec in takes:
            self.check(spec)
        steps = _Steps(sum(spec.steps for spec in takes), progress, cancelled)
        return [self._one(spec, steps) for spec in takes]

    def _one(self, spec: RenderSpec, steps: _Steps) -> Frames:
        if steps.cancelled():
            raise RenderCancelled
        prompt = self.complete_prompt(spec.prompt, spec.seed)
        fields = orders.fields(spec, model=self._address.model, prompt=prompt)
        job = self._patiently(lambda: self._server.order(fields, spec.image), steps.cancelled, order=True)
        try:
            job = self._follow(job, spec, steps)
            done = job
            descriptor = self._patiently(
                lambda: self._server.download(done, steps.cancelled), steps.cancelled
            )
            film = Film(descriptor, seconds=spec.seconds, limits=self._limits)
        except BaseException:
            self._server.dismiss(job, stop=True)
            raise
        self._server.dismiss(job, stop=False)
        return Frames(
            images=film,
            count=film.count,
            width=film.width,
            height=film.height,
            completed_prompt=job.completed_prompt or prompt,
            ignored_words=job.ignored_words,
        )

    def _follow(self, job: Job, spec: RenderSpec, steps: _Steps) -> Job:
        """Ask until the job has ended well. Raises why it did not."""
        before, ends = steps.done, time.monotonic() + self._limits.render
        pause = self._limits.first_pause
        steps.reach(before)
        while job.state != "completed":
            if job.fault:
                raise job.fault
            steps.reach(before + min(spec.steps - 1, job.percent * spec.steps // 100))
            if time.monotonic() > ends:
                raise Transient("The server does not come to the end of this render.")
            wait = pause if job.pause is None else max(job.pause, self._limits.first_pause)
            _rest(min(wait, self._limits.longest_pause), steps.cancelled)
            pause *= _GROWTH
            last = job
            job = self._patiently(lambda: self._server.read(last), steps.cancelled)  # noqa: B023 - called at once
        steps.reach(before + spec.steps)
        return job

    def _patiently(self, ask: Callable[[], Answer], cancelled: Cancelled, *, order: bool = False) -> Answer:
        """Ask again while the server is unwell, as long as an outage may last. Raises its last fault.

        An order is repeated only when it was certainly not taken: a second one would be a second render.
        """
        ends = time.monotonic() + self._limits.outage
        pause = self._limits.first_pause
        while True:
            try:
                return ask()
            except Unwell as fault:
                wait = pause if fault.wait is None else max(fault.wait, self._limits.first_pause)
                if (order and not fault.untaken) or time.monotonic() + wait > ends:
                    raise
            _rest(wait, cancelled)
            pause = min(pause * _GROWTH, self._limits.longest_pause)


class _Steps:
    """Passes on each denoising step once, in order, and stops where nobody waits any more."""

    def __init__(self, total: int, progress: Progress, cancelled: Cancelled) -> None:
        self._total, self._progress, self.cancelled = total, progress, cancelled
        self.done = 0
        self._told = -1

    def reach(self, step: int) -> None:
        """Raises RenderCancelled."""
        while self._told < step:
            if self.cancelled():
                raise RenderCancelled
            self._told += 1
            self._progress(self._told, self._total)
        self.done = max(self.done, step)


def _rest(seconds: float, cancelled: Cancelled) -> None:
    """Sleep, and wake when the render is no longer wanted: RenderCancelled."""
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        if cancelled():
            raise RenderCancelled
        time.sleep(min(left, _GLANCE))
