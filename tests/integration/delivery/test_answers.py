"""What an answer looks like: ranges, conditions, names, headers."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from access.caller import Caller
from audit.models import AuditEvent
from core.errors import NotFound
from delivery import serve
from delivery.respond import CHUNK, Slice
from generation import queries as generation
from generation.media import vtt
from generation.media.plan import Grid
from generation.queries import RenditionView
from generation.services import files
from tests.factories.generation import completed_video
from tests.factories.review import on_view

pytestmark = pytest.mark.django_db
factory = RequestFactory()


@pytest.fixture
def video(artist: Caller, now: datetime) -> str:
    return completed_video(artist, now)


@pytest.fixture
def body(video: str) -> bytes:
    with files.store().open(_file(video).storage_key) as file:
        return file.read()


def _file(video: str, kind: str = "mp4") -> RenditionView:
    clip = generation.clip(video)
    assert clip is not None
    assert clip.master is not None
    made = clip.master.rendition(kind)
    assert made is not None
    return made


def _own(
    artist: Caller, video: str, now: datetime, *, kind: str = "mp4", method: str = "GET", **headers: str
) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return serve.own_file(artist, video, kind, factory.generic(method, "/", headers=named), now=now)


def _bytes(response: Any) -> bytes:
    found = b"".join(response) if response.streaming else response.content
    response.close()
    return bytes(found)


def test_sends_the_whole_file(artist: Caller, video: str, body: bytes, now: datetime) -> None:
    response = _own(artist, video, now)

    assert (response.status_code, response["Content-Length"], response["Content-Type"]) == (
        200,
        "4096",
        "video/mp4",
    )
    assert response["ETag"] == f'"{_file(video).sha256}"'
    assert (response["Accept-Ranges"], response["X-Content-Type-Options"]) == ("bytes", "nosniff")
    assert response["Cache-Control"] == "private, no-store"
    assert _bytes(response) == body
    poster = _own(artist, video, now, kind="poster")
    assert (poster["Content-Type"], _bytes(poster) == body) == ("image/jpeg", False)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, 4095),
        ("bytes=10-19", 10, 19),
        ("bytes=-6", 4090, 4095),
        ("bytes=4000-9999", 4000, 4095),
    ],
)
def test_sends_one_range(
    artist: Caller, video: str, body: bytes, now: datetime, asked: str, first: int, last: int
) -> None:
    response = _own(artist, video, now, Range=asked)

    assert (response.status_code, response["Content-Range"]) == (206, f"bytes {first}-{last}/4096")
    assert response["Content-Length"] == str(last - first + 1)
    assert _bytes(response) == body[first : last + 1]


def test_sends_the_whole_file_for_several_ranges_or_nonsense(
    artist: Caller, video: str, body: bytes, now: datetime
) -> None:
    for asked in ("bytes=0-1,4-5", "bytes=9-2", "pages=1-2"):
        response = _own(artist, video, now, Range=asked)
        assert (response.status_code, _bytes(response)) == (200, body)


@pytest.mark.parametrize("asked", ["bytes=4096-", "bytes=-0"])
def test_cannot_satisfy_a_range_behind_the_end(artist: Caller, video: str, now: datetime, asked: str) -> None:
    response = _own(artist, video, now, Range=asked)

    assert (response.status_code, response["Content-Range"], _bytes(response)) == (416, "bytes */4096", b"")


def test_a_part_continues_only_the_same_file(artist: Caller, video: str, now: datetime) -> None:
    etag = f'"{_file(video).sha256}"'

    statuses = []
    for condition in (etag, '"another"', f"W/{etag}", "Mon, 02 Mar 2026 12:00:00 GMT"):
        response = _own(artist, video, now, Range="bytes=5-", If_Range=condition)
        statuses.append(response.status_code)
        response.close()
    assert statuses == [206, 200, 200, 200]


def test_answers_head_without_a_body(artist: Caller, video: str, now: datetime) -> None:
    response = _own(artist, video, now, method="HEAD", Range="bytes=0-9")

    assert isinstance(response, HttpResponse)
    assert (response.status_code, response["Content-Length"], response.content) == (200, "4096", b"")


def test_does_not_send_what_the_client_has(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made, share = on_view(artist, reviewer, now)
    etag = f'"{_file(made.video).sha256}"'

    for condition in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        request = factory.get("/", headers={"If-None-Match": condition})
        response = serve.public_file(share, "mp4", request, now=now)
        assert (response.status_code, response["ETag"], response["Cache-Control"]) == (304, etag, "no-cache")
    fresh = serve.public_file(share, "mp4", factory.get("/", headers={"If-None-Match": '"other"'}), now=now)
    assert (fresh.status_code, fresh["Cache-Control"]) == (200, "no-cache")
    fresh.close()


def test_names_a_download_in_plain_and_in_full(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made, share = on_view(artist, reviewer, now, title='Größe / "Meer", 06:10')
    clip = generation.clip(made.video)
    assert clip is not None

    shown = serve.public_file(share, "mp4", factory.head("/"), now=now)["Content-Disposition"]
    saved = serve.public_file(share, "mp4", factory.head("/?download=1"), now=now)["Content-Disposition"]
    own = serve.own_file(artist, made.video, "poster", factory.head("/?download=1"), now=now)[
        "Content-Disposition"
    ]

    name = "filename=\"Groe-Meer-06-10-by-Ada-Verhoeven.mp4\"; filename*=UTF-8''Gr%C3%B6%C3%9Fe%20-%20-Meer-%2C%2006-10"
    assert shown == f"inline; {name}%20by%20Ada%20Verhoeven.mp4"
    assert saved == f"attachment; {name}%20by%20Ada%20Verhoeven.mp4"
    assert own.startswith(
        f'attachment; filename="{clip.code}-a-red-boat-drifting-left-over-the-sea.jpg"; filename*='
    )


def test_leaves_the_sending_to_nginx_where_it_stands_in_front(
    artist: Caller, video: str, now: datetime, settings: Settings
) -> None:
    settings.ACCEL_PREFIX = "/_media/"

    response = _own(artist, video, now, Range="bytes=0-9")

    assert (response.status_code, response.content) == (200, b"")
    assert response["X-Accel-Redirect"] == "/_media/" + _file(video).storage_key
    assert (response["Content-Type"], response["Cache-Control"]) == ("video/mp4", "private, no-store")
    assert "Content-Length" not in response.headers


def test_says_not_found_when_the_store_has_lost_the_file(artist: Caller, video: str, now: datetime) -> None:
    files.store().delete(_file(video).storage_key)

    with pytest.raises(NotFound):
        _own(artist, video, now)


def test_closes_the_file_at_the_end_and_when_the_client_goes_away(
    artist: Caller, video: str, now: datetime
) -> None:
    read, abandoned, begun = _own(artist, video, now), _own(artist, video, now), _own(artist, video, now)
    opened = [_opened(response) for response in (read, abandoned, begun)]

    assert len(b"".join(read)) == 4096
    abandoned.close()
    next(iter(begun))
    begun.close()

    assert [part.file.closed for part in opened] == [True, True, True]


def _opened(response: Any) -> Slice:
    assert isinstance(response, StreamingHttpResponse)
    (part,) = [closer.__self__ for closer in response._resource_closers]  # type: ignore[attr-defined]
    assert isinstance(part, Slice)
    return part


def test_reads_in_chunks(tmp_path: Any) -> None:
    path = tmp_path / "long"
    path.write_bytes(b"x" * (2 * CHUNK + 10))

    sizes = [len(chunk) for chunk in Slice(path.open("rb"), 2 * CHUNK + 5)]

    assert sizes == [CHUNK, CHUNK, 5]


def test_an_operators_viewing_is_written_down_once(
    artist: Caller, operator: Caller, video: str, now: datetime
) -> None:
    def watch(asked: str | None, method: str = "GET", kind: str = "mp4") -> None:
        headers = {"Range": asked} if asked else {}
        serve.operator_file(
            operator, video, kind, factory.generic(method, "/", headers=headers), now=now
        ).close()

    def seen() -> int:
        return AuditEvent.objects.filter(action="rendition.viewed", actor=str(operator.actor)).count()

    counts = []
    watch(None, method="HEAD")
    for asked in ("bytes=1-", "bytes=2000-", None, "bytes=0-99", "bytes=100-", "bytes=-4096"):
        watch(asked)
        counts.append(seen())
    assert counts == [1, 1, 2, 3, 3, 4]
    watch(None, kind="poster")

    event = AuditEvent.objects.latest("seq")
    assert (event.target, event.data) == (
        _file(video, "poster").public_id,
        {"video": video, "kind": "poster"},
    )


def test_nobody_else_leaves_a_trace_in_the_log(
    artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    made, share = on_view(artist, reviewer, now)
    before = AuditEvent.objects.count()

    serve.own_file(artist, made.video, "mp4", factory.get("/"), now=now).close()
    serve.case_file(reviewer, made.case, "mp4", factory.get("/"), now=now).close()
    serve.public_file(share, "mp4", factory.get("/"), now=now).close()
    with pytest.raises(NotFound):
        serve.operator_file(artist, made.video, "mp4", factory.get("/"), now=now)

    assert AuditEvent.objects.count() == before


def test_a_public_file_costs_two_statements(
    artist: Caller, reviewer: Caller, now: datetime, django_assert_num_queries: Any
) -> None:
    _, share = on_view(artist, reviewer, now)

    with django_assert_num_queries(2):
        serve.public_file(share, "mp4", factory.get("/"), now=now).close()


def test_a_vtt_names_its_sprite_as_the_door_calls_it(artist: Caller, video: str, now: datetime) -> None:
    stored = vtt.write(Grid((160, 90), 10, (3, 9)), seconds=2).encode()
    with tempfile.NamedTemporaryFile() as file:
        file.write(stored)
        file.flush()
        key = _file(video, "vtt").storage_key
        files.store().delete(key)
        files.store().put(Path(file.name), key=key)

    def ask(**more: Any) -> Any:
        return serve.own_file(artist, video, "vtt", factory.get("/"), now=now, **more)

    beside, api = ask(), ask(sprite="content?variant=spritesheet")

    assert b"\nsprite.jpg#xywh=160,0,160,90" in stored
    assert b"\ncontent?variant=spritesheet#xywh=160,0,160,90" in api.content
    assert b"sprite.jpg" not in api.content
    assert _bytes(beside) == stored[:4096]
    assert api["ETag"] != beside["ETag"]
    assert api["Cache-Control"] == "private, no-store"
