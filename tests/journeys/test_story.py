"""The story of the programme, played in a real browser: from an invitation to a public clip, and back."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.journeys.conftest import RENDERED, House, approve, sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(420)]
NewContext = Callable[..., BrowserContext]
PASSWORD = "four plain words here"


def _mail_to(folder: Path, address: str, pattern: str, seconds: float = 20) -> str:
    """The first group of `pattern` in a mail to `address`, once it has come."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for file in folder.iterdir():
            text = file.read_text().replace("=\n", "")
            found = re.search(pattern, text)
            if f"To: {address}" in text and found:
                return found[1]
        time.sleep(0.2)
    raise AssertionError(f"no mail to {address} with {pattern}")


def _invite(page: Page, house: House, address: str) -> None:
    sign_in(page, house.operator.email)
    page.goto("/office/cohorts")
    page.get_by_label("Name").fill("Early birds")
    page.get_by_role("button", name=re.compile("cohort", re.IGNORECASE)).last.click()
    expect(page.get_by_text("Early birds").first).to_be_visible()
    page.goto("/office/invitations")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_role("button", name="Mail the invitation").click()
    expect(page.get_by_role("heading", name=f"Invitation for {address}")).to_be_visible()


def _join(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label(re.compile("A password")).fill(PASSWORD)
    page.get_by_role("button", name="Accept the invitation").click()
    page.wait_for_url("**/welcome")
    page.goto("/studio")
    page.wait_for_url("**/welcome")
    page.get_by_label("Your public name").fill("Ruta Elmsley")
    page.get_by_role("button", name="Open the studio").click()
    expect(page.get_by_text("Without your yes")).to_be_visible()
    page.get_by_label(re.compile("I have read the terms")).check()
    page.get_by_role("button", name="Open the studio").click()
    page.wait_for_url("**/studio")


def _render(page: Page) -> str:
    page.get_by_label("What should we see?").fill("a red boat drifting left over the sea")
    page.get_by_label("Takes").select_option("1")
    page.get_by_text("Settings").click()
    page.get_by_label("Length").select_option("2")
    page.get_by_role("button", name="Render 1 take").click()
    page.wait_for_url("**/studio/clips/video_*")
    page.reload()
    expect(page.locator("video")).to_be_visible(timeout=RENDERED)
    return page.url


def _loads(page: Page) -> bool:
    """Whether the browser itself can play the video of the page."""
    script = """async () => { const v = document.querySelector('video'); v.load();
        for (let i = 0; i < 100 && v.readyState < 2 && !v.error; i++) await new Promise(r => setTimeout(r, 100));
        return v.readyState >= 2 && v.videoWidth > 0 && v.duration > 1.9; }"""
    return bool(page.evaluate(script))


def _steps_by_frames(page: Page) -> None:
    """The bar below the picture stands for the browser's controls: two frames on at 24 a second."""
    assert not page.evaluate("document.querySelector('video').controls")
    for _ in range(2):
        page.get_by_role("button", name="+1 frame").click()
    expect(page.get_by_label("Position")).to_have_value("2")
    expect(page.get_by_text("0:00.1 / 0:02.0")).to_be_visible()
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_label("Position")).not_to_have_value("2")
    page.get_by_role("button", name="Play").click()
    assert page.evaluate("document.querySelector('video').paused")


def test_from_an_invitation_to_a_public_clip_and_back(
    house: House, workers: None, new_browser_context: NewContext, mail_folder: Path
) -> None:
    operator, artist, reviewer, visitor = (new_browser_context().new_page() for _ in range(4))
    _invite(operator, house, "ruta@elmsley.example")
    link = _mail_to(mail_folder, "ruta@elmsley.example", r"(http\S+/invitation/\S+)")
    _join(artist, link)

    address = _render(artist)
    assert _loads(artist)
    _steps_by_frames(artist)
    video = f"{address}/video.mp4"
    assert artist.request.get(f"{video}?download=1").headers["content-disposition"].startswith("attachment")
    for stranger in (visitor, reviewer):
        assert stranger.request.get(address).status == 404
        assert stranger.request.get(video).status == 404

    artist.get_by_label("Title").fill("Harbour, six in the morning")
    artist.get_by_role("button", name="Ask to share").click()
    expect(artist.get_by_role("heading", name="In review")).to_be_visible()

    sign_in(reviewer, house.reviewer.email)
    assert reviewer.request.get(video).status == 404
    reviewer.get_by_role("button", name="Take the next case").click()
    reviewer.wait_for_url("**/desk/cases/case_*")
    expect(reviewer.locator("video")).to_be_visible(timeout=RENDERED)
    assert _loads(reviewer)
    reviewer.get_by_role("radio", name="Ask for changes").check()
    reviewer.get_by_label(re.compile("A person|real person", re.IGNORECASE)).first.check()
    reviewer.get_by_label("What you saw, and what would settle it").fill("The title names a private place.")
    reviewer.locator("[data-decide]").click()
    reviewer.wait_for_url(lambda url: "/cases/" not in url)

    artist.reload()
    expect(artist.get_by_role("heading", name="Changes asked")).to_be_visible()
    expect(artist.get_by_text("The title names a private place.")).to_be_visible()
    _mail_to(mail_folder, "ruta@elmsley.example", r"(The title names a private place)")
    artist.get_by_label("Title").fill("Harbour, six")
    artist.get_by_role("button", name="Send it again").click()

    reviewer.goto("/desk")
    reviewer.get_by_role("button", name="Take the next case").click()
    approve(reviewer)

    visitor.goto("/")
    visitor.get_by_role("link", name="Harbour, six").click()
    visitor.wait_for_url("**/s/s_*")
    share = visitor.url
    assert _loads(visitor)
    expect(visitor.locator("meta[property='og:video']")).to_have_attribute("content", f"{share}/video.mp4")

    artist.reload()
    artist.get_by_role("button", name="Take it back").click()
    expect(artist.get_by_role("heading", name="Taken back")).to_be_visible()
    for path in ("", "/video.mp4", "/poster.jpg"):
        answer = visitor.request.get(share + path)
        assert (answer.status, answer.headers["cache-control"]) == (410, "no-store")
    visitor.reload()
    expect(visitor.get_by_role("heading", name="No longer shown")).to_be_visible()
    assert artist.request.get(video).ok
    visitor.goto("/")
    expect(visitor.get_by_role("link", name="Harbour, six")).to_have_count(0)


def test_a_render_is_stopped_from_its_page_and_costs_nothing(
    house: House, new_browser_context: NewContext
) -> None:
    from core import clock
    from tests.factories import people

    artist = people.artist(people.cohort(house.programme.id, clock.now()), clock.now(), name="Jun Okafor")
    page = new_browser_context().new_page()
    sign_in(page, artist.email)
    page.goto("/studio")
    page.get_by_label("What should we see?").fill("a white moon rising in the night sky")
    page.get_by_label("Takes").select_option("1")
    page.get_by_role("button", name="Render 1 take").click()
    expect(page.get_by_text("First in the queue")).to_be_visible()

    page.get_by_role("button", name="Stop this render").click()

    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    page.goto("/studio")
    expect(page.get_by_text("120 s of 120 s left today")).to_be_visible()


def test_a_forgotten_password_is_set_anew_by_the_mailed_link(
    house: House, workers: None, new_browser_context: NewContext, mail_folder: Path
) -> None:
    page = new_browser_context().new_page()
    page.goto("/accounts/password/reset/")
    page.get_by_label("Email").fill(house.reviewer.email)
    page.get_by_role("button", name="Send me a link").click()
    link = _mail_to(mail_folder, house.reviewer.email, r"(http\S+/password/reset/key/\S+)")

    page.goto(link)
    page.get_by_label("New Password", exact=True).fill("another four plain words")
    page.get_by_label(re.compile("again", re.IGNORECASE)).fill("another four plain words")
    page.get_by_role("button", name="Set the new password").click()
    sign_in(page, house.reviewer.email, "another four plain words")

    page.wait_for_url("**/desk")
