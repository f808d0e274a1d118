"""Who enters the office, and by which method."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from access.caller import Caller
from audit.models import AuditEvent

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db

PAGES = [
    "/office",
    "/office/cohorts",
    "/office/invitations",
    "/office/members",
    "/office/shares",
    "/office/tokens",
    "/office/staff-tokens",
    "/office/log",
    "/office/terms",
    "/office/policy",
]


@pytest.mark.parametrize("path", PAGES)
def test_only_operators_enter(
    path: str, artist: Caller, reviewer: Caller, operator: Caller, sign_in: SignIn
) -> None:
    assert sign_in(operator).get(path).status_code == 200
    assert sign_in(artist).get(path).status_code == 403
    assert sign_in(reviewer).get(path).status_code == 403
    assert Client().get(path).status_code == 302


@pytest.mark.parametrize("path", PAGES)
def test_reading_a_page_writes_nothing(path: str, artist: Caller, operator: Caller, sign_in: SignIn) -> None:
    client = sign_in(operator)
    before = AuditEvent.objects.count()

    client.get(path)

    assert AuditEvent.objects.count() == before


def test_every_address_that_changes_something_wants_a_post_with_its_token(
    artist: Caller, operator: Caller, stopped_clock: object
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(get_user_model().objects.get(pk=operator.user_id))
    addresses = [path for path in _office_addresses() if not path.endswith((".mp4", ".jpg"))]
    assert len(addresses) > 12

    for path in addresses:
        assert strict.post(path).status_code in {403, 405}, path
        if path.endswith(("/revoke", "/suspend", "/reinstate")) and "/shares/" not in path:
            assert strict.get(path).status_code == 405, path


def test_what_is_not_there_is_404(artist: Caller, operator: Caller, sign_in: SignIn) -> None:
    client = sign_in(operator)

    for path in ("/office/clips/video_x", "/office/clips/video_x/video.mp4", "/office/shares/s_x/revoke"):
        assert client.get(path).status_code == 404
    for path in (
        "/office/cohorts/coh_x",
        "/office/invitations/inv_x/revoke",
        "/office/members/mem_x/suspend",
        "/office/members/mem_x/reinstate",
        "/office/tokens/tok_x/revoke",
        "/office/staff-tokens/tok_x/revoke",
    ):
        assert client.post(path).status_code == 404, path


def _office_addresses() -> list[str]:
    import re

    from django.urls import URLResolver

    def walk(resolver: URLResolver, prefix: str) -> list[str]:
        found: list[str] = []
        for pattern in resolver.url_patterns:
            route = prefix + str(pattern.pattern)
            found += walk(pattern, route) if isinstance(pattern, URLResolver) else [route]
        return found

    routes = [route for route in walk(get_resolver(), "/") if route.startswith("/office")]
    return [re.sub(r"<[^>]+>", "unknown", route) for route in routes]


@pytest.mark.parametrize("path", ["/office", "/office/cohorts"])
def test_fixed_pages_have_few_queries(path: str, artist: Caller, operator: Caller, sign_in: SignIn) -> None:
    client = sign_in(operator)

    with CaptureQueriesContext(connection) as queries:
        client.get(path)

    assert len(queries) <= 16
