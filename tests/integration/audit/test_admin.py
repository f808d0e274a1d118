"""The Django admin shows the floor to operators and lets nobody edit it: services are the only writers."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.apps import apps
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from access.kinds import TokenKind
from accounts.models import User
from programme.services import quotas
from roles.roles import Role
from tests.factories import people
from tests.factories.floor import everything

pytestmark = pytest.mark.django_db
PARTS = ("accounts", "roles", "programme", "access", "audit")
LISTS = [
    model
    for part in PARTS
    for model in apps.get_app_config(part).get_models()
    if model in admin.site._registry
]


@pytest.fixture
def operator(now: datetime) -> Client:
    """Signed in, with a row in every list."""
    artist = people.artist(people.cohort(people.programme(now).id, now), now, name="Ada")
    people.token(artist, now, kind=TokenKind.ARTIST)
    assert artist.membership is not None
    quotas.reserve(membership_id=artist.membership.id, video="video_a", seconds=4, now=now)
    user = User.objects.get(id=people.holder(Role.OPERATOR, now).user_id)
    browser = Client()
    browser.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")
    return browser


def test_every_table_but_the_head_of_the_log_has_its_list() -> None:
    missing = {
        model.__name__
        for part in PARTS
        for model in apps.get_app_config(part).get_models()
        if model not in LISTS
    }

    assert missing == {"AuditHead"}


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_a_list_is_shown_and_nothing_in_it_can_be_edited(model: type[Model], operator: Client) -> None:
    meta = model._meta
    name = f"admin:{meta.app_label}_{meta.model_name}"
    row = model._default_manager.first()
    assert row is not None
    pages = {
        "list": reverse(f"{name}_changelist"),
        "one": reverse(f"{name}_change", args=[row.pk]),
        "search": reverse(f"{name}_changelist") + "?q=ada",
    }
    before = everything()

    assert {page: operator.get(path).status_code for page, path in pages.items()} == dict.fromkeys(pages, 200)
    assert operator.get(reverse(f"{name}_add")).status_code == 403
    assert operator.post(reverse(f"{name}_add"), {}).status_code == 403
    assert operator.post(pages["one"], {}).status_code == 403
    assert operator.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    operator.post(pages["list"], {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})
    assert everything() == before


@pytest.mark.parametrize("model", LISTS, ids=lambda model: model._meta.label_lower)
def test_reviewers_and_artists_do_not_get_in(model: type[Model], now: datetime) -> None:
    meta = model._meta
    browser = Client()
    user = User.objects.get(id=people.holder(Role.REVIEWER, now).user_id)
    browser.force_login(user, "allauth.account.auth_backends.AuthenticationBackend")

    answer = browser.get(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist"))

    assert answer.status_code == 302
    assert "/admin/login/" in answer["Location"]
