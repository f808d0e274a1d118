"""Django's admin shows; it does not open a way around the services and the log."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.test import Client

from access.caller import Caller
from audit.models import AuditEvent
from core.admin import ReadOnlyAdmin
from generation.models import ModelVariant

pytestmark = pytest.mark.django_db
EDITABLE = {ModelVariant}


def test_whatever_is_registered_is_read_only_but_for_a_short_list() -> None:
    writable = {
        model for model, shown in admin.site._registry.items() if not isinstance(shown, ReadOnlyAdmin)
    }

    assert writable == EDITABLE


def test_a_variant_changed_there_stands_in_the_log(operator: Caller, programme: object) -> None:
    user = get_user_model().objects.get(pk=operator.user_id)
    client = Client()
    client.force_login(user)
    variant = ModelVariant.objects.get(slug="turbo-1")
    path = f"/admin/generation/modelvariant/{variant.pk}/change/"
    form = client.get(path).context["adminform"].form
    body = {name: form[name].value() for name in form.fields}
    # A field with a computed default carries what it showed in a hidden twin, as a browser sends it back.
    body |= {
        form[name].html_initial_name: body[name] for name in body if form.fields[name].show_hidden_initial
    }
    body["steps"] = 5

    answer = client.post(path, body)

    assert answer.status_code == 302
    assert ModelVariant.objects.get(pk=variant.pk).steps == 5
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.actor) == ("variant.put", f"user:{operator.actor.id}")
    assert event.data["changed"] == ["steps"]


def test_the_admin_has_no_sign_in_of_its_own(client: Client) -> None:
    answer = client.get("/admin/login/")

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    "path",
    [
        "/s/%00",
        "/?after=%00",
        "/studio?after=%00",
        "/studio/clips/%00",
        "/studio/shared?after=%00",
        "/desk/cases/%00",
        "/office/log?of=%00",
        "/invitation/%00",
    ],
)
def test_a_character_that_no_text_has_is_refused_with_a_page(
    client: Client, artist: Caller, path: str
) -> None:
    client.force_login(get_user_model().objects.get(pk=artist.user_id))

    answer = client.get(path)

    assert answer.status_code == 422
    assert "no text has" in answer.content.decode()


def test_a_form_with_such_a_character_is_refused(client: Client, artist: Caller) -> None:
    client.force_login(get_user_model().objects.get(pk=artist.user_id))

    assert client.post("/studio", {"prompt": "a\0boat"}).status_code == 422
