"""A whole installation for the time of a run: database, broker, web process, workers. Ends what it started, by id."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from embedded import commands
from embedded.failures import tail
from embedded.postgres import Postgres
from embedded.processes import Child, Command
from embedded.valkey import Valkey

ROOT = Path(__file__).resolve().parents[2]
DEPLOYMENT = "bench"
LANE = "bench"
_READY_SECONDS = 90.0


@dataclass(frozen=True)
class Member:
    """Who asks: a token, and the rows that big tables are made of."""

    token: str
    membership_id: int
    variant_id: int


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
        }

    def furnish(self) -> Member:
        """Migrate, and make one artist with a token and a day that is long enough."""
        os.environ.update(self.env)
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        from core import clock
        from core.actors import system
        from generation import queries
        from generation.services import variants
        from generation.services.variants import VariantSpec
        from tests.factories import people

        now = clock.now()
        programme = people.programme(now)
        spec = VariantSpec(
            slug="null-1",
            name="Null",
            description="Prepared frames.",
            backend="null",
            checkpoint="builtin",
            steps=4,
            guidance=1.0,
            sizes=("160x90",),
            lengths=(1,),
            queue=LANE,
        )
        variants.put(programme_id=programme.id, programme="bench", spec=spec, by=system("bench"), now=now)
        artist = people.artist(people.cohort(programme.id, now, daily_seconds=80_000), now, name="Bench")
        token = people.token(artist, now).secret
        assert artist.membership is not None
        member = Member(token, artist.membership.id, queries.variants(programme.id)[0].id)
        connection.close()
        return member

    def start_web(self) -> int:
        """The demo's web process; its number."""
        child = self._start(
            commands.web(listener=self.listener.fileno(), env=self.env, log=self.folder / "web.log")
        )
        self._wait(child, lambda: urlopen(f"{self.url}/health", timeout=5).status == 200)  # noqa: S310
        return child.pid

    def start_worker(self) -> int:
        queues = [f"{DEPLOYMENT}.render.{LANE}", f"{DEPLOYMENT}.default"]
        log = self.folder / "worker.log"
        child = self._start(commands.worker("bench", queues=queues, env=self.env, log=log))
        self._wait(child, lambda: self._task_comes_back())
        return child.pid

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
