"""A clip leaks: filmed off a phone's screen, cropped, encoded anew. It leads back to the one copy that it was."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from imageio_ffmpeg import get_ffmpeg_exe
from playwright.sync_api import BrowserContext, Page, expect

from core import clock
from review.models import ReleaseGrant
from tests.factories import people
from tests.factories.generation import queued_video
from tests.journeys.conftest import RENDERED, House, approve, sign_in
from tests.rig.c2pa_ts import Look
from tests.rig.marked import X264, treated

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(420)]
NewContext = Callable[..., BrowserContext]
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 3,
    "is_mobile": True,
    "has_touch": True,
}
RATE = 30
POSTED = ("-vf", "crop=iw*.94:ih*.9:iw*.04:ih*.06,scale=trunc(iw/2)*2:trunc(ih/2)*2", *X264, "26")


def recorded(page: Page, path: Path, seconds: float = 4) -> Path:
    """What a recorder would keep of the phone's screen, at the screen's own pixels, while the clip plays."""
    session = page.context.new_cdp_session(page)
    screen = {"x": 0, "y": 0, **PHONE["viewport"], "scale": PHONE["device_scale_factor"]}
    page.evaluate("const v = document.querySelector('video'); v.loop = v.muted = true; v.play()")
    shots: list[tuple[float, bytes]] = []
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        shot = session.send("Page.captureScreenshot", {"format": "jpeg", "quality": 92, "clip": screen})
        shots.append((now, base64.b64decode(shot["data"])))
    session.detach()
    return _filmed(shots, path)


def _filmed(shots: list[tuple[float, bytes]], path: Path) -> Path:
    """At a steady rate, as recorders write: each picture stays until the next one comes."""
    command = [get_ffmpeg_exe(), "-y", "-loglevel", "error", "-f", "image2pipe", "-c:v", "mjpeg"]
    command += ["-framerate", str(RATE), "-i", "-", "-vf", "scale=trunc(iw/2)*2:trunc(ih/2)*2", *X264, "20"]
    begun, at = shots[0][0], 0
    with subprocess.Popen([*command, str(path)], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        for index in range(int((shots[-1][0] - begun) * RATE)):
            while at + 1 < len(shots) and shots[at + 1][0] - begun <= index / RATE:
                at += 1
            process.stdin.write(shots[at][1])
    assert process.returncode == 0
    return path


def traced(path: Path, folder: Path) -> list[tuple[str, str]]:
    """Clip and purpose of each copy that is named, after the recording was cropped and encoded once more."""
    out = StringIO()
    call_command("trace", str(treated(path, folder / f"posted-{path.name}", *POSTED)), "--json", stdout=out)
    copies = json.loads(out.getvalue().splitlines()[-1])["copies"]
    return [(copy["video"], copy["purpose"]) for copy in copies]


def test_a_recording_of_a_phones_screen_names_the_copy_that_was_played(
    house: House,
    workers: None,
    new_browser_context: NewContext,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    now = clock.now()
    artist = people.artist(people.cohort(house.programme.id, now), now, name="Jun Okafor")
    video = queued_video(artist, now, seconds=4, size="1280x720")
    page = new_browser_context(**PHONE).new_page()
    sign_in(page, artist.email)
    page.goto(f"/studio/clips/{video}")
    expect(page.locator("video")).to_be_visible(timeout=RENDERED)

    with page.expect_download() as coming:
        page.get_by_role("link", name="Download").first.click()
    coming.value.save_as(tmp_path / "own.mp4")
    player = new_browser_context(**PHONE).new_page()
    player.goto((tmp_path / "own.mp4").as_uri())
    assert traced(recorded(player, tmp_path / "own-screen.mp4"), tmp_path) == [(video, "master")]

    page.get_by_label("Title").fill("Harbour, six in the morning")
    page.get_by_role("button", name="Ask to share").click()
    expect(page.get_by_role("heading", name="In review")).to_be_visible()
    desk = new_browser_context(**PHONE).new_page()
    sign_in(desk, house.reviewer.email)
    desk.get_by_role("button", name="Take the next case").click()
    expect(desk.locator("video")).to_be_visible(timeout=RENDERED)
    assert traced(recorded(desk, tmp_path / "desk-screen.mp4"), tmp_path) == [(video, "screening")]

    approve(desk)
    share = ReleaseGrant.objects.get().public_id
    shown = new_browser_context().request.get(f"/s/{share}/video.mp4")
    (tmp_path / "shown.mp4").write_bytes(shown.body())
    look: Look = request.getfixturevalue("look")  # last: a machine without node skips this alone
    found = look(tmp_path / "shown.mp4")
    assert (found["valid"], found["failures"]) == (True, [])
    assert found["actions"] == ["c2pa.created", "c2pa.watermarked.bound"]
