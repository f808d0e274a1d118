"""Pictures and style files that renders start from, as a worker keeps them beside others on one machine."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from generation.errors import EngineError, SpecRejected, Transient
from generation.services import files
from generation.services.files import StoredFile
from generation.worker import cache
from tests.rig import environment

_HAMMER = """
import hashlib, random, sys, time
from pathlib import Path
import django
django.setup()
from django.conf import settings
from generation.services.files import StoredFile
from generation.worker import cache

settings.WORKER_CACHE_DIR, settings.WORKER_CACHE_BYTES = Path(sys.argv[1]), 40_000
chance, until, fetched = random.Random(int(sys.argv[2])), time.monotonic() + 3, 0
while time.monotonic() < until:
    with cache.held():
        bodies = [bytes([number]) * 10_000 for number in chance.sample(range(9), 3)]
        wanted = [StoredFile(f"refs/{body[0]}.png", hashlib.sha256(body).hexdigest()) for body in bodies]
        paths = [cache.fetch(one, suffix=".png") for one in wanted]
        for path, body in zip(paths, bodies):
            assert path.read_bytes() == body, path
        fetched += 1
print(fetched)
"""


_FILL = """
import hashlib, sys
from pathlib import Path
import django
django.setup()
from django.conf import settings
from generation.errors import Transient
from generation.services.files import StoredFile
from generation.worker import cache

settings.WORKER_CACHE_DIR = folder = Path(sys.argv[1])
try:
    cache.fetch(StoredFile("refs/picture.png", sys.argv[2]), suffix=".png")
except Transient as fault:
    print("transient", len(list(folder.iterdir())), fault)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Settings) -> Iterator[Path]:
    settings.WORKER_CACHE_DIR = tmp_path / "cache"
    settings.WORKER_CACHE_BYTES = 25
    with cache.held():
        yield tmp_path / "cache"


def stored(body: bytes, tmp_path: Path, key: str = "refs/picture.png") -> StoredFile:
    source = tmp_path / "picture.png"
    source.write_bytes(body)
    files.store().put(source, key=key)
    return StoredFile(key, hashlib.sha256(body).hexdigest())


def test_a_file_that_a_render_starts_from_is_fetched_once_and_verified(tmp_path: Path) -> None:
    wanted = stored(b"a picture", tmp_path)

    path = cache.fetch(wanted, suffix=".png")
    files.store().delete(wanted.key)

    assert cache.fetch(wanted, suffix=".png") == path
    assert path.read_bytes() == b"a picture"


def test_a_file_with_other_bytes_than_recorded_or_none_at_all_is_not_rendered_from(
    tmp_path: Path, folder: Path
) -> None:
    wanted = stored(b"another picture", tmp_path)

    with pytest.raises(EngineError, match="digest"):
        cache.fetch(StoredFile(wanted.key, "0" * 64), suffix=".png")
    files.store().delete(wanted.key)
    with pytest.raises(SpecRejected, match="removed"):
        cache.fetch(wanted, suffix=".png")
    assert list(folder.iterdir()) == []


def test_a_file_that_is_used_again_is_not_taken_for_a_changed_one(tmp_path: Path) -> None:
    wanted = stored(b"a style", tmp_path)
    path = cache.fetch(wanted, suffix=".safetensors")
    os.utime(path, (1, 1))
    changed = path.stat().st_mtime_ns

    cache.fetch(wanted, suffix=".safetensors")

    assert path.stat().st_mtime_ns == changed
    assert path.stat().st_atime > changed / 1e9 + 1


def test_what_was_not_used_for_longest_makes_room(tmp_path: Path) -> None:
    paths = []
    for number in range(3):
        with cache.held():
            paths.append(cache.fetch(stored(f"picture {number:02}".encode(), tmp_path), suffix=".png"))

    assert [path.exists() for path in paths] == [False, True, True]


def test_what_is_in_use_stays_however_little_room_there_is(tmp_path: Path) -> None:
    paths = [
        cache.fetch(stored(f"picture {number:02}".encode(), tmp_path), suffix=".png") for number in range(3)
    ]

    assert all(path.exists() for path in paths)


def before_a_lock(monkeypatch: pytest.MonkeyPatch, kind: int, happens: Callable[[], object]) -> None:
    """Between the opening of a file and the first lock of that kind on it, another worker does something."""
    real, once = fcntl.flock, iter([happens])

    def flock(file: int, how: int) -> None:
        if how & kind:
            next(once, lambda: None)()
        real(file, how)

    monkeypatch.setattr(fcntl, "flock", flock)


def test_fetches_again_what_was_removed_before_it_was_held(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even while the worker that copied it has not yet taken away the name under which it did."""
    wanted = stored(b"a picture", tmp_path)
    with cache.held():
        path = cache.fetch(wanted, suffix=".png")
    (folder / ".copied").hardlink_to(path)
    before_a_lock(monkeypatch, fcntl.LOCK_SH, path.unlink)

    assert cache.fetch(wanted, suffix=".png").read_bytes() == b"a picture"


def test_does_not_remove_what_came_back_in_the_place_of_what_it_wanted_to(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cache.held():
        old = cache.fetch(stored(b"picture 00", tmp_path), suffix=".png")
    os.utime(old, (time.time() - 60,) * 2)
    (folder / ".copied").hardlink_to(old)
    fresh = tmp_path / "fresh"
    fresh.write_bytes(b"picture 00")
    before_a_lock(monkeypatch, fcntl.LOCK_EX, lambda: fresh.replace(old))

    for number in (1, 2):
        cache.fetch(stored(f"picture {number:02}".encode(), tmp_path), suffix=".png")

    assert old.read_bytes() == b"picture 00"


def test_a_copy_that_nobody_ended_goes_after_a_day(tmp_path: Path, folder: Path) -> None:
    folder.mkdir()
    for name, age in ((".fresh", 60), (".old", 2 * 86400)):
        (folder / name).write_bytes(b"half")
        os.utime(folder / name, (time.time() - age,) * 2)

    cache.fetch(stored(b"a picture", tmp_path), suffix=".png")

    assert sorted(path.name for path in folder.glob(".*")) == [".fresh"]


def test_a_full_disk_may_pass_and_leaves_no_half_file(tmp_path: Path, folder: Path) -> None:
    wanted = stored(b"0123456789" * 2000, tmp_path)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(Transient, match="cache of this worker refused") as refused:
            cache.fetch(wanted, suffix=".png")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert isinstance(refused.value.__cause__, OSError)
    assert refused.value.__cause__.errno == errno.EFBIG
    assert list(folder.iterdir()) == []


def test_a_disk_that_is_really_full_may_pass_and_leaves_no_half_file(folder: Path, tmp_path: Path) -> None:
    """A file system of 64 KiB, which only a namespace of its own sees; not every machine grants one."""
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    if subprocess.run([*apart, "true"], check=False, capture_output=True).returncode:
        pytest.skip(
            "this machine grants no user namespaces; the limit on a file's size stands for the full disk"
        )
    folder.mkdir()
    wanted = stored(b"0123456789" * 20_000, tmp_path)
    mount = 'mount -t tmpfs -o size=64k none "$1" && exec "$2" -c "$3" "$1" "$4"'
    full = [*apart, "sh", "-c", mount, "sh", str(folder), sys.executable, _FILL, wanted.sha256]
    done = subprocess.run(full, capture_output=True, text=True, check=False, env=environment.for_children())
    assert done.stdout.startswith("transient 0 "), (done.stdout, done.stderr)
    assert "No space left" in done.stdout


def test_workers_that_share_a_folder_do_not_take_each_others_files_away(folder: Path, tmp_path: Path) -> None:
    for number in range(9):
        stored(bytes([number]) * 10_000, tmp_path, key=f"refs/{number}.png")
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _HAMMER, str(folder), str(seed)],
            env=environment.for_children(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in range(3)
    ]
    said = [worker.communicate(timeout=60) for worker in workers]

    assert [worker.returncode for worker in workers] == [0, 0, 0], said
    assert all(int(told) > 20 for told, _ in said)
    assert not list(folder.glob(".*"))
