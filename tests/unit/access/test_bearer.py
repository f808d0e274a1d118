"""The text of a secret: `pv_<kind>_<id>_<secret><crc32>`."""

from __future__ import annotations

import re
import zlib

import pytest

from core import bearer
from core.digests import BASE62


def test_has_the_documented_shape() -> None:
    text = bearer.make("art").text

    assert re.fullmatch(r"pv_art_[0-9A-Za-z]{10}_[0-9A-Za-z]{38}", text)


def test_ends_in_the_crc32_of_what_stands_before_it() -> None:
    text = bearer.make("rev").text
    value = 0
    for letter in text[-6:]:
        value = value * 62 + BASE62.index(letter)

    assert value == zlib.crc32(text[:-6].encode())


def test_is_read_back() -> None:
    made = bearer.make("opr")

    assert bearer.parse(made.text) == made


def test_every_single_wrong_letter_is_found_offline() -> None:
    text = bearer.make("art").text

    for place, letter in enumerate(text):
        wrong = "x" if letter != "x" else "y"
        assert bearer.parse(text[:place] + wrong + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    ["", "pv_", "sk-proj-1234", "pv_art_short_x", "pv_art_" + "é" * 49, "\0", " ", "pv_art_" + "a" * 100_000],
)
def test_refuses_what_is_none_of_ours(text: str) -> None:
    assert bearer.parse(text) is None


def test_refuses_space_around_it() -> None:
    assert bearer.parse(bearer.make("art").text + "\n") is None


def test_no_two_are_alike() -> None:
    assert len({bearer.make("art").text for _ in range(1000)}) == 1000


def test_does_not_show_its_secret_in_a_log() -> None:
    made = bearer.make("art")

    assert made.secret not in repr(made)


def test_its_digest_depends_on_the_key_and_on_every_part() -> None:
    made = bearer.make("art")
    others = [
        bearer.Bearer("rev", made.id, made.secret),
        bearer.Bearer("art", "0" * 10, made.secret),
        bearer.Bearer("art", made.id, "0" * 32),
    ]

    assert len(made.digest("key")) == 32
    assert made.digest("key") == bearer.Bearer(made.kind, made.id, made.secret).digest("key")
    assert made.digest("key") != made.digest("another key")
    assert all(other.digest("key") != made.digest("key") for other in others)
