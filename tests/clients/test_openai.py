"""Clients that know nothing of us: the story, with the versions of `openai` that send JSON and multipart."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from access.kinds import TokenKind
from core import clock
from core.actors import system
from generation.models import Stage
from generation.services import variants
from roles.roles import Role
from tests.clients import venvs
from tests.factories import people
from tests.factories.generation import FULL, LANE, TURBO, put_variants
from tests.factories.review import put_policy
from tests.rig.site import LiveSite
from tests.rig.workers import CeleryWorker

HERE = Path(__file__).parent
VERSIONS = ("2.2.0", "3.54.0")


def interpreter(version: str) -> Path:
    try:
        return venvs.python_of(f"openai-{version}", HERE / f"openai-{version}.txt")
    except venvs.CannotInstall as fault:
        pytest.fail(str(fault))


def tokens() -> list[str]:
    now = clock.now()
    programme = people.programme(now)
    put_variants(programme.id, now)
    put_policy(programme.id, now)
    for spec in (TURBO, replace(FULL, slug="final-1", name="Final", stage=Stage.FINAL, queue=LANE)):
        variants.put(
            programme_id=programme.id,
            programme=programme.public_id,
            spec=replace(spec, images=True),
            by=system("test"),
            now=now,
        )
    artist = people.artist(people.cohort(programme.id, now), now, name="Oda Venn")
    reviewer = people.holder(Role.REVIEWER, now, name="Mirre Halloran")
    operator = people.holder(Role.OPERATOR, now, name="Sanne Duif")
    return [
        people.token(artist, now).secret,
        people.token(reviewer, now, kind=TokenKind.REVIEWER).secret,
        people.token(operator, now, kind=TokenKind.OPERATOR).secret,
    ]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_unmodified_client_plays_the_whole_story(
    live_site: LiveSite, start_celery_worker: Callable[..., CeleryWorker], version: str
) -> None:
    python = interpreter(version)
    borne = tokens()
    start_celery_worker("render.turbo", "default", "copies")

    played = subprocess.run(
        [str(python), "-I", str(HERE / "story.py"), live_site.url, *borne],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    assert played.returncode == 0, played.stdout + played.stderr
    told = json.loads(played.stdout)
    assert told["openai"] == version
    assert told["videos"] == 14
