"""A programme with three variants and two artists, made by the real services. Migrates first."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from tests.bench.installation import Installation

if TYPE_CHECKING:
    from generation.services.variants import VariantSpec

FILES, PACED, TURBO = "null-files", "null-paced", "turbo-1"
"""Brings its files; takes its time for each step; the built-in model. Each has a queue of its own name."""
STEP_SECONDS = 0.02
LENGTHS = (1, 2, 4)  # seconds of clip that the paced one makes
_DAY = 80_000  # seconds of clip that each may ask for


@dataclass(frozen=True)
class Member:
    """Who asks: a token, the cookie of a browser that is signed in, and the rows that big tables are made of."""

    token: str
    cookie: str
    membership_id: int
    variant_id: int


def furnish(house: Installation) -> tuple[Member, Member]:
    os.environ.update(house.env)
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    from core import clock
    from core.actors import system
    from generation import queries
    from generation.services import variants
    from tests.factories import people

    now = clock.now()
    programme = people.programme(now)
    for spec in _variants():
        variants.put(programme_id=programme.id, programme="bench", spec=spec, by=system("bench"), now=now)
    variant_id = queries.variants(programme.id)[0].id
    cohort = people.cohort(programme.id, now, daily_seconds=_DAY)
    members = []
    for name in ("Bench", "Press"):
        artist = people.artist(cohort, now, name=name)
        assert artist.membership is not None
        token = people.token(artist, now).secret
        members.append(Member(token, _sign_in(artist.user_id), artist.membership.id, variant_id))
    connection.close()
    return members[0], members[1]


def _variants() -> list[VariantSpec]:
    from config.demo import story
    from generation.services.variants import VariantSpec

    def null(slug: str, checkpoint: str, lengths: tuple[int, ...]) -> VariantSpec:
        return VariantSpec(
            slug=slug,
            name=slug,
            description="Prepared pictures.",
            backend="null",
            checkpoint=checkpoint,
            steps=8,
            guidance=1.0,
            sizes=("160x90",),
            lengths=lengths,
            queue=slug,
        )

    turbo = replace(story.TURBO, slug=TURBO, queue=TURBO, position=2)
    return [null(FILES, "files", (1,)), null(PACED, str(STEP_SECONDS), LENGTHS), turbo]


def _sign_in(user_id: int) -> str:
    """The Cookie header of a session of that person, as it is after the sign-in page."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model

    user = get_user_model()._default_manager.get(pk=user_id)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user_id)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
