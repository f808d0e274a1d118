"""LoRA files: what is let in, where it lies, who may use it, and how it goes."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from access.caller import Caller
from audit import outbox
from audit.models import AuditEvent
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from generation import look_rules
from generation.models import Adapter, ModelVariant, Video
from generation.queries import styles as reading
from generation.services import adapters, files, looks, requests, styles
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView
from programme.queries import cohorts as cohorts_of
from tests.factories import people
from tests.factories.generation import completed_video, put_variants, queued_video
from tests.factories.looks import (
    add_adapter,
    load_adapters,
    lora,
    member_of,
    programme_style,
    refused,
)

pytestmark = pytest.mark.django_db


def add(caller: Caller, now: datetime, body: bytes, **more: Any) -> str:
    given: dict[str, Any] = {"name": "Mine", "variant": "turbo-1"} | more
    return adapters.add(caller=caller, file=io.BytesIO(body), now=now, **given)


def names(caller: Caller) -> list[str]:
    return [view.name for view in reading.usable_adapters(member_of(caller))]


def test_the_same_file_is_there_once_for_each_owner(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    shared = add_adapter(programme, now)
    mine = add(artist, now, lora())
    theirs = add(other_artist, now, lora())

    assert len({shared, mine, theirs}) == 3
    refusal = refused(lambda: add(artist, now, lora(), name="Other"), WrongState, "adapter_known")
    assert refusal.extra["adapter"] == mine
    refused(lambda: add_adapter(programme, now), WrongState, "adapter_known")


def test_a_member_keeps_a_few_adapters(
    artist: Caller, programme: ProgrammeView, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_rules, "MOST_ADAPTERS", 2)
    load_adapters(programme)
    first = add(artist, now, lora(seed=0))
    add(artist, now, lora(seed=1))

    refused(lambda: add(artist, now, lora(seed=2)), WrongState, "too_many_adapters")

    adapters.retire(caller=artist, adapter=first, now=now)
    add(artist, now, lora(seed=2))


def test_only_named_cohorts_and_owners_use_an_adapter(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    other_cohort = people.cohort(programme.id, now)
    closed_to = next(view.public_id for view in cohorts_of(programme.id) if view.id == other_cohort)
    insider = people.artist(other_cohort, now)
    elsewhere = people.programme(now)
    put_variants(elsewhere.id, now)
    everybodys = add_adapter(programme, now, name="Everybody's")
    closed = add_adapter(programme, now, name="Closed", cohorts=(closed_to,), seed=1)
    foreign = add(other_artist, now, lora(seed=2), name="Foreign")
    far = add_adapter(elsewhere, now, name="Far")

    assert names(artist) == ["Everybody's"]
    assert names(other_artist) == ["Everybody's", "Foreign"]
    assert names(insider) == ["Closed", "Everybody's"]
    for adapter in (closed, foreign, far, "lora_neverwas"):
        refused(
            partial(styles.create, caller=artist, spec=StyleSpec(name="New", adapter=adapter), now=now),
            Invalid,
            "unknown_adapter",
        )
    for adapter in (foreign, far):
        refused(
            partial(programme_style, programme, StyleSpec(name="New", adapter=adapter), now),
            Invalid,
            "unknown_adapter",
        )
    assert styles.create(caller=artist, spec=StyleSpec(name="New", adapter=everybodys), now=now)
    assert styles.create(caller=insider, spec=StyleSpec(name="New", adapter=closed), now=now)


def test_a_style_open_to_all_is_no_way_to_an_adapter_that_is_not(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    other_cohort = people.cohort(programme.id, now)
    closed_to = next(view.public_id for view in cohorts_of(programme.id) if view.id == other_cohort)
    adapter = add_adapter(programme, now, cohorts=(closed_to,))
    style = programme_style(programme, StyleSpec(name="Ink", adapter=adapter), now)
    turbo = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")

    assert reading.usable(member_of(artist)) == []
    refused(
        lambda: looks.resolve(member=member_of(artist), variant=turbo, prompt="a boat", style=style),
        Invalid,
        "style_unusable",
    )
    insider = people.artist(other_cohort, now)
    assert looks.resolve(member=member_of(insider), variant=turbo, prompt="a boat", style=style).adapter


def test_a_retired_adapter_is_loaded_by_no_new_render_and_its_file_goes_when_nothing_waits_for_it(
    artist: Caller, operator: Caller, programme: ProgrammeView, now: datetime
) -> None:
    adapter = add_adapter(programme, now)
    style = programme_style(programme, StyleSpec(name="Ink", adapter=adapter), now)
    row = Adapter.objects.get(public_id=adapter)
    turbo = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")
    video = queued_video(artist, now, style=style)
    assert Video.objects.get(public_id=video).adapter == row

    adapters.retire_for_programme(programme=programme, adapter=adapter, by=operator.actor, now=now)
    outbox.deliver_due(now=now)

    assert reading.usable(member_of(artist)) == []
    assert names(artist) == []
    refused(
        lambda: looks.resolve(member=member_of(artist), variant=turbo, prompt="a boat", style=style),
        Invalid,
        "style_unusable",
    )
    assert files.store().exists(row.storage_key), "a render that was accepted still needs it"
    requests.cancel(video=video, membership_id=member_of(artist).id, by=artist.actor, now=now)
    outbox.deliver_due(now=now + timedelta(days=2))
    assert not files.store().exists(row.storage_key)
    assert AuditEvent.objects.filter(action="adapter.retired", target=adapter).count() == 1


def test_a_clip_keeps_the_look_that_it_was_made_with(
    artist: Caller, operator: Caller, programme: ProgrammeView, now: datetime
) -> None:
    adapter = add_adapter(programme, now)
    spec = StyleSpec(
        name="Ink", template="ink, {prompt}", negative_prompt="blur", guidance=7, adapter=adapter
    )
    style = programme_style(programme, spec, now)
    video = completed_video(artist, now, style=style)
    turbo, full = ModelVariant.objects.filter(programme_id=programme.id).order_by("position")
    clip = Video.objects.get(public_id=video)
    again = partial(looks.of_clip, member=member_of(artist), clip=clip)
    styles.change_for_programme(
        programme=programme, style=style, spec=StyleSpec(name="Changed"), by=operator.actor, now=now
    )
    styles.retire_for_programme(programme=programme, style=style, by=operator.actor, now=now)

    made = again(variant=turbo)

    assert made.styled_prompt == f"ink, {clip.prompt}"
    assert (made.negative_prompt, made.guidance, made.adapter_weight) == ("blur", 7, 1.0)
    assert (made.adapter, made.style) == (clip.adapter_id, clip.style_id)
    refused(lambda: again(variant=full), Invalid, "style_for_another_model")
    adapters.retire_for_programme(programme=programme, adapter=adapter, by=operator.actor, now=now)
    refused(lambda: again(variant=turbo), Invalid, "style_unusable")


def test_nobody_adds_or_retires_what_is_not_theirs(
    artist: Caller,
    other_artist: Caller,
    reviewer: Caller,
    operator: Caller,
    suspended_artist: Caller,
    programme: ProgrammeView,
    now: datetime,
) -> None:
    shared = add_adapter(programme, now)
    mine = add(artist, now, lora())
    elsewhere = people.programme(now)

    def by_programme(where: ProgrammeView, adapter: str, by: Caller) -> Callable[[], None]:
        return partial(adapters.retire_for_programme, programme=where, adapter=adapter, by=by.actor, now=now)

    for caller in (artist, other_artist):
        refused(partial(adapters.retire, caller=caller, adapter=shared, now=now), NotFound, "not_found")
    refused(partial(adapters.retire, caller=other_artist, adapter=mine, now=now), NotFound, "not_found")
    refused(by_programme(programme, mine, operator), NotFound, "not_found")
    refused(by_programme(elsewhere, shared, operator), NotFound, "not_found")
    refused(by_programme(programme, shared, artist), NotAllowed, "not_an_operator")
    refused(by_programme(programme, shared, reviewer), NotAllowed, "not_an_operator")
    refused(partial(add, suspended_artist, now, lora(seed=5)), NotAllowed, "member_suspended")
    refused(partial(add, reviewer, now, lora(seed=5)), NotAllowed, "not_a_member")
