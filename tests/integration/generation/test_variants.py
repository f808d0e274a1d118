"""Who may render with what: variants open to all, to cohorts, for drafts and finals, with pictures and LoRA files."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import partial

import pytest
from pytest_django import DjangoAssertNumQueries

from access.caller import Caller
from core.actors import system
from core.errors import Invalid, NotAllowed
from generation import queries
from generation.models import ModelVariant, Stage, Video
from generation.rules import Order
from generation.services import references, requests, variants
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView
from tests.factories import people
from tests.factories.generation import FULL, PROMPT, TURBO, queued_video
from tests.factories.looks import add_adapter, member_of, picture, programme_style, refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def insider(programme: ProgrammeView, now: datetime) -> Caller:
    """An artist of another cohort, to which alone the variant `full-1` is open."""
    inside = people.cohort(programme.id, now)
    spec = replace(FULL, cohorts=(inside,), images=True, adapters=True)
    variants.put(
        programme_id=programme.id, programme=programme.public_id, spec=spec, by=system("test"), now=now
    )
    return people.artist(inside, now, name="Ines Ider")


def _slugs(caller: Caller) -> list[str]:
    return [variant.slug for variant in queries.usable_variants(member_of(caller))]


def test_a_variant_with_cohorts_is_theirs_alone(artist: Caller, insider: Caller, now: datetime) -> None:
    assert _slugs(artist) == ["turbo-1"]
    assert _slugs(insider) == ["turbo-1", "full-1"]
    assert queued_video(insider, now, variant="full-1")

    closed = refused(lambda: queued_video(artist, now, variant="full-1"), Invalid, "unknown_model", "model")
    unknown = refused(lambda: queued_video(artist, now, variant="sora-9"), Invalid, "unknown_model", "model")
    assert closed.sentence == unknown.sentence.replace("sora-9", "full-1")


def test_a_member_to_whom_nothing_is_open_is_told_so(
    artist: Caller, insider: Caller, programme: ProgrammeView, now: datetime
) -> None:
    for row in ModelVariant.objects.all():
        row.cohorts.set([member_of(insider).cohort_id])

    refused(lambda: queued_video(artist, now), NotAllowed, "no_variant")
    assert requests.faults(caller=artist, order=Order(PROMPT)) == {}


def test_a_clip_keeps_its_variant_when_that_is_closed_later(
    artist: Caller, insider: Caller, now: datetime
) -> None:
    video = queued_video(artist, now)
    ModelVariant.objects.get(slug="turbo-1").cohorts.set([member_of(insider).cohort_id])

    clip = queries.own_clip(video, member_of(artist).id)
    assert clip is not None
    assert clip.variant_slug == "turbo-1"


def test_a_view_tells_what_a_variant_can(insider: Caller) -> None:
    draft, final = queries.usable_variants(member_of(insider))

    assert (draft.stage, draft.is_final, draft.images, draft.adapters) == (Stage.DRAFT, False, False, False)
    assert (final.stage, final.is_final, final.images, final.adapters) == (Stage.FINAL, True, True, True)


def test_usable_variants_are_one_statement(
    insider: Caller, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        queries.usable_variants(member_of(insider))


def test_a_picture_is_refused_where_the_model_takes_none_with_those_that_do(
    artist: Caller, insider: Caller, now: datetime
) -> None:
    for caller, able in ((insider, "These can: full-1."), (artist, "No model here can.")):
        start = references.upload(caller=caller, picture=picture(), now=now)

        refusal = refused(
            partial(queued_video, caller, now, reference=start),
            Invalid,
            "images_unsupported",
            "reference",
        )

        assert able in refusal.sentence


def test_a_lora_style_is_refused_where_the_model_loads_none_with_those_that_do(
    artist: Caller, insider: Caller, programme: ProgrammeView, now: datetime
) -> None:
    ink = add_adapter(programme, now)
    style = programme_style(programme, StyleSpec(name="Ink", adapter=ink), now)
    ModelVariant.objects.filter(slug=TURBO.slug).update(adapters=False)

    for caller, able in ((insider, "These can: full-1."), (artist, "No model here can.")):
        refusal = refused(
            partial(queued_video, caller, now, style=style),
            Invalid,
            "style_for_another_model",
            "style",
        )
        assert able in refusal.sentence
    (made,) = requests.submit(caller=insider, order=Order(PROMPT, variant="full-1", style=style), now=now)
    assert Video.objects.get(public_id=made).adapter is not None


def test_faults_of_look_and_picture_are_named_together(artist: Caller, now: datetime) -> None:
    order = Order(PROMPT, style="none such", reference="ref_none", negative_prompt="x")

    assert set(requests.faults(caller=artist, order=order)) == {"style", "reference"}
    assert not Video.objects.exists()
