"""The right number comes out of what platforms and people make of a clip; no number out of anything else."""

from __future__ import annotations

import dataclasses
import io
import subprocess
from pathlib import Path

import numpy as np
import pytest
from imageio_ffmpeg import get_ffmpeg_exe

from generation.errors import SpecRejected, Transient
from generation.forensic.child import trace_apart
from generation.forensic.code import Code, code_of, words_of
from generation.forensic.decode import received
from generation.forensic.frames import sampled
from generation.forensic.reed_solomon import completed
from generation.forensic.residual import residuals
from generation.forensic.search import Search
from generation.forensic.trace import FINDING, LEAD, Issued, Reading, trace
from generation.forensic.views import Material
from tests.rig.marked import X264, treated, write

KEY = bytes(range(32))
NUMBERS = np.random.default_rng(11).integers(0, 2**32, 2000)
MINE = int(NUMBERS[7])


def issued(key: bytes = KEY) -> Issued:
    code = Code(key)
    return Issued("2026-11.m1", key, NUMBERS, words_of(code.codeword(int(number)) for number in NUMBERS))


def read(path: Path, key: bytes = KEY) -> Reading:
    return trace(sampled(path), [issued(key)])


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("marked") / "clip.mp4"
    return write(path, width=960, height=540, seconds=3, mark=(KEY, MINE))


TREATMENTS = {
    "squeezed": (*X264, "30"),
    "smaller": ("-vf", "scale=-2:360", *X264, "26"),
    "two seconds of it": ("-vf", "trim=0.6:2.6,setpts=PTS-STARTPTS", *X264, "26"),
    "faster": ("-vf", "setpts=PTS/1.25,fps=24", *X264, "26"),
    "cropped, another rate": ("-vf", "crop=iw*.9:ih*.9:iw*.03:ih*.08,scale=640:360,fps=30", *X264, "28"),
    "mirrored": ("-vf", "hflip", *X264, "26"),
    "turned a little": ("-vf", "rotate=-2*PI/180,crop=864:486", *X264, "24"),
    "on its side": ("-vf", "transpose=1", *X264, "24"),
    "stretched": ("-vf", "scale=920:540", *X264, "24"),
}


@pytest.mark.parametrize("treatment", TREATMENTS.values(), ids=TREATMENTS.keys())
def test_names_the_copy_after_what_is_done_to_it(
    clip: Path, tmp_path: Path, treatment: tuple[str, ...]
) -> None:
    found = read(treated(clip, tmp_path / "treated.mkv", *treatment))
    assert [named.number for named in found.named] == [MINE]
    assert found.named[0].z >= FINDING
    assert found.named[0].log10_bound < -6
    assert max(found.controls) < 6


LATE = {
    "parts": "[0]scale=iw/2:-2[small];[1][small]overlay=W*.4:H*.2",
    "seen from the side": "[0]perspective=W*.05:H*.04:W*.95:0:0:H*.96:W:H,gblur=1",
}


@pytest.mark.parametrize("stage", LATE)
def test_a_late_stage_hears_what_it_is_there_for(clip: Path, tmp_path: Path, stage: str) -> None:
    """The whole search comes to it after half a minute, so that it is asked alone."""
    around = write(tmp_path / "around.mp4", width=960, height=540, seconds=3, mark=None, seed=5)
    chain = ("-i", str(around), "-filter_complex", LATE[stage], *X264, "23")
    file = treated(clip, tmp_path / "treated.mkv", *chain)
    heard = Search(Material(residuals(sampled(file))), code_of(KEY)).stages()
    words = words_of([Code(KEY).codeword(MINE)])

    def best(name: str) -> float:
        return max(float(signal.table(Code(KEY)).z(words)[0]) for found in heard[name]() for signal in found)

    assert best("as it is") < LEAD
    assert best(stage) > FINDING


@pytest.mark.parametrize("name", ["still.png", "still.jpg", "clip.gif"])
def test_names_the_copy_from_one_frame_and_from_a_gif(clip: Path, tmp_path: Path, name: str) -> None:
    how = ("-vf", "fps=12,scale=480:-2") if name.endswith("gif") else ("-ss", "1.3", "-frames:v", "1")
    assert [named.number for named in read(treated(clip, tmp_path / name, *how)).named] == [MINE]


def test_names_both_of_two_copies_that_were_averaged(clip: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "b.mp4", width=960, height=540, seconds=3, mark=(KEY, int(NUMBERS[8])))
    both = ("-i", str(other), "-filter_complex", "mix=inputs=2", *X264, "23")
    found = read(treated(clip, tmp_path / "mixed.mkv", *both))
    assert {named.number for named in found.named} == {MINE, int(NUMBERS[8])}


def test_names_copies_of_two_months_one_after_the_other(clip: Path, tmp_path: Path) -> None:
    """Each month has a key of its own."""
    later = dataclasses.replace(issued(bytes(32)), epoch="2026-12.m1")
    other = write(tmp_path / "b.mp4", width=960, height=540, seconds=3, mark=(bytes(32), int(NUMBERS[8])))
    both = ("-i", str(other), "-filter_complex", "mix=inputs=2", *X264, "20")
    found = trace(sampled(treated(clip, tmp_path / "mixed.mkv", *both)), [issued(), later])
    assert {(named.epoch, named.number) for named in found.named} == {
        ("2026-11.m1", MINE),
        ("2026-12.m1", int(NUMBERS[8])),
    }
    assert [named.z for named in found.named] == sorted((named.z for named in found.named), reverse=True)


@pytest.mark.timeout(500)  # two whole searches
def test_reads_nothing_under_another_key_and_in_what_was_never_marked(clip: Path, tmp_path: Path) -> None:
    treated(clip, clip.parent / "small.mkv", "-vf", "scale=512:288,trim=end=1", *X264, "23")
    plain = write(tmp_path / "plain.mp4", width=512, height=288, seconds=1, mark=None, seed=3)
    for found in (read(plain), read(clip.parent / "small.mkv", key=bytes(32))):
        assert found.named == ()
        assert found.best_z < LEAD
    assert found.alignments > 20, "it has looked everywhere before it says so"


def test_an_apart_process_gives_the_same_answer(clip: Path) -> None:
    told: list[str] = []
    apart = trace_apart(clip, [issued()], progress=lambda *said: told.append(said[2]))
    assert [named.number for named in apart.named] == [MINE]
    assert apart.best_z == pytest.approx(read(clip).best_z, abs=0.01)
    assert told == ["as it is"]
    assert all(png.startswith(b"\x89PNG") for png in apart.pictures.values())
    assert set(apart.pictures) == {"residual", "peak"}


STILLS = {
    "tiny.png": "scale=16:16",
    "ribbon.png": "scale=16000:70",
    "bomb.png": "scale=16:16,scale=8000:8000:flags=neighbor",
}


def _hostile(folder: Path, clip: Path, name: str) -> Path:
    path = folder / name
    whole = clip.read_bytes()
    match name:
        case "cut.mp4":  # the index of frames stands behind them, and is gone
            path.write_bytes(whole[: len(whole) // 2])
        case "text.mp4":
            path.write_text("no video at all\n" * 1000)
        case "empty.mp4":
            path.write_bytes(b"")
        case "list.mp4":  # ffmpeg would fetch what it names
            path.write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/x.ts\n")
        case "tiny.png" | "ribbon.png" | "bomb.png":
            treated(clip, path, "-frames:v", "1", "-vf", STILLS[name])
        case "sound.wav":
            silence = ("-f", "lavfi", "-i", "anullsrc", "-map", "1:a", "-t", "1")
            treated(clip, path, *silence)
    return path


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("cut.mp4", "file_unreadable"),
        ("text.mp4", "file_unreadable"),
        ("empty.mp4", "file_unreadable"),
        ("list.mp4", "file_unreadable"),
        ("tiny.png", "too_small"),
        ("ribbon.png", "too_long"),
        ("bomb.png", "too_many_pixels"),
        ("sound.wav", "no_video"),
    ],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(clip: Path, tmp_path: Path, name: str, code: str) -> None:
    with pytest.raises(SpecRejected) as refusal:
        trace_apart(_hostile(tmp_path, clip, name), [issued()])
    assert refusal.value.code == code
    assert refusal.value.sentence.endswith(".")


FORMS = {
    "ten bits, wide colours.mkv": (
        *("-pix_fmt", "yuv420p10le", "-c:v", "ffv1", "-t", "1"),
        *("-color_primaries", "bt2020", "-color_trc", "smpte2084", "-colorspace", "bt2020nc"),
    ),
    "three frames.mp4": ("-vf", "trim=end_frame=3", *X264, "20"),
    "at no steady rate.mkv": ("-vf", "select='lt(mod(n,7),4)'", "-fps_mode", "vfr", *X264, "22"),
    "eight thousand wide.jpg": ("-frames:v", "1", "-vf", "scale=7680:4320"),
}


@pytest.mark.parametrize("name", FORMS)
def test_reads_what_is_odd(clip: Path, tmp_path: Path, name: str) -> None:
    file = treated(clip, tmp_path / name, *FORMS[name])
    renamed = file.rename(tmp_path / "of no kind.txt")
    assert [named.number for named in trace_apart(renamed, [issued()]).named] == [MINE]


def test_a_broadcast_that_begins_at_its_hour_is_read(clip: Path, tmp_path: Path) -> None:
    later = treated(clip, tmp_path / "later.ts", *X264, "20", "-output_ts_offset", "50000")
    assert [named.number for named in trace_apart(later, [issued()]).named] == [MINE]


def test_what_a_decoder_says_is_not_believed() -> None:
    """A decoder that was taken over may say what it likes: it gets a sentence, and has seen nothing."""
    for said in (b"", b"nonsense\n", b"[1]\n", b'{"shape": [9, 900000000], "kind": "|u1", "at": 0}\n'):
        with pytest.raises(SpecRejected) as refusal:
            list(received(io.BytesIO(said)))
        assert refusal.value.code == "file_too_heavy"
    with pytest.raises(Transient, match="no such module"):
        list(received(io.BytesIO(b'{"fault": "no such module"}\n')))


def test_a_fault_of_ours_is_not_said_of_the_file(clip: Path) -> None:
    broken = dataclasses.replace(issued(), words=np.zeros((2000, 3), np.uint8))
    with pytest.raises(Transient, match="IndexError"):
        trace_apart(clip, [broken])


@pytest.mark.parametrize("count", [50, 2000])
def test_a_number_that_is_not_on_record_is_told_from_its_relatives(clip: Path, count: int) -> None:
    """Half a word is shared: without the number itself its relatives would be named, at three eighths of its z."""
    code = Code(KEY)
    mine = np.frombuffer(code.codeword(MINE), np.uint8)
    chance = np.random.default_rng(5)
    near = []
    for _ in range(count):
        data = mine[:4].copy()
        data[chance.integers(4)] = chance.integers(256)
        near.append(completed(data))
    numbers = np.array([code.number(word) for word in near])
    kept = numbers != MINE
    relatives = Issued("2026-11.m1", KEY, numbers[kept], np.array(near)[kept])
    found = trace(sampled(clip), [relatives], controls=0)
    assert found.best_z > FINDING
    assert (found.named, found.strangers) == ((), 1)


def test_a_number_that_is_not_on_record_is_heard_where_nothing_on_record_is_like_it(clip: Path) -> None:
    few = dataclasses.replace(issued(), numbers=NUMBERS[100:103], words=issued().words[100:103])
    found = trace(sampled(clip), [few], controls=0)
    assert (found.named, found.strangers) == ((), 1)
    assert found.alignments < 10, "it is searched no further"


def test_evidence_is_shown_of_what_may_be_told_alone(clip: Path) -> None:
    told = NUMBERS != MINE
    found = trace_apart(clip, [dataclasses.replace(issued(), told=told)])
    assert [named.number for named in found.named] == [MINE]
    assert (found.stage, found.controls, found.pictures) == ("", (), {})


def test_reads_a_clip_as_its_players_turn_it(clip: Path, tmp_path: Path) -> None:
    """What the file says of its rotation counts: a picture that was turned back by it is upright."""
    on_its_side = treated(clip, tmp_path / "side.mp4", "-vf", "transpose=1", *X264, "20")
    upright = tmp_path / "upright.mp4"
    command = [
        get_ffmpeg_exe(),
        "-y",
        "-loglevel",
        "error",
        "-display_rotation",
        "90",
        "-i",
        str(on_its_side),
    ]
    subprocess.run([*command, "-c", "copy", str(upright)], check=True, timeout=60)
    found = read(upright)
    assert [named.number for named in found.named] == [MINE]
    assert found.stage == "as it is"
