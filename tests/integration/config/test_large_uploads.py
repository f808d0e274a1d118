"""Files as large as the pages promise, through the web process as it runs."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import imageio_ffmpeg
import pytest
from allauth.core import ratelimit
from django.contrib.auth import get_user_model
from django.test import Client, RequestFactory

from core import clock
from generation.credentials.manifest import Provenance
from generation.models import Trace
from generation.services import credentials
from roles.roles import Role
from tests.factories import people
from tests.rig.site import LiveSite

MB = 1000**2
FORM = "multipart/form-data; boundary=line"
PLAIN = "application/x-www-form-urlencoded"
SENTENCES = {
    "/check": "A file to check has at most 200 MB.",
    "/office/traces": "A file to look into has at most 500 MB. Cut out a part of it.",
    "/studio/adapters": "The files of a form have at most 67 MB together.",
}


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def stopped_clock() -> None:
    """It runs: the certificates that files are signed with hold from now on."""


@pytest.fixture(autouse=True)
def _unthrottled(valkey: object) -> None:
    """As if nothing had been checked from this address yet."""
    ratelimit.clear(RequestFactory().post("/check"), action="check")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A signed video of 80 MB: most of it is a box of nothing, which a signature leaves out."""
    plain, signed = tmp_path / "plain.mp4", tmp_path / "signed.mp4"
    what = ["-f", "lavfi", "-i", "testsrc2=size=128x96:rate=8:duration=1", "-pix_fmt", "yuv420p"]
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *what, str(plain)]
    subprocess.run(command, check=True)
    told = Provenance(title="Clip", media_type="video/mp4", model="turbo", variant="1", software="1")
    credentials.signer().sign(plain, signed, told)
    padding = 80 * MB
    with signed.open("r+b") as file:
        end = file.seek(0, 2)
        file.write(padding.to_bytes(4, "big") + b"free")
        file.truncate(end + padding)
    return signed


def send(site: LiveSite, path: str, file: Path, **more: object) -> httpx.Response:
    with file.open("rb") as opened:
        return httpx.post(f"{site.url}{path}", files={"file": ("found.mp4", opened)}, timeout=60, **more)  # type: ignore[arg-type]  # httpx's own


def told(site: LiveSite, path: str, length: int, kind: str = FORM, cookie: str = "") -> tuple[int, str]:
    """The answer to who says how long a body is, and sends nothing of it."""
    host = urlsplit(site.url)
    with contextlib.closing(http.client.HTTPConnection(host.hostname or "", host.port, timeout=10)) as line:
        line.putrequest("POST", path)
        line.putheader("Content-Type", kind)
        line.putheader("Content-Length", str(length))
        line.putheader("Cookie", cookie)
        line.endheaders()
        answer = line.getresponse()
        return answer.status, answer.read().decode()


def most_memory(site: LiveSite) -> int:
    """The most bytes that the web process has ever held."""
    (line,) = (each for each in Path(f"/proc/{site.pid}/status").read_text().splitlines() if "VmHWM" in each)
    return int(line.split()[1]) * 1024


def test_checks_a_file_of_eighty_megabytes_at_both_doors_without_holding_it(
    live_site: LiveSite, large: Path
) -> None:
    send(live_site, "/v1/verify", Path(__file__))  # what is loaded once is loaded now
    before = most_memory(live_site)

    found = send(live_site, "/v1/verify", large)
    shown = send(live_site, "/check", large)

    assert (found.status_code, shown.status_code) == (200, 200)
    assert found.json()["bytes"] == large.stat().st_size
    assert found.json()["credentials"]["state"] == "trusted"
    assert "Signed by us, unchanged" in shown.text
    assert most_memory(live_site) - before < 30 * MB


def test_the_office_takes_a_file_of_eighty_megabytes(live_site: LiveSite, large: Path, now: datetime) -> None:
    people.programme(now)
    operator = people.holder(Role.OPERATOR, now)
    browser = Client()
    browser.force_login(get_user_model().objects.get(pk=operator.user_id))
    with httpx.Client(cookies={"pv_session": browser.cookies["pv_session"].value}) as line:
        line.get(f"{live_site.url}/office/traces")
        token = line.cookies["pv_csrf"]
        with large.open("rb") as opened:
            answer = line.post(
                f"{live_site.url}/office/traces",
                data={"csrfmiddlewaretoken": token},
                files={"file": ("found.mp4", opened)},
                timeout=60,
            )

    assert answer.status_code == 302, answer.text[-3000:]
    assert Trace.objects.get().bytes == large.stat().st_size


def test_the_office_takes_no_place_for_who_is_not_signed_in(live_site: LiveSite) -> None:
    status, page = told(live_site, "/office/traces", 80 * MB)

    assert status == 401
    assert "Sign in first, then send the file again." in page


@pytest.mark.parametrize(
    ("path", "length"), [("/check", 201), ("/office/traces", 501), ("/studio/adapters", 68)]
)
def test_a_page_says_what_is_too_large_before_it_is_read(live_site: LiveSite, path: str, length: int) -> None:
    status, page = told(live_site, path, length * MB)

    assert status == 413
    assert SENTENCES[path] in page


def test_the_api_says_what_is_too_large_before_it_is_read(live_site: LiveSite) -> None:
    status, body = told(live_site, "/v1/verify", 201 * MB)

    assert status == 413
    assert '"code": "body_too_large"' in body.replace('":"', '": "')
    assert "a file of 200 MB" in body


@pytest.mark.parametrize("path", ["/check", "/office/traces", "/light", "/accounts/login/"])
def test_a_form_without_a_file_stays_small(live_site: LiveSite, path: str) -> None:
    status, page = told(live_site, path, 300_000, PLAIN)

    assert status == 413
    assert "A form without a file has at most 256 kB." in page


def test_what_does_not_say_its_length_is_measured_while_it_comes(live_site: LiveSite) -> None:
    def chunks(size: int) -> Iterator[bytes]:
        yield b"share="
        for _ in range(size // 1000):
            yield b"x" * 1000

    address = f"{live_site.url}/check"
    headers = {"content-type": PLAIN}
    small = httpx.post(address, content=chunks(10_000), headers=headers)
    large = httpx.post(address, content=chunks(300_000), headers=headers)

    assert (small.status_code, large.status_code) == (422, 413)
    assert "Give the address of a share" in small.text


def test_the_office_takes_no_place_for_who_may_not_trace(live_site: LiveSite, now: datetime) -> None:
    """Two members could else keep it from those who look into a leak, one of theirs perhaps."""
    artist = people.artist(people.cohort(people.programme(now).id, now), now)
    browser = Client()
    browser.force_login(get_user_model().objects.get(pk=artist.user_id))

    status, page = told(
        live_site, "/office/traces", 80 * MB, cookie=f"pv_session={browser.cookies['pv_session'].value}"
    )

    assert status == 403
    assert "too_slow" not in page


def test_who_sends_a_second_large_file_at_once_is_told_so_and_pages_still_answer(
    live_site: LiveSite, large: Path
) -> None:
    host = urlsplit(live_site.url)
    head = f"POST /check HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\nContent-Length: {100 * MB}\r\n\r\n-"
    with contextlib.ExitStack() as lines:
        line = lines.enter_context(socket.create_connection((host.hostname or "", host.port or 0)))
        line.sendall(head.encode())
        httpx.get(f"{live_site.url}/health")
        page_status, page = told(live_site, "/check", 100 * MB)
        status, body = told(live_site, "/v1/verify", 100 * MB)
        other = httpx.get(f"{live_site.url}/check", timeout=2)

    assert (page_status, status, other.status_code) == (503, 503, 200)
    assert "Other files are being sent to us" in page
    assert '"busy"' in body
    assert send(live_site, "/v1/verify", large).status_code == 200
