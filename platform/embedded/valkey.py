"""Valkey (the Redis protocol) as a child: broker, cache and publish/subscribe behind one Unix socket."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from embedded import binaries, sockets
from embedded.failures import CannotStart, tail
from embedded.processes import Child, Command

_START_SECONDS = 30.0


class Valkey:
    """Keeps an append-only file when `durable`: queued work outlives a restart."""

    name = "valkey"

    def __init__(self, state: Path, *, durable: bool = True) -> None:
        self.state = state
        self.socket = sockets.path_for(state) / "valkey.sock"
        argv: list[str | Path] = [
            *(
                binaries.valkey_server(),
                "--port",
                "0",
                "--unixsocket",
                self.socket,
                "--unixsocketperm",
                "700",
            ),
            *("--dir", state, "--save", "", "--appendonly", "yes" if durable else "no"),
            *("--maxmemory-policy", "noeviction"),  # a broker must refuse rather than forget
        ]
        self.log = state / "valkey.log"
        self._child = Child(
            Command(name=self.name, argv=argv, log=self.log, on_parent_death=signal.SIGTERM, cwd=Path("/"))
        )

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket), safe='/')}?db=0"

    @property
    def pid(self) -> int:
        return self._child.pid

    @property
    def alive(self) -> bool:
        return self._child.alive

    def start(self) -> None:
        """Returns when it answers and has read its file. Raises CannotStart."""
        self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        sockets.folder_for(self.state)
        self._see_off_the_last_one()
        self._child.start()
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if not self._child.alive or time.monotonic() > deadline:
                self._child.stop(2)
                raise CannotStart(f"Valkey did not start. Its log ends:\n{tail(self.log)}")
            time.sleep(0.02)

    def ask_to_stop(self) -> None:
        self._child.ask_to_stop()

    def stop(self) -> None:
        self._child.stop()
        sockets.release(self.state)

    def kill(self) -> None:
        self._child.kill()
        sockets.release(self.state)

    def client(self) -> redis.Redis:
        """One that fails at once where nobody listens: the library would try again for seconds."""
        at_once = Retry(NoBackoff(), 0)
        return redis.Redis(unix_socket_path=str(self.socket), decode_responses=True, retry=at_once)

    def _answers(self) -> bool:
        try:
            with self.client() as client:
                return bool(client.ping())
        except (redis.ConnectionError, redis.BusyLoadingError, FileNotFoundError):
            return False

    def _see_off_the_last_one(self) -> None:
        """One that still ends after `kill -9`, or was left behind, would share the append-only file with us."""
        if not self.socket.exists():
            return
        deadline = time.monotonic() + _START_SECONDS
        try:
            with self.client() as client:
                client.shutdown(nosave=True)
        except redis.RedisError:
            pass  # nobody listens any more
        while self._answers():
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Another Valkey uses {self.socket} and does not end. Stop it and start again."
                )
            time.sleep(0.05)
        self.socket.unlink(missing_ok=True)
