"""PostgreSQL as a child: one cluster in a folder, reached through a Unix socket and by nobody else."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from embedded import binaries, identity, sockets
from embedded.failures import CannotStart, tail
from embedded.processes import Child, Command

SUPERUSER = "postgres"
NEEDED_BYTES = 300_000_000
_START_SECONDS = 60.0
_LEAVING_SECONDS = 20.0


class Postgres:
    """`state` is ours alone. `role` owns `database`; it may create databases and extensions, no more.

    The superuser is reachable through the same socket, which only this operating-system user can open.
    """

    name = "postgres"

    def __init__(
        self,
        state: Path,
        *,
        role: str = "private_view",
        database: str = "private_view",
        settings: Mapping[str, str] | None = None,
        allow_namespace: bool = True,
    ) -> None:
        self.role, self.database = role, database
        self.settings = dict(settings or {})
        self.root = binaries.postgres_root()
        self.identity = identity.choose(allow_namespace=allow_namespace)
        self.state = state
        self.home = state if self.identity.uid is None else identity.home_outside(state, self.identity)
        self.data = self.home / "data"
        self.log = state / "postgres.log"
        self.socket = sockets.path_for(state) if self.identity.uid is None else self.home / "run"
        self._child: Child | None = None

    def url(self, *, role: str | None = None, database: str | None = None) -> str:
        """As libpq and Django read it: the folder of the socket stands where a host name would."""
        return f"postgresql://{role or self.role}@/{database or self.database}?host={quote(str(self.socket), safe='/')}"

    @property
    def pid(self) -> int:
        return self._started().pid

    @property
    def alive(self) -> bool:
        return self._child is not None and self._child.alive

    def start(self) -> None:
        """Returns when the database answers. Raises CannotStart."""
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.state.mkdir(parents=True, exist_ok=True)
        self._prepare_programs()
        self._see_off_the_last_one()
        self._create_cluster()
        if self.identity.uid is None:
            sockets.folder_for(self.state)
        else:
            self._make_folder(self.socket)
        for stale in self.socket.glob(".s.PGSQL.*"):
            stale.unlink(missing_ok=True)
        self._child = Child(
            Command(
                name=self.name,
                argv=[self.root / "bin" / "postgres", "-D", self.data, *self._options()],
                log=self.log,
                identity=self.identity.word,
                on_parent_death=signal.SIGINT,  # fast shutdown: ends the sessions, loses nothing
                on_stop=signal.SIGINT,
                stop_seconds=15,
            )
        )
        self._child.start()
        self._wait_until_it_answers()
        self._create_database()

    def ask_to_stop(self) -> None:
        if self._child is not None:
            self._child.ask_to_stop()

    def stop(self) -> None:
        if self._child is not None:
            self._child.stop()
        sockets.release(self.state)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
        sockets.release(self.state)

    def remove(self) -> None:
        """Delete the cluster. For throw-away ones; it must not run."""
        shutil.rmtree(self.home if self.identity.uid is None else self.home.parent, ignore_errors=True)

    def connect(
        self, *, role: str = SUPERUSER, database: str = "postgres"
    ) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.url(role=role, database=database), autocommit=True)

    # --- the steps of `start` ---------------------------------------------------------------------

    def _started(self) -> Child:
        if self._child is None:
            raise RuntimeError("PostgreSQL was never started")
        return self._child

    def _options(self) -> list[str]:
        folder = '"' + str(self.socket).replace('"', '""') + '"'
        chosen = {
            "listen_addresses": "",
            "unix_socket_directories": folder,
            "unix_socket_permissions": "0700",
        }
        return [part for key, value in (chosen | self.settings).items() for part in ("-c", f"{key}={value}")]

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        if self.identity.uid is not None and self.identity.gid is not None:
            os.chown(folder, self.identity.uid, self.identity.gid)

    def _prepare_programs(self) -> None:
        free = shutil.disk_usage(self.home).free
        if free < NEEDED_BYTES:
            raise CannotStart(
                f"Only {free // 1_000_000} MB are free in {self.home}; the database wants {NEEDED_BYTES // 1_000_000}. "
                "Free some space and start again."
            )
        if self.identity.uid is not None:
            version = str(int((self.root / "bin" / "postgres").stat().st_mtime))
            self.root = identity.copy_for_others(binaries.postgres_root(), self.home, version)

    def _see_off_the_last_one(self) -> None:
        """A server of this very folder may live: still ending after `kill -9`, or (outside Linux) left behind.

        A lock file may also outlive its server and name a process that has nothing to do with us; PostgreSQL
        itself would then refuse to start.
        """
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return
        deadline = time.monotonic() + _LEAVING_SECONDS
        asked = False
        while _runs_on(pid, self.data):
            if time.monotonic() > deadline:
                raise CannotStart(
                    f"Another PostgreSQL (process {pid}) uses {self.data} and does not end. Stop it: kill -INT {pid}"
                )
            if not asked:
                os.kill(pid, signal.SIGINT)
                asked = True
            time.sleep(0.05)
        pid_file.unlink(missing_ok=True)

    def _create_cluster(self) -> None:
        version_file = self.data / "PG_VERSION"
        if version_file.exists():
            self._check_version(version_file.read_text().strip())
            return
        unfinished = self.home / "data.unfinished"  # a cluster exists whole or not at all
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_folder(unfinished)
        argv: list[str | Path] = [
            *(
                self.root / "bin" / "initdb",
                "-D",
                unfinished,
                "-U",
                SUPERUSER,
                "--encoding=UTF8",
                "--no-instructions",
            ),
            *("--auth-local=trust", "--auth-host=reject", "--no-sync"),
            # No ICU in this build, and the C library's sort order changes when the system is upgraded.
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
        ]
        initdb = Child(
            Command(
                name="initdb", argv=argv, log=self.log, env=_plain_environment(), identity=self.identity.word
            )
        )
        initdb.start()
        if not initdb.wait(_START_SECONDS * 2) or initdb.exit_status != 0:
            initdb.kill()
            raise CannotStart(
                f"PostgreSQL could not create its files in {self.home}. It said:\n{tail(self.log)}"
            )
        unfinished.rename(self.data)

    def _check_version(self, found: str) -> None:
        answer = subprocess.run(
            [self.root / "bin" / "postgres", "--version"], check=True, capture_output=True, text=True
        ).stdout
        ours = answer.split()[-1].split(".", 1)[0]
        if found != ours:
            raise CannotStart(
                f"{self.data} was written by PostgreSQL {found}; the installed one is {ours} and cannot read it. "
                f"Carry the data over with pg_dump of version {found}, or delete {self.state} to start anew."
            )

    def _wait_until_it_answers(self) -> None:
        child = self._started()
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError as error:
                if not child.alive or time.monotonic() > deadline:
                    child.stop(5)
                    raise CannotStart(
                        f"PostgreSQL did not start ({error}). Its log ends:\n{tail(self.log)}"
                    ) from error
                time.sleep(0.02)

    def _create_database(self) -> None:
        role, database = sql.Identifier(self.role), sql.Identifier(self.database)
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [self.role]).fetchone():
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN CREATEDB").format(role))
            if not connection.execute(
                "SELECT 1 FROM pg_database WHERE datname = %s", [self.database]
            ).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(database, role))


def _plain_environment() -> dict[str, str]:
    """Without what would steer PostgreSQL from outside (PGDATA, PGHOST, locales that are not installed)."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PG", "LC_", "LANG"))}
    return kept | {"LC_ALL": "C"}


def _runs_on(pid: int, data: Path) -> bool:
    """Whether process `pid` is a PostgreSQL of the folder `data`."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it lives, and is somebody else's
    proc = Path(f"/proc/{pid}/cmdline")
    if proc.exists():
        words = proc.read_bytes().split(b"\0")
        return os.fsencode(data) in words and any(word.endswith(b"postgres") for word in words[:1])
    listed = subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True
    )
    return f"postgres -D {data}" in listed.stdout
