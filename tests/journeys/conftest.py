"""A house with its staff and no artists yet, a render worker and a worker for everything else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, expect

from access.caller import Caller
from core import clock
from core.actors import system
from generation.services import variants
from programme.queries import ProgrammeView
from roles.roles import Role
from tests.factories import generation, people, review
from tests.rig.site import LiveSite
from tests.rig.workers import CeleryWorker

RENDERED = 90_000  # milliseconds that a render may take on a busy machine


@dataclass(frozen=True, slots=True)
class House:
    programme: ProgrammeView
    operator: Caller
    reviewer: Caller


@pytest.fixture
def house(live_site: LiveSite, valkey: object) -> House:
    """Both variants are the built-in model, with few steps: what is slow here is proved elsewhere."""
    now = clock.now()
    programme = people.programme(now)
    for spec, steps in ((generation.TURBO, 6), (generation.FULL, 12)):
        real = {
            "backend": "diffusers",
            "checkpoint": "builtin",
            "steps": steps,
            "sizes": ("640x360", "1280x720"),
        }
        variants.put(
            programme_id=programme.id,
            programme=programme.public_id,
            spec=spec.__class__(**({name: getattr(spec, name) for name in spec.__slots__} | real)),
            by=system("test"),
            now=now,
        )
    review.put_policy(programme.id, now)
    return House(
        programme=programme,
        operator=people.holder(Role.OPERATOR, now, name="Mirre Halloran"),
        reviewer=people.holder(Role.REVIEWER, now, name="Tomas Iravel"),
    )


@pytest.fixture
def workers(
    house: House,
    celery_worker_process: CeleryWorker,
    celery_beat: None,
    start_celery_worker: Callable[..., CeleryWorker],
) -> None:
    start_celery_worker("render.turbo", "render.full", "copies")


def sign_in(page: Page, email: str, password: str = people.PASSWORD) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda address: "/accounts/" not in address)


def approve(page: Page, seconds: float = RENDERED / 1000) -> None:
    """Approves the case; the desk keeps the form while the copy for the public is being made."""
    expect(page.locator("video")).to_be_visible(timeout=RENDERED)
    page.get_by_role("radio", name="Show it").check()
    deadline = time.monotonic() + seconds
    while "/cases/" in page.url:
        assert time.monotonic() < deadline, "the copy for the public was never made"
        page.locator("[data-decide]").click()
        page.wait_for_load_state()
        page.wait_for_timeout(500)
