"""Styles are written down, changed and retired by those who may."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import pytest

from access.caller import Caller
from audit.models import AuditEvent
from core.actors import system
from core.errors import DomainError, Invalid, NotAllowed, NotFound, WrongState
from generation import look_rules
from generation.models import Video
from generation.queries import styles as reading
from generation.rules import Order
from generation.services import adapters, characters, requests, styles
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView
from tests.factories import people
from tests.factories.generation import PROMPT
from tests.factories.looks import add_adapter, member_of, programme_style, unchanged

pytestmark = pytest.mark.django_db

RISO = StyleSpec(
    name="Riso",
    description="Two inks on rough paper.",
    template="{prompt}, two-colour risograph print",
    negative_prompt="photograph",
    guidance=5.5,
)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"name": "two\nlines"}, "name"),
        ({"name": "nul \0"}, "name"),
        ({"description": "x" * 201}, "description"),
        ({"template": "no place"}, "template"),
        ({"template": "{prompt} and {prompt}"}, "template"),
        ({"template": "{prompt}" + "x" * 500}, "template"),
        ({"template": "{prompt} \ud800"}, "template"),
        ({"negative_prompt": "x" * 1001}, "negative_prompt"),
        ({"guidance": -0.1}, "guidance"),
        ({"guidance": float("nan")}, "guidance"),
        ({"guidance": float("inf")}, "guidance"),
        ({"adapter_weight": 2.1}, "adapter_weight"),
        ({"adapter_weight": float("nan")}, "adapter_weight"),
        ({"position": -1}, "position"),
        ({"position": 40_000}, "position"),
        ({"adapter": "lora_neverwas"}, "adapter"),
        ({"cohorts": ("coh_neverwas",)}, "cohorts"),
    ],
)
def test_a_style_that_cannot_be_is_refused_and_changes_nothing(
    artist: Caller,
    operator: Caller,
    programme: ProgrammeView,
    now: datetime,
    change: dict[str, Any],
    field: str,
) -> None:
    spec = StyleSpec(**({"name": "Ink"} | change))
    style = programme_style(programme, RISO, now)

    def create() -> object:
        return styles.create_for_programme(programme=programme, spec=spec, by=operator.actor, now=now)

    for deed in (
        create,
        lambda: styles.create(caller=artist, spec=spec, now=now),
        lambda: styles.change_for_programme(
            programme=programme, style=style, spec=spec, by=operator.actor, now=now
        ),
    ):
        with unchanged(), pytest.raises(Invalid) as refusal:
            deed()
        assert field in refusal.value.fields


def test_a_name_is_there_once_for_each_owner(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, operator: Caller, now: datetime
) -> None:
    mine = StyleSpec(name="Étude")
    programme_style(programme, RISO, now)
    styles.create(caller=artist, spec=mine, now=now)
    styles.create(caller=other_artist, spec=mine, now=now)
    ink = styles.create(caller=artist, spec=StyleSpec(name="Ink"), now=now)

    for name in (RISO.name, RISO.name.upper()):
        with unchanged(), pytest.raises(WrongState, match="There is a style") as refusal:
            programme_style(programme, StyleSpec(name=name), now)
        assert refusal.value.code == "name_taken"
    for name in ("Étude", "éTUDE", "  E\u0301tude ", RISO.name, RISO.name.lower()):
        spec = StyleSpec(name=name)
        for deed in (
            lambda spec=spec: styles.create(caller=artist, spec=spec, now=now),
            lambda spec=spec: styles.change(caller=artist, style=ink, spec=spec, now=now),
        ):
            with unchanged(), pytest.raises(WrongState) as refusal:
                deed()
            assert refusal.value.code == "name_taken"


def test_a_name_that_the_programme_takes_up_later_stays_the_members_own_style(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    own = styles.create(caller=artist, spec=StyleSpec(name="Riso", template="{prompt}, mine"), now=now)
    theirs = programme_style(programme, StyleSpec(name="riso", template="{prompt}, theirs"), now)

    styles.change(caller=artist, style=own, spec=StyleSpec(name="RISO", template="{prompt}, mine"), now=now)

    for caller, style in ((artist, own), (other_artist, theirs)):
        (video,) = requests.submit(caller=caller, order=Order(PROMPT, style="Riso"), now=now)
        assert Video.objects.get(public_id=video).style.public_id == style  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name",
    ["a\u202eb", "a\u200bb", "\u200b", "a\u0000b", "a\nb", "\u3164", "\u2800", "\u00a0", "", "\ue000"],
    ids=ascii,
)
def test_a_name_that_cannot_be_seen_or_turns_the_line_around_is_refused(
    artist: Caller, now: datetime, name: str
) -> None:
    with unchanged(), pytest.raises(Invalid) as style:
        styles.create(caller=artist, spec=StyleSpec(name=name), now=now)
    with unchanged(), pytest.raises(Invalid) as character:
        characters.create(caller=artist, name=name, pictures=["ref_none"], now=now)

    assert set(style.value.fields) == set(character.value.fields) == {"name"}


def test_nobody_changes_or_retires_what_is_not_theirs(
    artist: Caller,
    other_artist: Caller,
    reviewer: Caller,
    operator: Caller,
    programme: ProgrammeView,
    now: datetime,
) -> None:
    shared = programme_style(programme, RISO, now)
    own = styles.create(caller=artist, spec=StyleSpec(name="Ink"), now=now)
    elsewhere = people.programme(now)
    cases: list[tuple[Callable[[], object], type[DomainError]]] = [
        (lambda: styles.change(caller=other_artist, style=own, spec=RISO, now=now), NotFound),
        (lambda: styles.retire(caller=other_artist, style=own, now=now), NotFound),
        (lambda: styles.change(caller=artist, style=shared, spec=RISO, now=now), NotFound),
        (lambda: styles.retire(caller=artist, style=shared, now=now), NotFound),
        (
            lambda: styles.retire_for_programme(programme=programme, style=own, by=operator.actor, now=now),
            NotFound,
        ),
        (
            lambda: styles.retire_for_programme(
                programme=elsewhere, style=shared, by=operator.actor, now=now
            ),
            NotFound,
        ),
    ]
    for person in (artist, reviewer):
        cases += [
            (
                partial(
                    styles.create_for_programme,
                    programme=programme,
                    spec=StyleSpec(name="New"),
                    by=person.actor,
                    now=now,
                ),
                NotAllowed,
            ),
            (
                partial(
                    styles.retire_for_programme, programme=programme, style=shared, by=person.actor, now=now
                ),
                NotAllowed,
            ),
        ]

    for deed, refusal in cases:
        with unchanged(), pytest.raises(refusal):
            deed()


@pytest.mark.parametrize("who", ["suspended_artist", "artist_without_terms", "reviewer", "operator"])
def test_whoever_may_not_render_keeps_no_new_style(
    who: str, request: pytest.FixtureRequest, now: datetime
) -> None:
    caller: Caller = request.getfixturevalue(who)

    with unchanged(), pytest.raises(NotAllowed):
        styles.create(caller=caller, spec=RISO, now=now)


def test_the_log_tells_what_operators_did_and_not_what_artists_keep_for_themselves(
    artist: Caller, programme: ProgrammeView, operator: Caller, now: datetime
) -> None:
    style = styles.create_for_programme(programme=programme, spec=RISO, by=operator.actor, now=now)
    styles.change_for_programme(programme=programme, style=style, spec=RISO, by=operator.actor, now=now)
    styles.retire_for_programme(programme=programme, style=style, by=operator.actor, now=now)
    before = AuditEvent.objects.count()
    own = styles.create(caller=artist, spec=RISO, now=now)
    styles.change(caller=artist, style=own, spec=RISO, now=now)
    styles.retire(caller=artist, style=own, now=now)

    assert AuditEvent.objects.count() == before
    events = list(AuditEvent.objects.filter(target=style).order_by("seq"))
    assert [event.action for event in events] == ["style.created", "style.changed", "style.retired"]
    assert {event.actor for event in events} == {str(operator.actor)}
    assert events[0].data["template"] == RISO.template


def test_a_member_keeps_a_limited_number_of_styles(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_rules, "MOST_STYLES", 2)
    first = styles.create(caller=artist, spec=StyleSpec(name="One"), now=now)
    styles.create(caller=artist, spec=StyleSpec(name="Two"), now=now)

    with unchanged(), pytest.raises(WrongState) as refusal:
        styles.create(caller=artist, spec=StyleSpec(name="Three"), now=now)
    assert refusal.value.code == "too_many_styles"

    styles.retire(caller=artist, style=first, now=now)
    styles.create(caller=artist, spec=StyleSpec(name="Three"), now=now)


def test_the_house_itself_may_write_styles_when_it_is_set_up(programme: ProgrammeView, now: datetime) -> None:
    assert styles.create_for_programme(programme=programme, spec=RISO, by=system("seed"), now=now)


def test_a_member_still_sees_their_style_when_its_adapter_is_gone(
    artist: Caller, other_artist: Caller, operator: Caller, programme: ProgrammeView, now: datetime
) -> None:
    adapter = add_adapter(programme, now)
    style = styles.create(caller=artist, spec=StyleSpec(name="Ink", adapter=adapter), now=now)
    adapters.retire_for_programme(programme=programme, adapter=adapter, by=operator.actor, now=now)
    mine, theirs = member_of(artist), member_of(other_artist)

    assert reading.usable(mine) == []
    assert [view.name for view in reading.own_styles(mine.id)] == ["Ink"]
    found = reading.own_style(style, mine.id)
    assert found is not None
    assert (found.adapter, found.own) == (adapter, True)
    assert reading.own_style(style, theirs.id) is None
    assert reading.own_styles(theirs.id) == []

    styles.change(caller=artist, style=style, spec=StyleSpec(name="Ink"), now=now)

    assert [view.name for view in reading.usable(mine)] == ["Ink"]
