"""`manage.py make_c2pa_chain` gives what signing needs, and a key that only its owner can read."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from generation.credentials import chain
from generation.credentials.keys import local_key
from generation.credentials.manifest import Provenance
from generation.credentials.reader import read
from generation.credentials.signer import Signer


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
    assert {file.name for file in tmp_path.iterdir()} == set(before) == {"chain.pem", "key.pem", "root.pem"}
    assert (tmp_path / "key.pem").read_bytes() != before["key.pem"]


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
