"""Each encoder keeps the same promises; the graphics card's is taken only after a trial."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import av
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from generation.errors import EngineError
from generation.media import codecs, probe
from generation.media.plan import Codec
from tests.rig.clips import make_clip, moving_bar, plain

BT709_LIMITED = (1, 1, 1, 1)


@pytest.fixture(params=["h264", "av1"])
def codec(request: pytest.FixtureRequest) -> Codec:
    return request.param  # type: ignore[no-any-return]


@pytest.mark.parametrize("moves", [True, False])
def test_keeps_the_promises_of_a_clip(tmp_path: Path, codec: Codec, moves: bool) -> None:
    """Frames, length, size, colours, and an entry every two seconds, for three seconds of portrait at 30."""
    images = moving_bar(96, 160, 8) if moves else plain(96, 160, 8, (80, 90, 100))
    files = make_clip(tmp_path, images, size=(180, 320), seconds=3, fps=30, codec=codec)
    probe.check_clip(files.mp4, files.plan)
    found = probe.probe(files.mp4)
    assert found.colours == BT709_LIMITED
    assert found.gop <= 2.0
    assert found.frames == 90
    assert found.seconds == pytest.approx(3, abs=0.001)


def test_colours_stand_in_the_container_and_in_the_bitstream(tmp_path: Path, codec: Codec) -> None:
    """Some players read the one, some the other."""
    files = make_clip(tmp_path, moving_bar(160, 96, 8), size=(320, 180), codec=codec)
    box = files.mp4.read_bytes().split(b"colrnclx")[1]
    assert box[:7] == bytes([0, 1, 0, 1, 0, 1, 0])  # ISO/IEC 14496-12, 12.1.5: the last bit is full range
    bare = tmp_path / ("bare.h264" if codec == "h264" else "bare.obu")
    ffmpeg = [get_ffmpeg_exe(), "-loglevel", "error", "-i", str(files.mp4), "-c", "copy", str(bare)]
    subprocess.run(ffmpeg, check=True)
    with av.open(str(bare)) as container:
        context = container.streams.video[0].codec_context
        next(container.decode(video=0))
        seen = (context.color_primaries, context.color_trc, context.colorspace, context.color_range)
        assert seen == BT709_LIMITED


@pytest.fixture(autouse=True)
def no_memory() -> Iterator[None]:
    codecs._choose.cache_clear()
    yield
    codecs._choose.cache_clear()


def ffmpeg_that(does: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    script, calls = folder / "ffmpeg", folder / "calls"
    script.write_text(f'#!/bin/sh\necho "$@" >> "{calls}"\n{does}\n')
    script.chmod(0o755)
    monkeypatch.setattr("generation.media.codecs.get_ffmpeg_exe", lambda: str(script))
    return calls


def test_takes_the_card_where_a_trial_works_and_tries_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = ffmpeg_that("exit 0", tmp_path, monkeypatch)
    assert [codecs.choose("h264").name for _ in range(3)] == ["h264_nvenc"] * 3
    assert codecs.choose("av1").name == "av1_nvenc"
    assert len(calls.read_text().splitlines()) == 2


def test_falls_back_where_the_build_lists_the_card_but_the_trial_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = ffmpeg_that('case "$*" in *nvenc*) exit 1;; esac', tmp_path, monkeypatch)
    assert [codecs.choose("h264").name for _ in range(3)] == ["libx264"] * 3
    assert codecs.choose("av1").name == "libsvtav1"
    assert calls.read_text().count("h264_nvenc") == 1


def test_says_so_where_no_encoder_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ffmpeg_that("exit 1", tmp_path, monkeypatch)
    with pytest.raises(EngineError, match="no encoder for av1"):
        codecs.choose("av1")


@pytest.mark.parametrize("name", ["h264_nvenc", "av1_nvenc"])
def test_the_options_of_the_card_are_known_to_this_ffmpeg(name: str) -> None:
    """A misspelt option would make every trial fail, and nobody would notice."""
    [encoder] = [one for row in codecs._ENCODERS.values() for one in row if one.name == name]
    asked = [get_ffmpeg_exe(), "-hide_banner", "-h", f"encoder={name}"]
    known = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    for option, _ in encoder.quality:
        assert option == "b:v" or f"-{option} " in known
