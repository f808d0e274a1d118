"""The remote backend against another Private View: the real web process, a real worker, a member's token."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np
import pytest

from access.caller import Caller
from access.services import tokens
from core import clock
from generation.backends.remote.backend import RemoteBackend
from generation.backends.remote.limits import Limits
from generation.errors import EngineError, RenderCancelled, SpecRejected, Transient
from generation.models import Video
from generation.spec import Frames, RenderSpec
from programme import queries as programmes
from tests.factories import people
from tests.factories.generation import LANE, PROMPT, TURBO, put_variants
from tests.rig.site import LiveSite
from tests.rig.workers import CeleryWorker

SPEC = RenderSpec(
    prompt=PROMPT, seed=11, width=640, height=360, seconds=2, fps=24, steps=TURBO.steps, guidance=2.0
)
StartWorker = Callable[..., CeleryWorker]


@dataclass(frozen=True)
class House:
    """The other house, and what of ours is a member there."""

    backend: RemoteBackend
    member: Caller
    token_id: str

    @property
    def membership(self) -> int:
        assert self.member.membership is not None
        return self.member.membership.id

    def quota(self) -> tuple[int, int]:
        """Seconds of the day that are reserved, and used."""
        today = programmes.quota_today(self.membership, clock.now())
        return today.reserved, today.used


@pytest.fixture
def enter(live_site: LiveSite) -> Iterator[Callable[..., House]]:
    with ExitStack() as stack:

        def join(*, model: str = TURBO.slug, daily_seconds: int = people.DAILY_SECONDS) -> House:
            now = clock.now()
            programme = people.programme(now)
            put_variants(programme.id, now)
            member = people.artist(
                people.cohort(programme.id, now, daily_seconds=daily_seconds), now, name="Nightly"
            )
            token = people.token(member, now)
            limits = Limits(first_pause=0.1, outage=5)
            backend = RemoteBackend(f"{live_site.url}/v1", token.secret, model, limits=limits)
            stack.callback(backend.close)
            return House(backend, member, token.public_id)

        yield join


def render(backend: RemoteBackend, spec: RenderSpec = SPEC) -> tuple[Frames, list[tuple[int, int]]]:
    reports: list[tuple[int, int]] = []
    (frames,) = backend.render([spec], progress=lambda *told: reports.append(told), cancelled=lambda: False)
    return frames, reports


def test_clip_is_rendered_there_fetched_and_cleared_away(
    enter: Callable[..., House], start_celery_worker: StartWorker
) -> None:
    house = enter()
    start_celery_worker(f"render.{LANE}", "copies")

    frames, reports = render(house.backend)
    again, _ = render(house.backend)

    assert reports == [(done, SPEC.steps) for done in range(SPEC.steps + 1)]
    assert (frames.count, frames.width, frames.height) == (48, 640, 360)
    assert frames.completed_prompt == house.backend.complete_prompt(SPEC.prompt, SPEC.seed)
    images, others = list(frames.images), list(again.images)
    assert len(images) == len(others) == 48
    # The other house marks each copy with a plate of its own somewhere, and a number of its own, faintly, everywhere.
    for one, other in zip(images, others, strict=True):
        apart = np.abs(one.astype(int) - other.astype(int))
        assert np.median(apart) <= 3
        assert (apart > 12).mean() < 0.1
    assert not Video.objects.filter(deleted_at=None).exists()
    assert house.quota() == (0, 4)


def test_stop_here_cancels_there_and_gives_the_quota_back(enter: Callable[..., House]) -> None:
    house = enter()
    reports: list[int] = []

    with pytest.raises(RenderCancelled):
        house.backend.render(
            [SPEC], progress=lambda done, _: reports.append(done), cancelled=lambda: bool(reports)
        )

    assert Video.objects.get().state == "cancelled"
    assert house.quota() == (0, 0)


def test_what_the_other_house_does_not_make_is_refused_before_it_is_asked(
    enter: Callable[..., House],
) -> None:
    house = enter()

    with pytest.raises(SpecRejected, match="640 × 360") as refusal:
        render(house.backend, RenderSpec(PROMPT, 1, 320, 180, 2, 24, 8, 2.0))

    assert refusal.value.code == "unsupported_size"
    assert not Video.objects.exists()


def test_refusal_of_the_other_house_comes_in_its_words(enter: Callable[..., House]) -> None:
    house = enter()

    with pytest.raises(SpecRejected) as refusal:
        render(house.backend, RenderSpec("  ", 1, 640, 360, 2, 24, 8, 2.0))

    assert refusal.value.code == "refused_by_server"
    assert refusal.value.sentence.endswith(".")
    assert not Video.objects.exists()


def test_model_that_the_other_house_does_not_have_is_ours_to_mend(enter: Callable[..., House]) -> None:
    house = enter(model="nobody-2")

    with pytest.raises(EngineError, match="does not have this model") as fault:
        render(house.backend)

    assert not isinstance(fault.value, SpecRejected | Transient)


def test_quota_that_is_used_up_there_ends_the_attempt_at_once(enter: Callable[..., House]) -> None:
    house = enter(daily_seconds=1)

    with pytest.raises(Transient, match="429"):
        render(house.backend)

    assert not Video.objects.exists()


def test_token_that_was_revoked_there_is_ours_to_mend(enter: Callable[..., House]) -> None:
    house = enter()
    tokens.revoke(token=house.token_id, by=house.member.actor, now=clock.now())

    with pytest.raises(EngineError, match="401 token_revoked") as fault:
        render(house.backend)

    assert not isinstance(fault.value, SpecRejected | Transient)
