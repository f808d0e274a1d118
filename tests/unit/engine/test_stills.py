"""Pictures that somebody sent: made plain, or refused with a sentence; frames taken out of a file without loss."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from generation.errors import SpecRejected, Transient
from generation.media import stills
from tests.factories.looks import film, picture, pixels, write_source


def refusal(sent: bytes) -> str:
    with pytest.raises(SpecRejected) as refused:
        stills.tidied(sent)
    assert refused.value.sentence.endswith(".")
    return refused.value.code


def saved(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A whole header, and next to nothing behind it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_reads_each_kind_by_its_content_and_writes_png(kind: str) -> None:
    made = stills.tidied(picture((96, 64), kind=kind))

    assert (made.width, made.height) == (96, 64)
    assert pixels(made.png).shape == (64, 96, 3)


def test_a_png_keeps_its_pixels() -> None:
    sent = picture((96, 64))

    assert np.array_equal(pixels(stills.tidied(sent).png), pixels(sent))


def test_cuts_the_longer_side_to_2048_and_keeps_the_shape() -> None:
    made = stills.tidied(saved(Image.new("RGB", (3000, 1500), "teal"), "JPEG"))

    assert (made.width, made.height) == (2048, 1024)


def test_turns_as_exif_says_and_drops_what_is_not_picture() -> None:
    image = Image.new("RGB", (100, 80), "red")
    exif = image.getexif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010E] = "Oda's home"
    notes = PngInfo()
    notes.add_text("Where", "Oda's home")
    for sent in (
        saved(image, "JPEG", exif=exif, comment=b"Oda's home"),
        saved(image, "PNG", exif=exif, pnginfo=notes),
        saved(image, "WEBP", exif=exif, xmp=b"<x>Oda's home</x>"),
    ):
        assert b"Oda's home" in sent
        made = stills.tidied(sent)

        assert (made.width, made.height) == (80, 100)
        assert b"home" not in made.png
        with Image.open(io.BytesIO(made.png)) as opened:
            assert not opened.info


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_lays_what_is_transparent_on_white(mode: str) -> None:
    clear = Image.new("RGBA", (80, 80), (200, 0, 0, 0))
    clear.paste((0, 0, 0, 255), (0, 0, 40, 80))

    found = pixels(stills.tidied(saved(clear.convert(mode), "PNG")).png)

    assert found[40, 70].tolist() == [255, 255, 255]
    assert found[40, 10].tolist() == [0, 0, 0]


def test_scales_sixteen_bits_of_grey_instead_of_cutting_them() -> None:
    grey = np.linspace(0, 65535, 100 * 80).reshape(80, 100).astype(np.uint16)

    found = pixels(stills.tidied(saved(Image.fromarray(grey))).png)

    assert np.array_equal(found[..., 0], (grey >> 8).astype(np.uint8))


def test_brings_colours_of_another_profile_to_srgb_and_leaves_a_broken_profile_aside() -> None:
    image = Image.new("RGB", (80, 80), (200, 100, 50))
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert pixels(stills.tidied(saved(image, icc_profile=lab)).png)[0, 0].tolist() == [200, 100, 50]

    assert pixels(stills.tidied(saved(image, icc_profile=b"no profile")).png)[0, 0].tolist() == [200, 100, 50]


def test_takes_the_first_of_a_cameras_two_pictures() -> None:
    """Phones put a second one into a JPEG; it is no film."""
    sent = saved(
        Image.new("RGB", (96, 80), "red"), "MPO", save_all=True, append_images=[Image.new("RGB", (96, 80))]
    )
    with Image.open(io.BytesIO(sent)) as opened:
        assert getattr(opened, "n_frames", 1) == 2

    assert pixels(stills.tidied(sent).png)[0, 0, 0] > 200


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (lambda: b"", "picture_unreadable"),
        (lambda: b"GIF89a" + b"\0" * 100, "picture_unreadable"),
        (lambda: saved(Image.new("RGB", (80, 80)), "GIF"), "picture_unreadable"),
        (lambda: saved(Image.new("RGB", (80, 80)), "TIFF"), "picture_unreadable"),
        (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture_unreadable"),
        (lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 80 80\n", "picture_unreadable"),
        (lambda: picture((200, 200))[:4000], "picture_unreadable"),
        (lambda: picture((200, 200), kind="JPEG")[:2000], "picture_unreadable"),
        (lambda: picture((200, 200), kind="WEBP")[:2000], "picture_unreadable"),
        (lambda: png_of_size(100, 100), "picture_unreadable"),
        (lambda: png_of_size(8000, 5001), "picture_too_many_pixels"),
        (lambda: png_of_size(10_000, 10_000), "picture_too_many_pixels"),
        (lambda: png_of_size(60_000, 60_000), "picture_too_many_pixels"),
        (lambda: b"\x89PNG\r\n\x1a\n" + b"\0" * stills.MOST_BYTES, "picture_too_large"),
        (lambda: picture((63, 100)), "picture_too_small"),
        (lambda: picture((80, 641)), "picture_shape"),
    ],
)
def test_refuses_what_is_no_picture_to_start_from(sent: Callable[[], bytes], code: str) -> None:
    assert refusal(sent()) == code


def test_refuses_a_jpeg_that_would_be_gone_through_for_hours() -> None:
    sent = picture((96, 64), kind="JPEG", progressive=True)
    scan = sent[sent.rindex(b"\xff\xda") : -2]

    assert stills.tidied(sent[:-2] + scan * 50 + sent[-2:]).width == 96
    assert refusal(sent[:-2] + scan * 100 + sent[-2:]) == "picture_unreadable"


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_refuses_what_moves(kind: str) -> None:
    more = [Image.new("RGB", (80, 80), colour) for colour in ("red", "blue")]

    assert (
        refusal(saved(Image.new("RGB", (80, 80)), kind, save_all=True, append_images=more))
        == "picture_animated"
    )


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_bytes_changed_at_random_never_do_more_than_be_refused(kind: str) -> None:
    whole = picture((96, 64), kind=kind)
    chance = np.random.default_rng(11)
    for _ in range(150):
        spoiled = np.frombuffer(whole, np.uint8).copy()
        spoiled[chance.integers(0, len(whole), 8)] = chance.integers(0, 256, 8)
        try:
            made = stills.tidied(spoiled.tobytes())
        except SpecRejected:
            continue
        assert pixels(made.png).shape == (made.height, made.width, 3)


@pytest.mark.parametrize("index", [0, 5, 15])
def test_takes_a_frame_out_bit_for_bit(tmp_path: Path, index: int) -> None:
    frames = film(16)
    write_source(tmp_path / "source.mkv", frames)

    with (tmp_path / "source.mkv").open("rb") as file:
        found = stills.frame_at(file, index)

    assert np.array_equal(found, frames[index])
    assert np.array_equal(pixels(stills.still(found).png), frames[index])


@pytest.mark.parametrize("spoil", [lambda _: b"", lambda _: b"no film", lambda body: body[:3000]])
def test_a_frame_that_cannot_be_read_is_a_fault_and_no_crash(
    tmp_path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    write_source(tmp_path / "source.mkv", film(16))
    body = spoil((tmp_path / "source.mkv").read_bytes())

    with pytest.raises(Transient):
        stills.frame_at(io.BytesIO(body), 15)


def test_a_frame_after_the_last_is_a_fault(tmp_path: Path) -> None:
    write_source(tmp_path / "source.mkv", film(4))

    with (tmp_path / "source.mkv").open("rb") as file, pytest.raises(Transient):
        stills.frame_at(file, 4)
