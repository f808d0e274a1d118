"""Styles: who may use which, and what an order becomes in one."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from access.caller import Caller
from core.errors import Invalid, NotFound
from generation.models import ModelVariant, StylePreset
from generation.queries import styles as reading
from generation.rules import LONGEST_PROMPT
from generation.services import looks, styles
from generation.services.looks import Look
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView
from programme.queries import cohorts as cohorts_of
from tests.factories import people
from tests.factories.generation import put_variants
from tests.factories.looks import add_adapter, member_of, programme_style, refused

pytestmark = pytest.mark.django_db

RISO = StyleSpec(
    name="Riso",
    description="Two inks on rough paper.",
    template="{prompt}, two-colour risograph print",
    negative_prompt="photograph",
    guidance=5.5,
)


def turbo(programme: ProgrammeView, **changes: Any) -> ModelVariant:
    row = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()
    return row


def names(caller: Caller) -> list[str]:
    return [view.name for view in reading.usable(member_of(caller))]


def look(caller: Caller, variant: ModelVariant, **order: Any) -> Look:
    return looks.resolve(member=member_of(caller), variant=variant, **({"prompt": "a red boat"} | order))


def test_a_style_puts_the_prompt_in_its_place_and_joins_what_is_not_wanted(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)

    made = look(artist, turbo(programme), style=style, negative_prompt="text, ")

    assert made == Look(
        styled_prompt="a red boat, two-colour risograph print",
        negative_prompt="photograph, text",
        guidance=5.5,
        style=StylePreset.objects.get(public_id=style).pk,
        adapter=None,
        adapter_weight=None,
    )


def test_braces_other_than_the_place_are_text_in_template_and_prompt(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, StyleSpec(name="Braces", template="{0} {prompt} {x!r} %s {{}}"), now)

    made = look(artist, turbo(programme), style=style, prompt="a {prompt} of {name}")

    assert made.styled_prompt == "{0} a {prompt} of {name} {x!r} %s {{}}"


def test_without_a_style_the_variant_decides(
    artist: Caller, programme: ProgrammeView, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    variant = turbo(programme, guidance=3.25)

    with django_assert_num_queries(0):
        made = look(artist, variant, negative_prompt=" rain ")

    assert made == Look(styled_prompt="", negative_prompt="rain", guidance=3.25)


def test_a_style_without_guidance_leaves_the_variants(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, StyleSpec(name="Plain"), now)

    assert look(artist, turbo(programme, guidance=3.25), style=style).guidance == 3.25


def test_refuses_a_prompt_that_is_too_long_in_the_style(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)
    room = LONGEST_PROMPT - len(RISO.template) + len("{prompt}")
    variant = turbo(programme)

    assert len(look(artist, variant, style=style, prompt="x" * room).styled_prompt) == 2000
    refusal = refused(
        lambda: look(artist, variant, style=style, prompt="x" * (room + 7)),
        Invalid,
        "prompt_too_long",
        "prompt",
    )

    assert "Shorten it by 7." in refusal.sentence


@pytest.mark.parametrize("text", ["x" * 1001, "nul \0"])
def test_refuses_a_negative_prompt_that_is_none(artist: Caller, programme: ProgrammeView, text: str) -> None:
    variant = turbo(programme)

    refused(
        lambda: look(artist, variant, negative_prompt=text),
        Invalid,
        "invalid_negative_prompt",
        "negative_prompt",
    )


def test_a_style_is_found_by_name_the_members_own_first(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    own = styles.create(caller=artist, spec=StyleSpec(name="Riso", template="mine: {prompt}"), now=now)
    shared = programme_style(programme, RISO, now)
    variant = turbo(programme)

    for written in ("Riso", "riso", " RISO "):
        assert look(artist, variant, style=written).styled_prompt == "mine: a red boat"
    assert look(artist, variant, style=shared).styled_prompt.startswith("a red boat, two")
    assert look(other_artist, variant, style="Riso").styled_prompt.startswith("a red boat, two")

    styles.retire(caller=artist, style=own, now=now)
    assert look(artist, variant, style="Riso").styled_prompt.startswith("a red boat, two")


def test_what_is_not_the_members_is_as_unknown_as_what_never_was(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    """Foreign, of another cohort, of another programme: the same sentence, and in no list."""
    elsewhere = people.programme(now)
    put_variants(elsewhere.id, now)
    other_cohort = people.cohort(programme.id, now)
    closed = next(view.public_id for view in cohorts_of(programme.id) if view.id == other_cohort)
    hidden = [
        styles.create(caller=other_artist, spec=StyleSpec(name="Foreign"), now=now),
        programme_style(programme, StyleSpec(name="Closed", cohorts=(closed,)), now),
        programme_style(elsewhere, StyleSpec(name="Elsewhere"), now),
        "style_neverwas",
    ]
    variant = turbo(programme)

    sentences = {
        refused(
            partial(look, artist, variant, style=style), Invalid, "unknown_style", "style"
        ).sentence.replace(style, "X")
        for style in hidden
    }

    assert sentences == {"There is no style “X” that you can use here."}
    assert names(artist) == []
    insider = people.artist(other_cohort, now)
    assert names(insider) == ["Closed"]
    assert look(insider, variant, style="Closed").style is not None


def test_a_retired_style_is_named_as_such_and_leaves_the_list(
    artist: Caller, programme: ProgrammeView, operator: Caller, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)
    assert names(artist) == ["Riso"]

    styles.retire_for_programme(programme=programme, style=style, by=operator.actor, now=now)

    assert names(artist) == []
    variant = turbo(programme)
    refused(lambda: look(artist, variant, style=style), Invalid, "style_retired", "style")
    with pytest.raises(NotFound):
        styles.retire_for_programme(programme=programme, style=style, by=operator.actor, now=now)
    assert programme_style(programme, RISO, now) != style


def test_an_adapters_style_is_refused_where_the_variant_cannot_load_it(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    adapter = add_adapter(programme, now)
    style = programme_style(programme, StyleSpec(name="Ink", adapter=adapter, adapter_weight=0.8), now)
    variant = turbo(programme, adapters=False)

    refused(lambda: look(artist, variant, style=style), Invalid, "style_for_another_model", "style")
    variant = turbo(programme, adapters=True, checkpoint="somewhere/else")
    refused(lambda: look(artist, variant, style=style), Invalid, "style_for_another_model", "style")
    variant = turbo(programme, checkpoint="builtin")
    made = look(artist, variant, style=style)

    assert (made.adapter, made.adapter_weight) == (StylePreset.objects.get(public_id=style).adapter_id, 0.8)
    (view,) = reading.usable(member_of(artist))
    assert view.fits(checkpoint="builtin", adapters=True)
    assert not view.fits(checkpoint="builtin", adapters=False)
    assert not view.fits(checkpoint="other", adapters=True)


def test_resolving_costs_one_statement_and_one_more_with_an_adapter(
    artist: Caller, programme: ProgrammeView, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    programme_style(programme, RISO, now)
    programme_style(programme, StyleSpec(name="Ink", adapter=add_adapter(programme, now)), now)
    variant = turbo(programme, adapters=True)

    with django_assert_num_queries(1):
        look(artist, variant, style="Riso")
    with django_assert_num_queries(2):
        look(artist, variant, style="Ink")


def test_lists_cost_the_same_however_long_they_are(
    artist: Caller, programme: ProgrammeView, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    cohort = cohorts_of(programme.id)[0].public_id
    adapter = add_adapter(programme, now, cohorts=(cohort,))
    for number in range(4):
        spec = StyleSpec(name=f"Style {number}", adapter=adapter, cohorts=(cohort,), position=4 - number)
        programme_style(programme, spec, now)
    styles.create(caller=artist, spec=StyleSpec(name="Zebra", adapter=adapter), now=now)

    with django_assert_num_queries(1):
        found = reading.usable(member_of(artist))
    with django_assert_num_queries(2):
        office = reading.styles_of(programme.id)
    with django_assert_num_queries(3):
        (shown,) = reading.adapters_of(programme.id)

    assert [view.name for view in found] == ["Zebra", "Style 3", "Style 2", "Style 1", "Style 0"]
    assert [view.own for view in found] == [True, False, False, False, False]
    assert {row.cohorts[0][0] for row in office} == {cohort}
    assert "Zebra" not in {row.style.name for row in office}, (
        "a member's own style is not the office's to see"
    )
    assert set(shown.styles) == {"Style 0", "Style 1", "Style 2", "Style 3"}


def test_changing_a_style_leaves_what_was_made_with_it(
    artist: Caller, programme: ProgrammeView, operator: Caller, now: datetime
) -> None:
    style = programme_style(programme, RISO, now)
    later = now + timedelta(hours=1)

    styles.change_for_programme(
        programme=programme,
        style=style,
        spec=StyleSpec(name=" Ink ", template="ink: {prompt}"),
        by=operator.actor,
        now=later,
    )

    made = look(artist, turbo(programme), style="Ink")
    assert (made.styled_prompt, made.negative_prompt) == ("ink: a red boat", "")
    row = StylePreset.objects.get(public_id=style)
    assert (row.created_at, row.created_by) == (now, "system:test")
