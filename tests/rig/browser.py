"""A real browser: Playwright drives the system's Chromium."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from tests.rig import chromium
from tests.rig.site import LiveSite

_FLAGS = [
    "--no-sandbox",  # containers run as root, where Chromium's sandbox cannot
    "--disable-dev-shm-usage",  # /dev/shm has 64 MB in a container
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-default-apps",
    "--no-first-run",
    "--no-default-browser-check",
    "--metrics-recording-only",
    "--autoplay-policy=no-user-gesture-required",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = chromium.find()
    if program is None:
        pytest.fail(chromium.ADVICE)
    with sync_playwright() as playwright:
        # Playwright keeps an event loop running in this thread, and Django takes that for an async view.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
        running = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        yield running
        running.close()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture
def new_browser_context(browser: Browser, live_site: LiveSite) -> Iterator[Callable[..., BrowserContext]]:
    """Another person's browser: `new_browser_context(**options of Playwright)`. Relative addresses are the site's.

    Ends the test as failed when a page raised an error in its script or broke its own content policy.
    """
    opened: list[BrowserContext] = []
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            complaints.append(message.text)

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("console", note)

    def open_one(**options: Any) -> BrowserContext:
        context = browser.new_context(**({"base_url": live_site.url, "locale": "en-GB"} | options))
        context.set_default_timeout(15_000)
        context.on("page", watch)
        opened.append(context)
        return context

    yield open_one
    for context in opened:
        context.close()
    assert not complaints, "\n".join(complaints)


@pytest.fixture
def browser_page(new_browser_context: Callable[..., BrowserContext]) -> Page:
    """A page of a fresh browser, 1280 by 800."""
    return new_browser_context(viewport={"width": 1280, "height": 800}).new_page()
