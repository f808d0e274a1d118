"""Where is this clip from? On the page and at `POST /v1/verify`: what is inside a file, and whether it is ours."""

from __future__ import annotations

import io
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from allauth.core import ratelimit
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, RequestFactory
from PIL import Image
from pytest_django import Settings

from access.caller import Caller
from core import clock
from delivery import checking
from generation.models import Rendition
from generation.services import files
from generation.worker import copies as copying
from generation.worker import run
from programme.queries import ProgrammeView
from review.models import ReleaseGrant
from review.services import shares
from review.states import RevokerRole
from tests.factories.api import Api
from tests.factories.generation import queued_video
from tests.factories.review import asked, decided, put_policy
from tests.rig.marked import X264, treated

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture(autouse=True)
def _unthrottled(valkey: object) -> None:
    """As if nothing had been checked from this address yet."""
    ratelimit.clear(RequestFactory().post("/check"), action="check")


@pytest.fixture
def shared(artist: Caller, reviewer: Caller, programme: ProgrammeView, now: datetime) -> str:
    """The public id of a share of a rendered clip."""
    put_policy(programme.id, now)
    video = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 1
    case = asked(artist, now, video=video)
    copying.drain()
    decided(case, "approve", reviewer, now)
    return ReleaseGrant.objects.get().public_id


def stored(purpose: str, kind: str = "mp4") -> Path:
    return files.store().path(Rendition.objects.get(mark__purpose=purpose, kind=kind).storage_key)


def verify(content: bytes) -> dict[str, Any]:
    answer = Api(None).post("/verify", form={"file": SimpleUploadedFile("clip.mp4", content)})
    return answer.ok()


def page(content: bytes) -> str:
    answer = Client().post("/check", {"file": SimpleUploadedFile("<clip>.mp4", content)})
    assert answer.status_code == 200
    assert answer["Cache-Control"] == "no-store"
    return answer.content.decode()


@pytest.mark.parametrize("kind", ["mp4", "poster"])
def test_a_shared_file_is_told_with_its_credentials_and_its_approval(shared: str, kind: str) -> None:
    content = stored("public", kind).read_bytes()
    found = verify(content)
    assert found["credentials"]["state"] == "trusted"
    claims = found["credentials"]["claims"]
    assert claims["source_type"].endswith("trainedAlgorithmicMedia")
    assert claims["actions"][0] == "c2pa.created"
    assert claims["author"] is None
    assert (found["ours"], found["approval"]["state"]) == (True, "active")
    assert found["approval"]["share"].endswith(f"/s/{shared}")
    shown = page(content)
    assert "Signed by us, unchanged" in shown
    assert f'href="/s/{shared}"' in shown
    assert "made by a generative model" in shown
    assert "&lt;clip&gt;.mp4" in shown


def test_a_share_is_checked_by_its_address(shared: str) -> None:
    house = settings.BASE_URL
    whole = (f"{house}/s/{shared}?x=1", f"{house.partition('//')[2].upper()}/s/{shared}")
    for address in (shared, f"/s/{shared}", f" s/{shared} ", *whole):
        found = Api(None).post("/verify", {"share": address}).ok()
        assert found["credentials"]["state"] == "trusted"
        assert found["approval"]["state"] == "active"
    assert "On view here" in Client().post("/check", {"share": shared}).content.decode()
    assert f'value="{shared}"' in Client().get(f"/check?share={shared}").content.decode()


@pytest.mark.parametrize(
    "host", ["http://other.example", "other.example", "https://localhost.other.example:80", "//x"]
)
def test_an_address_on_another_host_is_not_vouched_for(shared: str, host: str) -> None:
    """Whoever shows something else under the same path must not be told to be us."""
    Api(None).post("/verify", {"share": f"{host}/s/{shared}"}).refused(400, "not_our_address")
    shown = Client().post("/check", {"share": f"{host}/s/{shared}"})
    assert "not an address of this house" in shown.content.decode()
    assert "On view here" not in shown.content.decode()


def test_a_copy_that_was_never_shown_is_ours_and_not_approved(shared: str, artist: Caller) -> None:
    found = verify(stored("master").read_bytes())
    assert (found["ours"], found["approval"]) == (True, None)
    shown = page(stored("master").read_bytes())
    assert "Made here, not approved to be shown" in shown
    assert artist.public_name not in shown


def test_what_was_taken_back_is_told_so_and_not_read_any_more(
    shared: str, artist: Caller, now: datetime
) -> None:
    content = stored("public").read_bytes()
    shares.revoke(grant=shared, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)
    found = verify(content)
    assert found["approval"]["state"] == "ended"
    assert found["approval"]["ended_at"] == int(now.timestamp())
    assert "Taken back" in page(content)
    by_address = Api(None).post("/verify", {"share": shared}).ok()
    assert (by_address["credentials"]["state"], by_address["approval"]["state"]) == ("gone", "ended")


def test_a_changed_bit_is_found_and_a_converted_file_has_no_credentials(shared: str, tmp_path: Path) -> None:
    content = bytearray(stored("public").read_bytes())
    content[-200] ^= 1
    found = verify(bytes(content))
    assert (found["credentials"]["state"], found["ours"]) == ("changed", False)
    assert "assertion.bmffHash.mismatch" in found["credentials"]["failures"]
    assert "Believe nothing" in page(bytes(content))
    posted = treated(stored("public"), tmp_path / "posted.mp4", *X264, "27").read_bytes()
    found = verify(posted)
    assert (found["credentials"]["state"], found["ours"], found["approval"]) == ("none", False, None)
    assert "proves nothing" in page(posted)


def test_says_nothing_of_the_forensic_mark(shared: str, tmp_path: Path) -> None:
    """A marked file without its credentials is told like any other."""
    posted = treated(stored("master"), tmp_path / "posted.mp4", *X264, "23").read_bytes()
    foreign = io.BytesIO()
    Image.effect_noise((64, 64), 20).convert("RGB").save(foreign, "JPEG")
    one, other = verify(posted), verify(foreign.getvalue())
    for told in (one, other):
        del told["sha256"], told["bytes"]
    assert one == other


HOSTILE = {
    "text": b"hello, this is no picture",
    "one byte": b"\0",
    "truncated mp4": b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + b"\0\0\xff\xffmoov" + b"\xff" * 50,
    "a box that is longer than the file": b"\0\0\0\x18ftypisom\0\0\0\0isommp41\xff\xff\xff\xffuuid"
    + b"\xd8" * 100,
    "jumbf": b"\xff\xd8\xff\xeb\xff\xffJP\0\0\0\0\0\0" + b"jumb" * 4000,
    "png bomb": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xff\xff\xff\xff\xff\xff\xff\x08\x02\0\0\0" + b"\0" * 40,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_gets_an_answer(name: str, db: None) -> None:
    found = verify(HOSTILE[name])
    assert found["credentials"]["state"] in {"none", "unreadable", "changed"}
    assert found["ours"] is False
    page(HOSTILE[name])


def test_a_manifest_of_fifty_megabytes_ends_its_reader_and_nothing_else(db: None) -> None:
    """A c2pa box in an MP4, filled with boxes in boxes."""
    filling = (
        b"\0\0\0\x30jumb\0\0\0\x28jumdc2pa\0\x11\0\x10\x80\0\0\xaa\0\x38\x9b\x71\x03c2pa\0" + b"x" * 7
    ) * 1_000_000
    uuid = b"\xd8\xfe\xc3\xd6\x1b\x0e\x48\x3c\x92\x97\x58\x28\x87\x7e\xc4\x81"
    body = uuid + b"\0\0\0\0manifest\0" + b"\0" * 8 + filling
    mp4 = b"\0\0\0\x18ftypisom\0\0\0\0isommp41" + (len(body) + 8).to_bytes(4, "big") + b"uuid" + body
    found = verify(mp4)
    assert found["credentials"]["state"] in {"none", "unreadable", "changed", "too_heavy"}


def test_refuses_what_is_too_large_empty_both_or_nothing(
    shared: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = Api(None)
    api.post("/verify", {}).refused(400, "invalid_request")
    api.post("/verify", {"share": "https://elsewhere.example/watch?v=1"}).refused(400, "not_our_address")
    api.post("/verify", {"share": "s_neverwas"}).refused(404, "not_found")
    api.post("/verify", {"share": shared, "score": "1"}).refused(400, "invalid_request")
    both = {"file": SimpleUploadedFile("x", b"x"), "share": shared}
    api.post("/verify", form=both).refused(400, "invalid_request")
    api.post("/verify", form={"file": SimpleUploadedFile("x", b"")}).refused(400, "file_empty")
    monkeypatch.setattr(checking, "MOST_BYTES", 10)
    api.post("/verify", form={"file": SimpleUploadedFile("x", b"x" * 11)}).refused(400, "file_too_large")
    answer = Client().post("/check", {"file": SimpleUploadedFile("x", b"x" * 11)})
    assert (answer.status_code, "has at most 200 MB" in answer.content.decode()) == (413, True)
    assert "Choose a file" in Client().post("/check", {}).content.decode()
    assert "no such share" in Client().post("/check", {"share": "s_neverwas"}).content.decode()


@pytest.mark.parametrize(
    ("first", "second"), [("192.0.2.1", "192.0.2.1"), ("2001:db8:0:1::1", "2001:db8:0:1:ffff::9")]
)
def test_one_file_of_an_address_is_read_at_a_time_and_others_are_not_kept_from_it(
    db: None, first: str, second: str
) -> None:
    share = {"share": "s_neverwas"}
    with checking.place(first):
        same = Client(REMOTE_ADDR=second).post("/check", share)
        other = Client(REMOTE_ADDR="2001:db8:0:2::1").post("/check", share)
        mapped = Client(REMOTE_ADDR="::ffff:192.0.2.1").post("/check", share)
    again = Client(REMOTE_ADDR=second).post("/check", share)

    assert (same.status_code, same["Retry-After"]) == (503, "5")
    assert "Another file from your address is being checked." in same.content.decode()
    assert (other.status_code, again.status_code) == (422, 422)
    assert mapped.status_code == (503 if first == "192.0.2.1" else 422)


def test_who_finds_all_places_taken_is_told_at_once_when_to_come_again(db: None) -> None:
    with checking.place("192.0.2.1"), checking.place("192.0.2.2"):
        begun = time.monotonic()
        answer = Api(None).post("/verify", form={"file": SimpleUploadedFile("x", b"x")})
        shown = Client().post("/check", {"file": SimpleUploadedFile("x", b"x")})
        assert time.monotonic() - begun < 2
    answer.refused(503, "busy")
    assert answer.headers["Retry-After"] == shown["Retry-After"] == "5"
    assert "x-should-retry" not in answer.headers
    assert shown.status_code == 503
    assert "Others are having files checked" in shown.content.decode()


def test_who_checks_too_many_files_waits_and_others_do_not(db: None, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"check": "2/m/ip"}
    api, share = Api(None), {"share": "s_neverwas"}
    api.post("/verify", share).refused(404, "not_found")
    assert "no such share" in Client().post("/check", share).content.decode()

    answer = api.post("/verify", share)
    assert answer.refused(429, "too_many_checks")["error"]["type"] == "quota_error"
    assert 55 <= int(answer.headers["Retry-After"]) <= 60
    shown = Client().post("/check", share)
    assert (shown.status_code, shown["Retry-After"]) == (429, "60")
    assert "Many files were checked from your address" in shown.content.decode()

    assert Client().get("/check").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.7").post("/check", share).status_code == 422


def test_addresses_of_one_line_are_counted_together(db: None, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"check": "2/m/ip"}

    def asks(address: str) -> int:
        return Client(REMOTE_ADDR=address).post("/check", {"share": "s_neverwas"}).status_code

    here = [asks(f"2001:db8:0:7::{number}") for number in range(1, 4)]
    assert (here, asks("2001:db8:0:8::1")) == ([422, 422, 429], 422)


def test_nothing_of_a_checked_file_is_kept(
    shared: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = sorted(files.store().path("a/b.mp4").parents[1].rglob("*"))
    verify(stored("public").read_bytes())
    assert sorted(files.store().path("a/b.mp4").parents[1].rglob("*")) == before
    assert list(tmp_path.iterdir()) == []
