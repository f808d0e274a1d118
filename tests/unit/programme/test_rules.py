from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from PIL import ImageFont

from core.errors import DomainError, Invalid, WrongState
from generation.media.mark import FONT
from programme import rules
from programme.models import Invitation

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def invitation(**changes: datetime) -> Invitation:
    return Invitation(created_at=NOW, expires_at=NOW + timedelta(days=10), **changes)


@pytest.mark.parametrize(
    ("changes", "now", "code", "sentence"),
    [
        (
            {"accepted_at": NOW},
            NOW,
            "invitation_used",
            "This invitation was used on 20 Nov. If that was you, sign in; if not, tell Mirre Halloran.",
        ),
        (
            {"revoked_at": NOW},
            NOW,
            "invitation_revoked",
            "This invitation was taken back on 20 Nov. Ask Mirre Halloran why.",
        ),
        (
            {},
            NOW + timedelta(days=10),
            "invitation_expired",
            "This invitation ended on 30 Nov. Ask Mirre Halloran for a new one.",
        ),
    ],
)
def test_a_closed_invitation_says_why_when_and_whom_to_ask(
    changes: dict[str, datetime], now: datetime, code: str, sentence: str
) -> None:
    with pytest.raises(WrongState) as refusal:
        rules.check_can_accept(invitation(**changes), ask="Mirre Halloran", zone="Europe/Amsterdam", now=now)

    assert (refusal.value.code, refusal.value.sentence) == (code, sentence)
    assert not rules.can_accept(invitation(**changes), now=now)


def test_an_invitation_is_open_until_the_moment_it_ends() -> None:
    assert rules.can_accept(invitation(), now=NOW + timedelta(days=10, microseconds=-1))


def test_days_are_named_in_the_programmes_zone() -> None:
    late = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)

    assert rules.date_words(late, "UTC") == "30 Nov"
    assert rules.date_words(late, "Europe/Amsterdam") == "1 Dec"
    assert rules.time_words(late, "Europe/Amsterdam") == "00:30"


@pytest.mark.parametrize("name", ["Europe/Amsterdam", "UTC", "Asia/Kolkata"])
def test_takes_zones_of_the_iana_list(name: str) -> None:
    rules.check_timezone(name)


@pytest.mark.parametrize("name", ["", "CET+1", "Mars/Olympus", "../etc/passwd", "europe/amsterdam"])
def test_refuses_what_is_no_zone(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.check_timezone(name)

    assert set(refusal.value.fields) == {"timezone"}


@pytest.mark.parametrize("text", ["", " ", "x" * 25, "Early\nLight", " Early", "a\0b", "\u202eab"])
def test_refuses_a_mark_that_cannot_be_burnt_in(text: str) -> None:
    with pytest.raises(DomainError):
        rules.check_mark_text(text)


def test_the_letters_of_the_mark_are_those_that_its_face_draws_and_not_as_an_empty_box() -> None:
    face = ImageFont.truetype(str(FONT), size=16, layout_engine=ImageFont.Layout.BASIC)

    def drawn(letter: str) -> tuple[tuple[int, int], bytes]:
        mask = face.getmask(letter)
        return mask.size, bytes(mask)

    box = drawn("\U0010fffe")
    # The font's table ends well before the last of these.
    there = {letter for letter in map(chr, range(0x20000)) if drawn(letter) != box}
    assert {letter for letter in there if unicodedata.category(letter)[0] != "C"} == rules.MARK_LETTERS


@pytest.mark.parametrize(
    "text", ["Early Light", "Halflight preview", "Ä", "Spring Programme of 2026", "ΩMEGA"]
)
def test_takes_a_mark_that_can_be_burnt_in(text: str) -> None:
    rules.check_mark_text(text)


@pytest.mark.parametrize(
    ("text", "named", "instead"),
    [
        ("Święto", "“Ś” and “ę”", "“Swieto”"),
        ("Thế giới", "“ế” and “ớ”", "“The gioi”"),
        ("Şafak", "“Ş”", "“Safak”"),
        ("Żółć", "“Ż”, “ł” and “ć”", "the name in plain Latin letters"),
        ("Жил", "“Ж”, “и” and “л”", "the name in plain Latin letters"),
        ("עבר", "“ע”, “ב” and “ר”", "the name in plain Latin letters"),
        ("กา", "“ก” and “า”", "the name in plain Latin letters"),
        ("早早期", "“早” and “期”", "the name in plain Latin letters"),
        ("Early 🌅", "“🌅”", "the name in plain Latin letters"),
        ("👩\u200d🎨", "“👩” and “🎨”", "the name in plain Latin letters"),
        ("☀\ufe0f Early", "U+FE0F", "“☀ Early”"),
    ],
)
def test_refuses_letters_that_the_mark_cannot_show_names_each_and_says_what_to_do(
    text: str, named: str, instead: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        rules.check_mark_text(text)

    sentence = refusal.value.fields["mark_text"]
    assert f"The mark cannot show {named}:" in sentence
    assert sentence.endswith(f"Choose a mark text in letters that it has, for instance {instead}.")
    if instead.startswith("“"):
        rules.check_mark_text(instead.strip("“”"))


@pytest.mark.parametrize("seconds", [-1, 86_401])
def test_refuses_an_allowance_that_must_be_a_typing_error(seconds: int) -> None:
    with pytest.raises(Invalid):
        rules.check_daily_seconds(seconds)
