from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from embedded import ports
from embedded.failures import CannotStart
from embedded.state import StateFolder


def test_a_second_start_from_the_same_folder_is_told_where_the_first_runs(folder: Path) -> None:
    with StateFolder(folder / "var") as first:
        first.note("process 7, http://localhost:8000")

        with (
            pytest.raises(CannotStart, match="process 7, http://localhost:8000"),
            StateFolder(folder / "var"),
        ):
            pytest.fail("two runs hold one folder")


def test_the_folder_is_free_again_after_a_run(folder: Path) -> None:
    with StateFolder(folder / "var"):
        pass

    with StateFolder(folder / "var") as again:
        assert again.path.is_dir()


def test_keys_are_made_once_and_read_by_nobody_else(folder: Path) -> None:
    with StateFolder(folder / "var") as state:
        made = state.keys()
        file = state.path / "keys.json"

        assert state.keys() == made
        assert len(set(made.values())) == 2
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_folder_of_another_user_is_refused_with_what_to_do(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    somebody_else = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: somebody_else)

    with pytest.raises(CannotStart, match="Start as that user"), StateFolder(folder / "var"):
        pytest.fail("it was taken")


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    (folder / "file").write_text("")

    with pytest.raises(CannotStart, match="cannot be written"), StateFolder(folder / "file" / "var"):
        pytest.fail("it was taken")


def test_takes_the_next_port_when_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]

        with ports.listen(taken) as found:
            assert taken < found.getsockname()[1] <= taken + 100


def test_a_port_taken_on_ipv6_alone_counts_as_taken() -> None:
    """Browsers try `localhost` there first and would land in the other program."""
    try:
        other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with other:
        taken = other.getsockname()[1]

        with ports.listen(taken) as found:
            assert found.getsockname()[1] != taken


def test_says_what_to_do_when_no_port_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, pytest.raises(CannotStart, match="PORT="):
        ports.listen(other.getsockname()[1], tries=1)
