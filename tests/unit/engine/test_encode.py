"""What the encoder promises of its files, and that nothing of it outlives a stop or a fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import psutil
import pytest
from PIL import Image as Pictures

from generation.errors import RenderCancelled, Transient
from generation.media import probe
from generation.media.marking import Marker
from generation.spec import CopyMark, Image, VisibleMark
from tests.rig.clips import Files, boxes_of, frames_of, make_clip, moving_bar, noise, plain
from tests.rig.limits import files_no_larger_than

BT709 = 1  # in all three tables of ITU-T H.273
LIMITED_RANGE = 1  # AVCOL_RANGE_MPEG


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Files:
    """Sixteen native frames stretched over five seconds."""
    return make_clip(tmp_path_factory.mktemp("clip"), moving_bar(160, 96, 16), seconds=5, fps=12, mark=None)


def likeness(frame: Image, native: Image) -> float:
    """Mean difference, in steps of 0..255, from a native frame scaled and cropped as the clip's are."""
    height, width = frame.shape[:2]
    grown = Pictures.fromarray(native).resize((width, width * native.shape[0] // native.shape[1]))
    top = (grown.height - height) // 2
    whole = np.asarray(grown.crop((0, top, width, top + height)), np.float32)
    return float(np.abs(whole - frame.astype(np.float32)).mean())


def test_has_every_frame_and_the_whole_length(clip: Files) -> None:
    found = probe.probe(clip.mp4)
    assert (found.frames, found.width, found.height) == (60, 640, 360)
    assert found.seconds == pytest.approx(5, abs=0.01)
    assert (found.codec, found.pixel_format) == ("h264", "yuv420p")
    assert len(frames_of(clip.mp4)) == 60


def test_says_that_its_colours_are_bt709(clip: Files) -> None:
    with av.open(str(clip.mp4)) as container:
        context = container.streams.video[0].codec_context
        assert (context.color_primaries, context.color_trc, context.colorspace) == (BT709, BT709, BT709)
        assert context.color_range == LIMITED_RANGE


@pytest.mark.parametrize("rgb", [(206, 52, 46), (62, 150, 78), (44, 92, 196), (250, 247, 238), (28, 28, 36)])
def test_keeps_colours(tmp_path: Path, rgb: tuple[int, int, int]) -> None:
    images = [np.full((90, 160, 3), rgb, np.uint8)] * 4
    files = make_clip(tmp_path, images, fps=4, mark=None)
    for seen in (frames_of(files.mp4)[1], np.asarray(Pictures.open(files.poster).convert("RGB"))):
        assert (
            np.abs(seen[100:200, 100:200].mean((0, 1)) - rgb).max() < 6
        )  # the other matrix would be off by 10 and more


def test_can_be_played_before_it_is_there_whole(clip: Files) -> None:
    boxes = boxes_of(clip.mp4)
    assert boxes.index("moov") < boxes.index("mdat")


@pytest.mark.parametrize("moves", [True, False])
def test_can_be_entered_every_two_seconds(tmp_path: Path, moves: bool) -> None:
    """Each group of pictures begins with a key frame and needs nothing from before it; a still one would like to."""
    images = moving_bar(160, 96, 16) if moves else plain(160, 96, 16, (80, 90, 100))
    with av.open(str(make_clip(tmp_path, images, seconds=5, fps=12, mark=None).mp4)) as container:
        unit = float(container.streams.video[0].time_base or 0)
        packets = [
            (packet.pts * unit, packet.is_keyframe)
            for packet in container.demux(video=0)
            if packet.pts is not None
        ]  # in the order of decoding
    keys = [shown for shown, is_key in packets if is_key]
    assert keys[0] == min(shown for shown, _ in packets) == 0
    assert max(end - start for start, end in zip(keys, [*keys[1:], 5], strict=True)) <= 2
    newest_key = keys[0]
    for shown, is_key in packets:
        newest_key = shown if is_key else newest_key
        assert shown >= newest_key


def test_begins_and_ends_with_the_native_frames(clip: Files) -> None:
    native, frames = moving_bar(160, 96, 16), frames_of(clip.mp4)
    for frame, own, neighbour in ((frames[0], native[0], native[1]), (frames[-1], native[-1], native[-2])):
        assert likeness(frame, own) < 3
        assert likeness(frame, own) < likeness(frame, neighbour) / 3


@pytest.mark.parametrize("count", [1, 2, 8, 16])
def test_any_number_of_native_frames_fills_the_clip(tmp_path: Path, count: int) -> None:
    native = moving_bar(160, 90, count)
    frames = frames_of(make_clip(tmp_path, native, seconds=1, fps=8, mark=None).mp4)
    assert len(frames) == 8
    assert likeness(frames[0], native[0]) < 3
    assert likeness(frames[-1], native[-1]) < 3


def test_moves_between_native_frames_instead_of_repeating_them(clip: Files) -> None:
    """The bar's middle goes right all the time; a clip of repeated frames would stand still three times in four."""
    columns = np.arange(640)
    places = []
    for frame in frames_of(clip.mp4):
        light = frame[100:200, :, 0].mean(0) > 140
        places.append(columns[light].mean())
    steps = np.diff(places)
    assert (steps > 0).mean() > 0.8
    assert places[-1] - places[0] > 500


@pytest.mark.parametrize(
    ("native", "size"), [((159, 95), (640, 360)), ((90, 160), (640, 360)), ((160, 96), (358, 638))]
)
def test_any_shape_is_cropped_to_the_even_size_asked_for(
    tmp_path: Path, native: tuple[int, int], size: tuple[int, int]
) -> None:
    files = make_clip(tmp_path, moving_bar(*native, 4), size=size, fps=4)
    found = probe.probe(files.mp4)
    assert (found.width, found.height, found.frames) == (*size, 4)
    with Pictures.open(files.poster) as poster:
        assert (poster.format, poster.size) == ("JPEG", size)


def test_the_poster_is_the_middle_frame(clip: Files) -> None:
    with Pictures.open(clip.poster) as picture:
        poster = np.asarray(picture.convert("RGB"), np.float32)
    frames = frames_of(clip.mp4)
    distances = [float(np.abs(frame - poster).mean()) for frame in frames]
    assert 29 <= int(np.argmin(distances)) <= 31
    assert min(distances) < 3


def test_the_poster_shows_the_mark_in_one_place_alone(tmp_path: Path) -> None:
    """In the middle of this clip the mark changes its place, and for a moment stands in both."""
    mark = next(mark for mark in map(marked, range(100)) if not settled(mark, 24))
    files = make_clip(tmp_path, plain(160, 90, 48, (120, 120, 120)), seconds=4, fps=12, mark=mark)
    poster = np.asarray(Pictures.open(files.poster).convert("RGB"), np.float32)
    distances = [float(np.abs(frame - poster).mean()) for frame in frames_of(files.mp4)]
    assert 1.5 * min(distances) < distances[24]
    assert settled(mark, int(np.argmin(distances)))


def marked(number: int) -> CopyMark:
    return CopyMark(VisibleMark("Private View", f"K7QM-{number:04}"))


def settled(mark: CopyMark, frame: int) -> bool:
    return Marker(mark, size=(640, 360), fps=12).settled(frame)


def encoders() -> set[int]:
    """Processes that this one started for encoding; others of its children are the services of the test run."""
    names = {child.pid: child.name() for child in psutil.Process().children(recursive=True)}
    return {pid for pid, name in names.items() if name.startswith(("ffmpeg", "sleep", "cat"))}


def ffmpeg_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = folder / "ffmpeg"
    script.write_text(f"#!/bin/sh\n{does}\n")
    script.chmod(0o755)
    monkeypatch.setattr("generation.media.encode.get_ffmpeg_exe", lambda: str(script))


@pytest.mark.parametrize(
    ("does", "says"),
    [
        ("echo no such codec >&2; exit 1", "ended with 1: no such codec"),
        ("head -c 100000 > /dev/null; kill -9 $$", "ended with -9"),
        ("cat > /dev/null; exit 187", "ended with 187"),
    ],
    ids=["refuses at once", "dies in the middle", "fails at the end"],
)
def test_a_dead_ffmpeg_is_a_fault_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str, says: str
) -> None:
    ffmpeg_that(does, tmp_path, monkeypatch)
    with pytest.raises(Transient, match=says):
        make_clip(tmp_path, noise(160, 90, 16))


def _stop_after(seconds: float) -> Callable[[], bool]:
    until = time.monotonic() + seconds
    return lambda: time.monotonic() > until


@pytest.mark.parametrize(
    "does", ["exec sleep 300", "cat > /dev/null; exec sleep 300"], ids=["reads nothing", "hangs at the end"]
)
def test_a_stop_kills_an_ffmpeg_that_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, does: str
) -> None:
    ffmpeg_that(does, tmp_path, monkeypatch)
    began = time.monotonic()
    with pytest.raises(RenderCancelled):
        make_clip(tmp_path, noise(640, 360, 8), cancelled=_stop_after(0.3))
    assert time.monotonic() - began < 20
    assert encoders() == set()


def test_a_stop_kills_the_real_ffmpeg(tmp_path: Path) -> None:
    seen: set[int] = set()

    def cancelled() -> bool:
        seen.update(encoders())
        return bool(seen)

    with pytest.raises(RenderCancelled):
        make_clip(tmp_path, moving_bar(640, 360, 16), seconds=20, fps=24, cancelled=cancelled)
    assert seen
    assert not any(psutil.pid_exists(pid) for pid in seen)


def test_a_full_disk_is_a_fault_of_the_machine(tmp_path: Path) -> None:
    with files_no_larger_than(40_000), pytest.raises(Transient, match="ffmpeg ended with"):
        make_clip(tmp_path, noise(640, 360, 8))


def test_a_folder_that_is_gone_is_a_fault_of_the_machine(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        make_clip(tmp_path / "gone", noise(160, 90, 8))


def test_pictures_that_fail_to_come_are_not_taken_for_the_end(tmp_path: Path) -> None:
    class Broken(list[Image]):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield self[0]
            raise MemoryError("no more pictures")

    with pytest.raises(MemoryError, match="no more pictures"):
        make_clip(tmp_path, Broken(noise(160, 90, 8)))


def test_no_thread_is_left(tmp_path: Path) -> None:
    before = threading.active_count()
    make_clip(tmp_path, noise(160, 90, 8))
    assert threading.active_count() == before
