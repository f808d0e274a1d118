"""`manage.py make_c2pa_chain` gives what signing needs, and a key that only its owner can read."""

from __future__ import annotations

import os
import resource
import signal
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from core import clock
from generation.credentials import chain
from generation.credentials.keys import local_key
from generation.credentials.manifest import Provenance
from generation.credentials.reader import read
from generation.credentials.signer import Signer

NAMES = {"chain.pem", "key.pem", "root.pem", "roots.pem"}


def test_makes_what_signing_needs(
    originals: dict[str, Path],
    say: Callable[..., Provenance],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "new" / "c2pa"
    call_command("make_c2pa_chain", str(folder), days=30, organisation="Harbour Films")
    certificates, key, root = ((folder / f"{name}.pem").read_bytes() for name in ("chain", "key", "root"))
    identity = chain.check(certificates)
    assert (identity.not_after - identity.not_before).days == 30
    Signer(certificates, local_key(key)).sign(originals["image/png"], tmp_path / "a.png", say("image/png"))
    reading = read(tmp_path / "a.png", root)
    assert reading.state == "trusted"
    assert reading.claims is not None
    assert reading.claims.signer_organisation == "Harbour Films"
    told = capsys.readouterr().out
    assert f"PRIVATE_VIEW_C2PA_CHAIN={folder / 'chain.pem'}" in told
    assert f"PRIVATE_VIEW_C2PA_KEY={folder / 'key.pem'}" in told
    assert "PRIVATE_VIEW_C2PA_TIMESTAMP_URL=" in told
    assert f"PRIVATE_VIEW_C2PA_ROOTS={folder / 'roots.pem'}" in told
    assert "Add the root of the time-stamp server to roots.pem" in told
    assert "PRIVATE KEY" not in told


@pytest.fixture
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
def test_key_was_never_readable_by_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modes: list[int] = []
    opened = os.open

    def watched(path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        handle = opened(path, flags, mode, **more)
        if "key.pem" in str(path):
            modes.append(stat.S_IMODE(os.fstat(handle).st_mode))
        return handle

    monkeypatch.setattr(os, "open", watched)
    (tmp_path / "key.pem").write_text("an older one, for all to read")
    (tmp_path / "key.pem").chmod(0o644)
    call_command("make_c2pa_chain", str(tmp_path), replace=True)
    assert modes == [0o600]
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "root.pem").stat().st_mode) == 0o644


def test_replaces_only_when_told(tmp_path: Path) -> None:
    call_command("make_c2pa_chain", str(tmp_path))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with pytest.raises(CommandError, match=r"holds key\.pem and chain\.pem and root\.pem already"):
        call_command("make_c2pa_chain", str(tmp_path))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before
    call_command("make_c2pa_chain", str(tmp_path), replace=True)
    assert {file.name for file in tmp_path.iterdir()} == set(before) == NAMES
    assert (tmp_path / "key.pem").read_bytes() != before["key.pem"]


def test_what_ever_signed_stays_among_the_roots(tmp_path: Path) -> None:
    """Also what was put there by hand, and in the file that others have open."""
    roots, chain_file, made = tmp_path / "roots.pem", tmp_path / "chain.pem", []
    for times in range(3):
        call_command("make_c2pa_chain", str(tmp_path), replace=times > 0)
        made.append(chain_file.read_bytes())
        with roots.open("ab") as by_hand:
            by_hand.write(b"# the time-stamp server's\n" + chain.make(now=clock.now()).root.rstrip())
    before = roots.read_bytes()
    assert all(certificates in before for certificates in made)
    assert len(chain.signers(before)) == 3

    inode = roots.stat().st_ino
    call_command("make_c2pa_chain", str(tmp_path), replace=True)
    assert roots.read_bytes() == before + b"\n" + chain_file.read_bytes()
    assert roots.stat().st_ino == inode


def test_an_older_folder_gets_the_list_with_the_chain_that_it_has(tmp_path: Path) -> None:
    call_command("make_c2pa_chain", str(tmp_path))
    older = (tmp_path / "chain.pem").read_bytes()
    (tmp_path / "chain.pem").write_bytes(older.rstrip())
    (tmp_path / "roots.pem").unlink()
    call_command("make_c2pa_chain", str(tmp_path), replace=True)
    assert (tmp_path / "roots.pem").read_bytes() == older + (tmp_path / "chain.pem").read_bytes()


def test_a_list_that_cannot_be_read_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_text("not PEM")
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("make_c2pa_chain", str(tmp_path))
    assert {file.name: file.read_text() for file in tmp_path.iterdir()} == {"roots.pem": "not PEM"}


def test_a_full_disk_leaves_the_list_as_it_was(tmp_path: Path) -> None:
    call_command("make_c2pa_chain", str(tmp_path))
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    most = len(before["roots.pem"]) + 100
    was = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))
        with pytest.raises(CommandError, match="cannot be written"):
            call_command("make_c2pa_chain", str(tmp_path), replace=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, was)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_compose_reads_the_list_that_only_grows() -> None:
    composed = yaml.safe_load((Path(__file__).parents[3] / "docker" / "compose.yaml").read_text())
    web = composed["services"]["web"]
    (secret,) = web["secrets"]
    assert web["environment"]["PRIVATE_VIEW_C2PA_ROOTS"] == f"/run/secrets/{secret}"
    assert composed["secrets"][secret]["file"] == "./secrets/roots.pem"


def test_one_file_that_is_there_stops_all(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text("precious")
    with pytest.raises(CommandError, match=r"holds key\.pem already"):
        call_command("make_c2pa_chain", str(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["key.pem"]
    assert (tmp_path / "key.pem").read_text() == "precious"


@pytest.mark.parametrize(
    ("option", "value"), [("days", 0), ("days", -1), ("organisation", ""), ("organisation", "x" * 65)]
)
def test_refuses_what_no_certificate_can_say(option: str, value: Any, tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("make_c2pa_chain", str(tmp_path / "folder"), **{option: value})
    assert list(tmp_path.iterdir()) == []


def test_folder_that_cannot_be_made_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("make_c2pa_chain", str(tmp_path / "file" / "folder"))
