"""A whole installation for the time of a run: database, broker, web process, workers. Ends what it started, by id."""

from __future__ import annotations

import base64
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

from embedded import commands
from embedded.failures import tail
from embedded.house import MARK_KEYS, SIGNING, without
from embedded.postgres import Postgres
from embedded.processes import Child, Command
from embedded.valkey import Valkey
from generation.credentials import chain

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = "bench"
_READY_SECONDS = 180.0  # a worker that loads torch on a busy machine


class Installation:
    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="pv-bench-"))
        self._ends = ExitStack()
        self._ends.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self._ends.callback(self.listener.close)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.postgres = Postgres(self.folder / "postgres")
        self.valkey = Valkey(self.folder / "valkey")
        self.env: dict[str, str] = {}

    def close(self) -> None:
        self._ends.close()

    def start_stores(self) -> None:
        for server in (self.valkey, self.postgres):
            server.start()
            self._ends.callback(server.stop)
        self._ends.callback(self.postgres.remove)
        for name in ("media", "mail", "static"):
            (self.folder / name).mkdir()
        self.env = dict(os.environ) | {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": self.postgres.url(),
            "REDIS_URL": self.valkey.url,
            "PRIVATE_VIEW_SECRET_KEY": "for the time of a benchmark",
            "PRIVATE_VIEW_DEPLOYMENT": DEPLOYMENT,
            "PRIVATE_VIEW_BASE_URL": self.url,
            "PRIVATE_VIEW_MEDIA_DIR": str(self.folder / "media"),
            "PRIVATE_VIEW_MAIL_DIR": str(self.folder / "mail"),
            "PRIVATE_VIEW_STATIC_DIR": str(self.folder / "static"),
            "PRIVATE_VIEW_LOG_LEVEL": "WARNING",
            "PRIVATE_VIEW_MARK_KEYS": str(self.folder / "mark-keys"),
            "PRIVATE_VIEW_C2PA_CHAIN": str(self.folder / "chain.pem"),
            "PRIVATE_VIEW_C2PA_KEY": str(self.folder / "key.pem"),
        }
        made = chain.make(now=datetime.now(UTC))
        (self.folder / "chain.pem").write_bytes(made.certificates)
        (self.folder / "key.pem").write_bytes(made.key)
        (self.folder / "mark-keys").write_text(f"m1 {base64.b64encode(bytes(32)).decode()}\n")

    def setting(self, name: str) -> str:
        """What PostgreSQL says of one of its settings."""
        with self.postgres.connect(database=self.postgres.database) as connection:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        return str(row[0]) if row else ""

    @contextmanager
    def worker(self, lane: str) -> Iterator[int]:
        """The demo's worker for one queue and for what is left over; its number. It has ended after the block."""
        queues = [f"{DEPLOYMENT}.render.{lane}", f"{DEPLOYMENT}.default"]
        child = Child(
            commands.worker(lane, queues=queues, env=self.env, log=self.folder / f"worker-{lane}.log")
        )
        child.start()
        try:
            self._wait(child, self._task_comes_back)
            yield child.pid
        finally:
            child.stop()

    @contextmanager
    def web(self) -> Iterator[int]:
        """The demo's web process; its number."""
        for_web = without(self.env, MARK_KEYS, *SIGNING)
        child = Child(commands.web(listener=self.listener.fileno(), env=for_web, log=self.folder / "web.log"))
        child.start()
        try:
            self._wait(child, lambda: urlopen(f"{self.url}/health", timeout=5).status == 200)  # noqa: S310
            yield child.pid
        finally:
            child.stop()

    def start(
        self, name: str, argv: list[str | Path], ready: str, *, env: dict[str, str] | None = None
    ) -> int:
        """A peer; it has started once `ready` answers, or, if that is no address, once its log says so."""
        log = self.folder / f"{name}.log"
        child = self._start(Command(name=name, argv=argv, log=log, env=env or self.env, cwd=ROOT))
        if ready.startswith("http"):
            self._wait(child, lambda: urlopen(ready, timeout=5).status == 200)  # noqa: S310 - loopback
        else:
            self._wait(child, lambda: ready in log.read_text(errors="replace"))
        return child.pid

    def _start(self, command: Command) -> Child:
        child = Child(command)
        child.start()
        self._ends.callback(child.stop)
        return child

    @staticmethod
    def _task_comes_back() -> bool:
        from config import health

        health.worker(5)
        return True

    def _wait(self, child: Child, is_ready: object) -> None:
        assert callable(is_ready)
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            try:
                if is_ready():
                    return
            except Exception as error:  # noqa: BLE001 - not ready yet, in whichever way
                last: object = error
            else:
                last = "not ready"
            if not child.alive or time.monotonic() > deadline:
                raise SystemExit(f"{child.name} did not start ({last}):\n{tail(child.command.log)}")
            time.sleep(0.1)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
