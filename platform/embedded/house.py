"""The whole house on one machine: what runs, with which environment, in which order."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from embedded import commands
from embedded.failures import CannotStart, tail
from embedded.keeper import Keeper
from embedded.postgres import Postgres
from embedded.processes import Child, Command
from embedded.valkey import Valkey

DEPLOYMENT = "demo"
LANES = ("turbo", "full")
"""The queues of the model variants that the demo's seed makes."""
MARK_KEYS = "PRIVATE_VIEW_MARK_KEYS"
"""Where the keys of the forensic marks lie: for workers that make or read marks, for nobody else."""
SIGNING_KEY = "PRIVATE_VIEW_C2PA_KEY"
SIGNING = (SIGNING_KEY, "PRIVATE_VIEW_C2PA_SIGN")
"""What files are signed with: for workers that make them."""
SERVERS, WORKERS, DOORS = 0, 1, 2
_ALIVE_SECONDS = 90


@dataclass(frozen=True)
class Address:
    listener: int
    url: str


class House:
    """`pause(seconds)` waits and raises when somebody wants us to stop; it is called in every wait."""

    def __init__(self, state: Path, *, keeper: Keeper, pause: Callable[[float], None]) -> None:
        self.state = state
        self.logs = state / "log"
        self._keeper, self._pause = keeper, pause
        self.postgres = Postgres(state / "postgres")
        self.valkey = Valkey(state / "valkey")

    def environment(self, *, url: str, keys: dict[str, str]) -> dict[str, str]:
        outside = {
            name: value for name, value in os.environ.items() if not name.startswith(("PG", "DJANGO_"))
        }
        folders = {name: self.state / name for name in ("media", "mail", "static")}
        for folder in folders.values():
            folder.mkdir(mode=0o700, exist_ok=True)
        return outside | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": self.postgres.url(),
            "REDIS_URL": self.valkey.url,
            "PRIVATE_VIEW_SECRET_KEY": keys["secret_key"],
            "PRIVATE_VIEW_TOKEN_PEPPER": keys["token_pepper"],
            "PRIVATE_VIEW_DEPLOYMENT": DEPLOYMENT,
            "PRIVATE_VIEW_BASE_URL": url,
            "PRIVATE_VIEW_MEDIA_DIR": str(folders["media"]),
            "PRIVATE_VIEW_MAIL_DIR": str(folders["mail"]),
            "PRIVATE_VIEW_STATIC_DIR": str(folders["static"]),
            "PRIVATE_VIEW_WORKER_CACHE": str(self.state / "cache"),
            MARK_KEYS: str(self.state / "mark-keys"),
            "PRIVATE_VIEW_C2PA_CHAIN": str(self.state / "c2pa" / "chain.pem"),
            "PRIVATE_VIEW_C2PA_ROOTS": str(self.state / "c2pa" / "roots.pem"),
            SIGNING_KEY: str(self.state / "c2pa" / "key.pem"),
            "PRIVATE_VIEW_DRAIN_SECONDS": "5",  # less than we wait for a worker before we end it
            # Threads that wait for each other sleep: spinning, a render on a busy machine costs nine times the CPU.
            "OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE"),
            "PRIVATE_VIEW_TORCH_THREADS": os.environ.get("PRIVATE_VIEW_TORCH_THREADS", str(torch_threads())),
            "PYTHONUNBUFFERED": "1",
        }

    def start_servers(self) -> None:
        self._keeper.start(self.valkey, floor=SERVERS)
        self._keeper.start(self.postgres, floor=SERVERS)

    def start_rest(self, address: Address, env: dict[str, str]) -> None:
        def queues(names: Sequence[str]) -> list[str]:
            return [f"{DEPLOYMENT}.{name}" for name in names]

        render = queues([f"render.{lane}" for lane in LANES])
        without_keys, to_trace = without(env, MARK_KEYS, *SIGNING), without(env, *SIGNING)
        started: list[tuple[Command, int]] = [
            (commands.web(listener=address.listener, env=without_keys, log=self.logs / "web.log"), DOORS),
            (
                commands.beat(schedule=self.state / "beat", env=without_keys, log=self.logs / "beat.log"),
                WORKERS,
            ),
        ]
        for name, names, its in (
            ("render", render, env),
            ("copies", queues(["copies"]), env),
            ("tracing", queues(["tracing"]), to_trace),
            ("worker", queues(["default"]), without_keys),
        ):
            started.append(
                (commands.worker(name, queues=names, env=its, log=self.logs / f"{name}.log"), WORKERS)
            )
        for command, floor in started:
            self._keeper.start(Child(command), floor=floor)

    def manage(self, *arguments: str, env: dict[str, str], seconds: float = 900) -> Path:
        """Run a command of manage.py to its end. Its output is in the file returned. Raises CannotStart."""
        log = self.logs / f"{arguments[0]}.log"
        log.unlink(missing_ok=True)
        child = Child(commands.manage(*arguments, env=env, log=log))
        child.start()
        try:
            deadline = time.monotonic() + seconds
            while child.alive and time.monotonic() < deadline:
                self._pause(0.05)
        finally:
            child.kill()
        if child.exit_status != 0:
            raise CannotStart(
                f"`manage.py {' '.join(arguments)}` failed. It said:\n{tail(log)}\n  All of it: {log}"
            )
        return log

    def seed(self, env: dict[str, str]) -> dict[str, Any]:
        """The demo's programme, made at the first start; its logins and a token, as the last line of output."""
        log = self.manage("seed_demo", "--json", env=env)
        for line in reversed(log.read_text().splitlines()):
            if line.startswith("{"):
                found: dict[str, Any] = json.loads(line)
                return found
        raise CannotStart(f"`manage.py seed_demo --json` printed no JSON. It said:\n{tail(log)}")

    def wait_until_healthy(self, env: dict[str, str]) -> None:
        try:
            self.manage("healthcheck", "--wait", str(_ALIVE_SECONDS), env=env, seconds=_ALIVE_SECONDS + 30)
        except CannotStart as error:
            fallen = [service.name for service in self._keeper.fallen()]
            logs = "\n".join(f"  {name}:\n{tail(self.logs / f'{name}.log')}" for name in fallen)
            raise CannotStart(f"{error}\n{logs}" if logs else str(error)) from error


def without(env: dict[str, str], *names: str) -> dict[str, str]:
    """An environment for a process that must not have these."""
    return {name: value for name, value in env.items() if name not in names}


def torch_threads() -> int:
    """Half the processors: pages, the database and ffmpeg want the others."""
    return max(1, (os.cpu_count() or 2) // 2)
