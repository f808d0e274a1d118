"""Every page of every room: axe finds nothing, nothing scrolls sideways, in both themes and at both widths."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import BrowserContext, Page

from access.caller import Caller
from core import clock, ids
from generation.models import Trace, Video
from generation.services import characters, choices, lineage, references, styles
from generation.services.styles import StyleSpec
from programme.services import admit
from tests.factories import generation, people, review
from tests.journeys.conftest import House, sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
NewContext = Callable[..., BrowserContext]
WIDTHS = (1280, 390, 320)
# Of the ways of a room, those that stand alone on a line of several.
ALONE = """[...Map.groupBy(document.querySelectorAll('.ways a'), way => way.offsetTop).values()]
    .filter((line, _, lines) => lines.length > 1 && line.length === 1).map(line => line[0].textContent)"""


@pytest.fixture
def artist(house: House) -> Caller:
    now = clock.now()
    return people.artist(people.cohort(house.programme.id, now), now, name="Oda Venn")


def _check(page: Page, address: str) -> list[str]:
    page.goto(address)
    return _look(page, address)


def _look(page: Page, address: str) -> list[str]:
    """At the page as it is."""
    faults = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append(f"{address} scrolls sideways at {width}")
        if alone := page.evaluate(ALONE):
            faults.append(f"{address} at {width}: {alone} alone on a line")
    # In the dark nothing differs but colours, and those do not differ by width.
    dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    options: dict[str, Any] = {"runOnly": ["color-contrast"]} if dark else {}
    for width in WIDTHS[:1] if dark else WIDTHS[:2]:
        page.set_viewport_size({"width": width, "height": 800})
        found = Axe().run(page, options=options)
        faults += [
            f"{address} at {width}: {fault['id']}: {[node['target'] for node in fault['nodes']][:3]}"
            for fault in found.response["violations"]
        ]
    if page.locator("h1").count() != 1:
        faults.append(f"{address} has {page.locator('h1').count()} h1")
    return faults


@contextmanager
def _signed_in(new_context: NewContext, theme: str, caller: Caller | None) -> Iterator[Page]:
    context = new_context(color_scheme=theme)
    page = context.new_page()
    if caller is not None:
        sign_in(page, caller.email)
    yield page
    context.close()


def _looks(artist: Caller) -> list[str]:
    """The pages of styles and characters, with some of the artist's own, and a sheet with a star and a discard."""
    now = clock.now()
    assert artist.membership is not None
    drawn = io.BytesIO()
    Image.new("RGB", (128, 72), "teal").save(drawn, "PNG")
    picture = references.upload(caller=artist, picture=drawn.getvalue(), now=now)
    character = characters.create(caller=artist, name="Ada", pictures=[picture], now=now)
    style = styles.create(caller=artist, spec=StyleSpec("Snow light", "In the first snow."), now=now)
    made = [generation.completed_video(artist, now, seconds=2, style=style) for _ in range(2)]
    choice: dict[str, Any] = {"membership_id": artist.membership.id, "by": artist.actor, "now": now}
    choices.star(video=made[0], **choice)
    choices.discard(video=made[1], **choice)
    lineage.final(caller=artist, video=made[0], now=now)
    return [
        "/studio/styles",
        f"/studio/styles/{style}",
        "/studio/characters",
        f"/studio/characters/{character}",
        f"/studio/clips/{made[0]}",
        *(
            f"/studio/takes/{request}"
            for request in Video.objects.filter(public_id=made[0]).values_list("request", flat=True)
        ),
    ]


def _traces(house: House, video: str) -> list[str]:
    """One that waits, and one that has named a copy."""
    now, addresses = clock.now(), []
    copy = {
        "number": "0000004d",
        "z": 31.4,
        "bound": -198,
        "finding": True,
        "purpose": "a screening copy",
        "video": video,
        "code": "K7QM-2XPD",
        "made_at": now.isoformat(),
    }
    answer = {
        "words": ["The file carries mark number 0000004d."],
        "pool": 5,
        "alignments": 3,
        "frames": 48,
        "stage": "as it is",
        "controls": [3.1, 4.2],
        "copies": [copy],
    }
    for state, more in (
        ("waiting", {"storage_key": "trace_a/0.bin"}),
        ("done", {"reading": answer, "numbers": [77], "recipients": {"0000004d": ""}, "ended_at": now}),
    ):
        row = Trace.objects.create(
            public_id=ids.new("trace"),
            programme_id=house.programme.id,
            name="a leak with a long name that was found on a forum.mp4",
            sha256="ab" * 32,
            bytes=12_345_678,
            asked_by_id=house.operator.user_id,
            asked_at=now,
            state=state,
            **more,
        )
        addresses.append(f"/traces/{row.public_id}")
    return addresses


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_page_is_accessible(
    house: House, artist: Caller, new_browser_context: NewContext, theme: str
) -> None:
    now = clock.now()
    generation.put_variants(house.programme.id, now)
    on_view, share = review.on_view(artist, house.reviewer, now)
    refused = review.asked(artist, now)
    review.decided(refused, "refuse", house.reviewer, now)
    changes = review.asked(artist, now)
    review.decided(changes, "changes", house.reviewer, now)
    asked = review.asked(artist, now)
    guest = people.invite(people.cohort(house.programme.id, now), now)
    used = people.invite(people.cohort(house.programme.id, now), now)
    admit.sign_up(secret=used, password=people.PASSWORD, now=now)
    people.token(artist, now)
    looked = _looks(artist)
    queued = generation.queued_video(artist, now)
    takes = generation.queued_takes(artist, now, takes=3, seconds=2)
    sheet = f"/studio/takes/{Video.objects.get(public_id=takes[0]).request}"

    faults: list[str] = []
    with _signed_in(new_browser_context, theme, None) as page:
        for address in (
            "/",
            "/policy",
            "/terms",
            f"/s/{share}",
            "/accounts/login/",
            "/accounts/password/reset/",
            "/nothing",
            "/check",
        ):
            faults += _check(page, address)
        page.get_by_role("button", name="Check it").click()
        page.get_by_text("Choose a file, or give the address").wait_for()
        faults += _look(page, "a check of nothing")
        page.get_by_label("or the address of a clip on view").fill(f"/s/{share}")
        page.get_by_role("button", name="Check it").click()
        page.get_by_text("On view here").wait_for()
        faults += _look(page, "a check of a clip on view")
        faults += _check(page, f"/invitation/{guest}")
        faults += _check(page, f"/invitation/{used}")
    with _signed_in(new_browser_context, theme, artist) as page:
        clips = [
            f"/studio/clips/{name}"
            for name in (on_view.video, refused.video, changes.video, asked.video, queued)
        ]
        for address in (
            "/studio",
            "/studio/shared",
            "/studio/terms",
            *clips,
            f"{clips[0]}/delete",
            f"/studio?remix={on_view.video}",
            "/studio?show=discarded",
            sheet,
            *looked,
        ):
            faults += _check(page, address)
        faults += _check(page, "/studio/tokens")
        page.get_by_label("Name").fill("night batch")
        page.get_by_role("button", name="Make the token").click()
        page.get_by_role("heading", name="Copy it now").wait_for()
        faults += _look(page, "a token just made")
    with _signed_in(new_browser_context, theme, house.reviewer) as page:
        faults += _check(page, "/desk")
        page.get_by_role("button", name="Take the next case").click()
        page.wait_for_url("**/desk/cases/*")
        for address in (page.url, "/desk/decided", "/desk/tokens"):
            faults += _check(page, address)
    with _signed_in(new_browser_context, theme, house.operator) as page:
        rooms = ("", "/cohorts", "/invitations", "/members", "/shares", "/tokens", "/staff-tokens", "/log")
        works = (
            "/rendering",
            "/styles",
            "/terms",
            "/policy",
            "/mark",
            "/traces",
            *_traces(house, on_view.video),
        )
        for address in (*(f"/office{room}" for room in rooms + works), f"/office/shares/{share}/revoke"):
            faults += _check(page, address)
        faults += _check(page, f"/office/clips/{on_view.video}")
    assert not faults, "\n".join(faults)
