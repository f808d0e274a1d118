from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from config import bodies
from config.bodies import REFUSAL, Bodies, Door
from config.threads import OnThreads
from delivery.places import Places

PLACES = Places(2, each=1)
STALLED: dict[str, Any] = {}


class Streamed:
    """As Django's streaming response: says that it is one, and is closed."""

    streaming = True

    def __init__(self) -> None:
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from (b"one", b"two")

    def close(self) -> None:
        self.closed = True


class Whole(Streamed):
    streaming = False


def _door(path: str, content_type: str) -> Door:
    most, longest = 40 if content_type.startswith("multipart/") else 8, 0.05 if path == "/brief" else 300
    return Door(most, "It is too large.", PLACES, longest=longest)


def ask(app: Any, *messages: dict[str, Any], method: str = "POST", **scope: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        message = next(waiting)
        if message is STALLED:
            await asyncio.Event().wait()
        return message

    async def send(message: Any) -> None:
        sent.append(message)

    usual = {"type": "http", "method": method, "path": "/a", "query_string": b"", "http_version": "1.1"}
    asyncio.run(
        OnThreads(app, workers=2, bodies=Bodies(small=8, door=_door))(
            usual | {"scheme": "http", "headers": []} | scope, receive, send
        )
    )
    return sent


def part(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


def test_sends_a_whole_answer_as_one_and_closes_it_in_the_thread_that_made_it() -> None:
    response, threads = Whole(), []

    def app(environ: dict[str, Any], start_response: Any) -> Whole:
        threads.append(threading.current_thread())
        start_response("201 Created", [("X-Name", "value")])
        return response

    sent = ask(app, part(b""))

    assert sent == [
        {"type": "http.response.start", "status": 201, "headers": [(b"x-name", b"value")]},
        {"type": "http.response.body", "body": b"onetwo"},
    ]
    assert response.closed
    assert threads[0] is not threading.main_thread()


def test_sends_a_stream_chunk_by_chunk_and_closes_it() -> None:
    response = Streamed()

    def app(environ: dict[str, Any], start_response: Any) -> Streamed:
        start_response("200 OK", [])
        return response

    sent = ask(app, method="GET")

    assert [message.get("body") for message in sent] == [None, b"one", b"two", b""]
    assert [message.get("more_body", False) for message in sent[1:]] == [True, True, False]
    assert response.closed


def _seen(*messages: dict[str, Any], **scope: Any) -> list[dict[str, Any]]:
    seen: list[dict[str, Any]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Whole:
        seen.append(environ | {"body": environ["wsgi.input"].read()})
        start_response("200 OK", [])
        return Whole()

    ask(app, *messages, **scope)
    return seen


def test_reads_a_body_in_parts_and_says_how_long_it_was() -> None:
    (whole,) = _seen(part(b"abc", more=True), part(b"def"))

    assert (whole["body"], whole["CONTENT_LENGTH"]) == (b"abcdef", "6")


def test_reads_no_more_than_the_address_takes_and_lets_the_app_see_that_it_was_too_much() -> None:
    (large,) = _seen(part(b"x" * 9, more=True), part(b"never asked for"))

    assert large["CONTENT_LENGTH"] == "9"


def test_reads_nothing_of_what_says_that_it_is_too_large() -> None:
    (large,) = _seen(headers=[(b"content-length", b"9")])

    assert (large["body"], large["CONTENT_LENGTH"]) == (b"", "9")


def test_takes_no_half_body_for_a_whole_one() -> None:
    assert _seen(part(b"a=b", more=True), {"type": "http.disconnect"}) == []


def test_hands_on_headers_and_addresses_that_are_not_ascii() -> None:
    headers = [(b"content-type", b"text/plain"), (b"accept", b"a"), (b"accept", b"b"), (b"x-name", b"\xe9")]
    (seen,) = _seen(part(b""), path="/ü", query_string=b"q=\xff", headers=headers, client=("127.0.0.1", 5))

    assert seen["CONTENT_TYPE"] == "text/plain"
    assert (seen["HTTP_ACCEPT"], seen["HTTP_X_NAME"]) == ("a,b", "é")
    assert (seen["PATH_INFO"].encode("latin1"), seen["QUERY_STRING"]) == ("/ü".encode(), "q=ÿ")
    assert seen["REMOTE_ADDR"] == "127.0.0.1"


FORM = (b"content-type", b"multipart/form-data; boundary=x")


def test_reads_more_of_a_form_with_files_than_of_anything_else() -> None:
    parts = [part(b"12345", more=True)] * 3 + [part(b"12345")]
    (form,) = _seen(*parts, headers=[FORM])
    (other,) = _seen(*parts, headers=[(b"content-type", b"text/plain")])

    assert form["body"] == b"12345" * 4
    assert other["CONTENT_LENGTH"] == "10"


def test_a_large_body_without_a_place_is_refused_before_it_is_read() -> None:
    with PLACES.one("1.2.3.4"):
        (same,) = _seen(headers=[FORM, (b"content-length", b"20")], client=("1.2.3.4", 1))
        (small,) = _seen(part(b"1"), headers=[FORM, (b"content-length", b"1")], client=("1.2.3.4", 1))
        (elsewhere,) = _seen(part(b"x" * 20), headers=[FORM], client=("4.3.2.1", 1))
        with PLACES.one("1.1.1.1"):
            (all_taken,) = _seen(headers=[FORM, (b"content-length", b"20")], client=("4.3.2.1", 1))
    (again,) = _seen(part(b"x" * 20), headers=[FORM], client=("1.2.3.4", 1))

    assert [seen[REFUSAL].code for seen in (same, all_taken)] == ["busy", "busy"]
    assert [REFUSAL in seen for seen in (small, elsewhere, again)] == [False, False, False]
    assert again["body"] == b"x" * 20


def test_a_large_body_that_hardly_moves_loses_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "_GRACE", 0.05)
    (seen,) = _seen(part(b"x" * 10, more=True), STALLED, headers=[FORM, (b"content-length", b"20")])

    assert (seen[REFUSAL].code, seen["body"]) == ("too_slow", b"")
    assert "came too slowly" in seen[REFUSAL].sentence
    with PLACES.one(""):
        pass


def test_a_large_body_that_keeps_moving_loses_its_place_after_a_while() -> None:
    """However much came in time: who sends a little for ever keeps the place from others."""
    bits, begun = [part(b"x", more=True)] * 12, time.monotonic()
    (seen,) = _seen(
        *bits, STALLED, path="/brief", headers=[FORM, (b"content-length", b"20")], client=("1.2.3.4", 1)
    )

    assert (seen[REFUSAL].code, seen[REFUSAL].extra["retry_after"]) == ("too_slow", 60)
    assert "was not here whole after 0 minutes" in seen[REFUSAL].sentence
    assert time.monotonic() - begun < 10, "of the thirty seconds in which it need not move"
    with PLACES.one("1.2.3.4"):
        pass


def test_addresses_of_one_line_share_its_places() -> None:
    with PLACES.one("2001:db8:0:1::1"):
        headers = [FORM, (b"content-length", b"20")]
        (same,) = _seen(headers=headers, client=("2001:db8:0:1:abcd::2", 1))
        (other,) = _seen(part(b"x" * 20), headers=headers, client=("2001:db8:0:2::1", 1))

    assert same[REFUSAL].code == "busy"
    assert REFUSAL not in other
