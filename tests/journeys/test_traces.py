"""A trace runs while somebody is on its page: what they hold, select and hear is left alone."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from core import clock
from generation.services import traces
from tests.journeys.conftest import House, sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
NewContext = Callable[..., BrowserContext]
# Counts how often a screen reader would be told something, and marks what must not be made anew.
WATCH = """() => {
    const state = document.querySelector('[role=status]');
    window.spoken = [];
    const note = () => window.spoken.push(state.textContent.trim());
    new MutationObserver(note).observe(state, {childList: true, subtree: true, characterData: true});
    for (const part of [state, document.querySelector('form .btn')]) part.kept = true;
}"""
KEPT = "document.querySelector('{}').kept === true"


@pytest.fixture
def page(house: House, new_browser_context: NewContext) -> Page:
    """Of a trace that waits, in the office."""
    file = io.BytesIO(b"a file that nobody looks into here")
    trace = traces.ask(
        caller=house.operator, programme=house.programme, file=file, name="leak.mp4", now=clock.now()
    )
    made = new_browser_context(viewport={"width": 1280, "height": 800}).new_page()
    sign_in(made, house.operator.email)
    made.goto(f"/office/traces/{trace}")
    made.evaluate(WATCH)
    return made


def test_progress_takes_neither_the_focus_nor_what_is_selected_and_a_state_is_spoken_once(page: Page) -> None:
    page.get_by_role("button", name="Stop the trace").focus()
    page.evaluate("getSelection().selectAllChildren(document.querySelector('dd.code'))")
    selected = page.evaluate("getSelection().toString()")
    assert len(selected) == 64
    with page.expect_response("**/answer?shown=waiting"):
        pass

    job = traces.claim_next(now=clock.now())
    assert job is not None
    expect(page.get_by_role("status")).to_have_text("Looking")
    traces.tell(job=job, done=2, total=7, stage="its still frames")
    expect(page.get_by_text("Step 3 of 7: its still frames.")).to_be_visible()
    page.wait_for_timeout(3000)

    assert page.evaluate("document.activeElement.textContent") == "Stop the trace"
    assert page.evaluate(KEPT.format("form .btn"))
    assert page.evaluate(KEPT.format("[role=status]"))
    assert page.evaluate("getSelection().toString()") == selected
    assert page.evaluate("window.spoken") == ["Looking"]
    assert Axe().run(page).response["violations"] == []

    assert traces.refuse(job=job, sentence="It is no video.", now=clock.now())
    expect(page.get_by_text("It is no video.")).to_be_visible()
    expect(page.locator("form .btn, main [hx-get]")).to_have_count(0)


def test_a_press_that_lasts_longer_than_a_second_stops_the_trace(page: Page) -> None:
    button = page.get_by_role("button", name="Stop the trace").bounding_box()
    assert button is not None
    page.mouse.move(button["x"] + button["width"] / 2, button["y"] + button["height"] / 2)
    page.mouse.down()
    page.wait_for_timeout(2500)
    page.mouse.up()

    expect(page.get_by_text("The trace was stopped, and the file is gone.")).to_be_visible()


def test_without_a_script_the_page_loads_anew_and_tells_how_it_stands(
    page: Page, house: House, new_browser_context: NewContext
) -> None:
    plain = new_browser_context(java_script_enabled=False).new_page()
    sign_in(plain, house.operator.email)
    plain.goto(page.url)
    expect(plain.get_by_role("status")).to_have_text("Waiting")

    assert traces.claim_next(now=clock.now()) is not None
    expect(plain.get_by_role("status")).to_have_text("Looking", timeout=15_000)
    plain.get_by_role("button", name="Stop the trace").click()
    expect(plain.get_by_text("The trace was stopped")).to_be_visible()
