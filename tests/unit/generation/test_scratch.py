"""What a process that was killed had on the disk does not stay there: unmarked frames, files of strangers."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from generation.services import scratch

_WORKER = """
import sys
from pathlib import Path
from generation.services import scratch
held = scratch.folder()
Path(held.name, "source.mkv").write_bytes(b"frames without a mark")
print(held.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scratch._own.cache_clear()
    yield tmp_path
    scratch._own.cache_clear()


def started(base: Path) -> tuple[subprocess.Popen[str], Path]:
    worker = subprocess.Popen(
        [sys.executable, "-c", _WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"TMPDIR": str(base)},
    )
    assert worker.stdout is not None
    return worker, Path(worker.stdout.readline().strip())


def ended(worker: subprocess.Popen[str]) -> None:
    worker.communicate(timeout=20)


def test_files_of_a_killed_worker_go_when_another_starts(base: Path) -> None:
    worker, folder = started(base)
    worker.kill()
    ended(worker)
    assert (folder / "source.mkv").exists()

    assert scratch.sweep() == 1
    assert not folder.parent.exists()
    assert scratch.sweep() == 0


def test_files_of_a_worker_at_work_are_left_alone(base: Path) -> None:
    worker, folder = started(base)
    assert scratch.sweep() == 0
    assert (folder / "source.mkv").exists()

    ended(worker)  # it leaves in order, and takes its files with it
    assert not folder.parent.exists()


def test_an_own_folder_outlives_its_own_sweep(base: Path) -> None:
    with scratch.folder() as folder:
        assert scratch.sweep() == 0
        assert Path(folder).is_dir()
    assert not Path(folder).exists()


def test_what_somebody_else_has_there_is_not_followed(
    base: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "kept").touch()
    (base / "private-view-scratch-link").symlink_to(elsewhere)
    scratch.sweep()
    assert (elsewhere / "kept").exists()


def test_folders_of_others_stay(base: Path) -> None:
    """As those of the demo's sockets, which begin with the house's name, too."""
    sockets = base / "private-view-0-1c9de78b9173"
    sockets.mkdir()
    assert scratch.sweep() == 0
    assert sockets.is_dir()
