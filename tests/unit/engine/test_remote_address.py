"""Which server a checkpoint names, and that a token goes to no other; which addresses are public."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from generation.backends.remote import address, answers
from generation.backends.remote.guard import is_public
from generation.errors import EngineError

TOKEN = "pv_made_up"
ENVIRONMENT = {"PRIVATE_VIEW_REMOTE_TOKEN_LAB": f"https://gpu.example.org/v1 {TOKEN}"}


def test_address_is_read_with_its_model_and_its_token() -> None:
    found = address.read("https://lab@gpu.example.org/v1/#Wan-AI/Wan2.2", ENVIRONMENT)

    assert (found.url, found.model, found.token) == ("https://gpu.example.org/v1", "Wan-AI/Wan2.2", TOKEN)
    assert TOKEN not in repr(found)


def test_address_without_a_name_has_no_token() -> None:
    found = address.read("http://vllm:8091/v1", ENVIRONMENT)

    assert (found.url, found.model, found.token) == ("http://vllm:8091/v1", "", "")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://lab@evil.example/v1#m",
        "http://lab@gpu.example.org/v1#m",
        "https://lab@gpu.example.org:8443/v1#m",
        "https://lab@gpu.example.org.evil.example/v1#m",
    ],
    ids=["host", "scheme", "port", "longer name"],
)
def test_token_of_one_server_is_not_sent_to_another(elsewhere: str) -> None:
    with pytest.raises(EngineError, match="the token of another server") as fault:
        address.read(elsewhere, ENVIRONMENT)
    assert TOKEN not in str(fault.value)


def test_usual_port_may_be_named() -> None:
    assert address.read("https://lab@gpu.example.org:443/v1", ENVIRONMENT).token == TOKEN


@pytest.mark.parametrize(
    "checkpoint",
    [
        "builtin",
        "gpu.example.org/v1",
        "ftp://gpu.example.org/v1",
        "https:///v1",
        "https://lab:secret@gpu.example.org/v1",
        "https://gpu.example.org/v1?key=secret",
        "https://other@gpu.example.org/v1",
        "https://a-b@gpu.example.org/v1",
        "https://[::1/v1",
    ],
)
def test_checkpoint_that_is_no_address_is_refused(checkpoint: str) -> None:
    with pytest.raises(EngineError) as fault:
        address.read(checkpoint, ENVIRONMENT)
    assert "secret" not in str(fault.value)


@pytest.mark.parametrize("value", ["", TOKEN, "https://gpu.example.org ", "https://gpu.example.org a\tb"])
def test_variable_that_does_not_name_its_server_is_refused(value: str) -> None:
    with pytest.raises(EngineError, match="PRIVATE_VIEW_REMOTE_TOKEN_LAB"):
        address.read("https://lab@gpu.example.org/v1", {"PRIVATE_VIEW_REMOTE_TOKEN_LAB": value})


@pytest.mark.parametrize("number", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07::1"])
def test_address_of_the_open_internet_is_public(number: str) -> None:
    assert is_public(ipaddress.ip_address(number))


@pytest.mark.parametrize(
    "number",
    [
        *("127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3"),
        *("224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fec0::1", "fc00::1", "ff02::1", "2001:db8::1", "::ffff:8.8.8.8"),
        *("::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "2002:7f00:1::", "2001:0:1::1"),
    ],
)
def test_address_of_a_house_or_of_none_is_not_public(number: str) -> None:
    assert not is_public(ipaddress.ip_address(number))


def test_wait_is_read_as_seconds_milliseconds_or_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    past = format_datetime(datetime.now(UTC) - timedelta(seconds=60), usegmt=True)

    assert answers.wait_of({"retry-after": "7"}) == 7
    assert answers.wait_of({"retry-after": "7", "retry-after-ms": "250"}) == 0.25
    assert answers.wait_of({"retry-after": soon}) == pytest.approx(60, abs=3)
    assert answers.wait_of({"retry-after": past}) == 0
    assert [answers.wait_of({"retry-after": odd}) for odd in ("", "-1", "nan", "1e9", "soon")] == [None] * 5


def test_servers_words_become_one_printable_line() -> None:
    assert answers.plain("a\x00b\x1b[0m\u202e\u200bc\n\n d\ud800", 20) == "ab[0mc d"
    assert answers.plain("word " * 100, 12) == "word word w…"
    assert answers.plain(7, 10) == ""
