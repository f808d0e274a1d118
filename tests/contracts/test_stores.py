"""What every store keeps: whole files or none, under keys that cannot lead out of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from generation.stores.base import Store
from generation.stores.filesystem import FilesystemStore
from tests.rig.limits import files_no_larger_than

KEY = "video_7Kq/0f3a.mp4"


@pytest.fixture(params=["filesystem"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return FilesystemStore(tmp_path / "media")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    file = tmp_path / "source"
    file.write_bytes(b"moving pictures" * 100)
    return file


def everything(store: Store) -> list[Path]:
    root = store.path(KEY).parent.parent
    return sorted(root.rglob("*"))


def read(store: Store, key: str) -> bytes:
    with store.open(key) as file:
        return file.read()


def test_gives_back_what_was_put(store: Store, source: Path) -> None:
    assert not store.exists(KEY)
    store.put(source, key=KEY)
    assert store.exists(KEY)
    assert store.size(KEY) == source.stat().st_size
    assert read(store, KEY) == source.read_bytes() == store.path(KEY).read_bytes()


def test_leaves_the_source_where_it_is(store: Store, source: Path) -> None:
    store.put(source, key=KEY)
    assert source.exists()


def test_putting_twice_is_putting_once(store: Store, source: Path) -> None:
    store.put(source, key=KEY)
    store.put(source, key=KEY)
    assert read(store, KEY) == source.read_bytes()
    assert [path for path in everything(store) if path.is_file()] == [store.path(KEY)]


def test_another_put_replaces_the_whole_file(store: Store, source: Path, tmp_path: Path) -> None:
    shorter = tmp_path / "shorter"
    shorter.write_bytes(b"still")
    store.put(source, key=KEY)
    store.put(shorter, key=KEY)
    assert read(store, KEY) == b"still"


@pytest.fixture
def slow_source(tmp_path: Path) -> Iterator[tuple[Path, threading.Event, threading.Event]]:
    """A pipe that hands out half a file, says so, and the rest when it is told to."""
    pipe = tmp_path / "slow"
    os.mkfifo(pipe)
    half_out, go_on = threading.Event(), threading.Event()

    def write() -> None:
        with pipe.open("wb", buffering=0) as end:
            end.write(b"first half ")
            half_out.set()
            go_on.wait(20)
            end.write(b"second half")

    with ThreadPoolExecutor(1) as writer:
        written = writer.submit(write)
        yield pipe, half_out, go_on
        go_on.set()
        written.result(20)


def test_nobody_sees_a_file_before_it_is_whole(
    store: Store, source: Path, slow_source: tuple[Path, threading.Event, threading.Event]
) -> None:
    pipe, half_out, go_on = slow_source
    new_key = "video_7Kq/new.mp4"
    store.put(source, key=KEY)
    with ThreadPoolExecutor(1) as putter:
        putting = putter.submit(store.put, pipe, key=new_key)
        assert half_out.wait(20)
        assert not store.exists(new_key)
        with pytest.raises(FileNotFoundError):
            store.open(new_key)
        assert read(store, KEY) == source.read_bytes()
        go_on.set()
        putting.result(20)
    assert read(store, new_key) == b"first half second half"


def test_what_a_process_that_was_ended_had_begun_goes_after_a_day(store: Store, source: Path) -> None:
    store.put(source, key=KEY)
    begin = f"""
import os, signal
from pathlib import Path
from generation.stores import filesystem
filesystem.shutil.copyfileobj = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
filesystem.FilesystemStore({str(store.path(KEY).parent.parent)!r}).put(Path({str(source)!r}), key="video_7Kq/new.mp4")
"""
    ended = subprocess.run([sys.executable, "-c", begin], check=False, timeout=20)
    assert ended.returncode == -signal.SIGKILL
    now = datetime.now(UTC)
    assert store.sweep(now=now) == 0, "it could be at it still"
    assert store.sweep(now=now + timedelta(days=2)) == 1
    assert [path for path in everything(store) if path.is_file()] == [store.path(KEY)]
    assert store.sweep(now=now + timedelta(days=2)) == 0


def test_leaves_nothing_when_the_source_is_gone(store: Store, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put(tmp_path / "gone", key=KEY)
    assert everything(store) == []


def test_leaves_nothing_when_the_source_cannot_be_read(store: Store) -> None:
    with pytest.raises(OSError, match="Input/output error"):
        store.put(Path("/proc/self/mem"), key=KEY)
    assert everything(store) == []


def test_leaves_nothing_when_the_disk_refuses(store: Store, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(200_000))
    with files_no_larger_than(50_000), pytest.raises(OSError, match="File too large"):
        store.put(large, key=KEY)
    assert everything(store) == []


def test_keeps_the_old_file_when_the_disk_refuses_the_new_one(
    store: Store, source: Path, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(200_000))
    store.put(source, key=KEY)
    with files_no_larger_than(50_000), pytest.raises(OSError, match="File too large"):
        store.put(large, key=KEY)
    assert read(store, KEY) == source.read_bytes()
    assert [path for path in everything(store) if path.is_file()] == [store.path(KEY)]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "clip",
        "../clip.mp4",
        "video/../../clip.mp4",
        "/etc/clip.mp4",
        "video//clip.mp4",
        "video/",
        "./clip.mp4",
        ".hidden.mp4",
        "video/clip.mp4\n",
        "video/clip.mp4\0",
        "video\\clip.mp4",
        "video/clip.tar.gz",
        "video/clip .mp4",
        "vidéo/clip.mp4",
        "video/~clip.mp4",
    ],
)
def test_refuses_keys_that_are_none(store: Store, source: Path, key: str) -> None:
    for use in (store.open, store.path, store.size, store.exists, store.delete):
        with pytest.raises(ValueError, match="not a key"):
            use(key)
    with pytest.raises(ValueError, match="not a key"):
        store.put(source, key=key)
    assert everything(store) == []


def test_deleting_twice_is_deleting_once(store: Store, source: Path) -> None:
    store.put(source, key=KEY)
    store.delete(KEY)
    store.delete(KEY)
    assert not store.exists(KEY)
    assert everything(store) == []


def test_files_are_as_readable_as_the_umask_lets(store: Store, source: Path) -> None:
    """The proxy that hands them out runs as another user."""
    before = os.umask(0o027)
    try:
        store.put(source, key=KEY)
    finally:
        os.umask(before)
    assert store.path(KEY).stat().st_mode & 0o777 == 0o640


def test_deletes_nothing_beside_it(store: Store, source: Path) -> None:
    poster = "video_7Kq/0f3a.jpg"
    store.put(source, key=KEY)
    store.put(source, key=poster)
    store.delete(KEY)
    assert not store.exists(KEY)
    assert read(store, poster) == source.read_bytes()


def test_what_is_not_there_has_no_size_and_no_bytes(store: Store) -> None:
    with pytest.raises(FileNotFoundError):
        store.size(KEY)
    with pytest.raises(FileNotFoundError):
        store.open(KEY)


def test_puts_while_neighbours_are_deleted(store: Store, source: Path) -> None:
    """The last file of a folder takes the folder along; a put into it must not fall into the gap."""
    rounds = 150

    def put(key: str) -> None:
        for _ in range(rounds):
            store.put(source, key=key)
            store.delete(key)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(put, f"video/{name}.mp4") for name in "ab"]:
            done.result(60)
    assert everything(store) == []


def test_puts_several_files_at_once(store: Store, source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"still")
    store.put_all({KEY: source, "video_7Kq/deep/er/0f3a.jpg": other})
    assert read(store, KEY) == source.read_bytes()
    assert read(store, "video_7Kq/deep/er/0f3a.jpg") == b"still"


@pytest.mark.parametrize("order", [1, -1], ids=["large one last", "large one first"])
def test_keeps_none_of_several_files_when_the_disk_refuses_one(
    store: Store, source: Path, tmp_path: Path, order: int
) -> None:
    large = tmp_path / "large"
    large.write_bytes(bytes(200_000))
    both = {KEY: source, "video_7Kq/0f3a.mkv": large}
    with files_no_larger_than(50_000), pytest.raises(OSError, match="File too large"):
        store.put_all(dict(list(both.items())[::order]))
    assert everything(store) == []


def test_keeps_none_of_several_files_when_one_is_gone(store: Store, source: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.put_all({KEY: source, "video_7Kq/0f3a.jpg": tmp_path / "gone"})
    assert everything(store) == []
