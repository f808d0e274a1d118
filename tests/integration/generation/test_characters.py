"""Characters: named sets of own pictures, in order, from which an order takes one."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from access.caller import Caller
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from generation import look_rules
from generation.models import ModelVariant, Reference
from generation.queries import characters as reading
from generation.services import characters, references
from programme.queries import ProgrammeView
from tests.factories.floor import at_once
from tests.factories.looks import filmed, member_of, picture, refused, unchanged

pytestmark = pytest.mark.django_db


def uploads(caller: Caller, now: datetime, count: int, *, begin: int = 0) -> list[str]:
    return [
        references.upload(caller=caller, picture=picture(seed=seed), now=now)
        for seed in range(begin, begin + count)
    ]


def order_of(character: str, caller: Caller) -> list[str]:
    view = reading.own_character(character, member_of(caller).id)
    assert view is not None
    return [shown.public_id for shown in view.pictures]


def turbo(programme: ProgrammeView, *, images: bool = True) -> ModelVariant:
    row = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")
    row.images = images
    row.save()
    return row


def test_a_character_keeps_its_pictures_in_their_order(artist: Caller, now: datetime) -> None:
    frame = references.last_of(caller=artist, video=filmed(artist, now), now=now)
    first, second = uploads(artist, now, 2)

    mara = characters.create(caller=artist, name=" Mara ", pictures=[second, frame, first], now=now)

    view = reading.own_character(mara, member_of(artist).id)
    assert view is not None
    assert (view.name, [shown.public_id for shown in view.pictures]) == ("Mara", [second, frame, first])
    characters.change(caller=artist, character=mara, pictures=[first, second])
    assert order_of(mara, artist) == [first, second]
    characters.change(caller=artist, character=mara, name="Mara at night")
    assert order_of(mara, artist) == [first, second]
    assert [found.name for found in reading.own_characters(member_of(artist).id)] == ["Mara at night"]


def test_an_order_starts_from_the_first_picture_or_from_the_one_that_is_named(
    artist: Caller, programme: ProgrammeView, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, second, other = uploads(artist, now, 3)
    mara = characters.create(caller=artist, name="Mara", pictures=[first, second], now=now)
    resolve: Any = partial(references.resolve, member=member_of(artist), variant=turbo(programme))

    def chosen(**order: str) -> str:
        return Reference.objects.get(pk=resolve(**order)).public_id

    with django_assert_num_queries(3):
        resolve(character=mara)
    assert chosen(character=mara) == first
    assert chosen(character="Mara") == first
    assert chosen(character=mara, reference=second) == second
    refused(lambda: resolve(character=mara, reference=other), Invalid, "not_in_character", "reference")
    refused(lambda: resolve(character="Nobody"), Invalid, "unknown_character", "character")
    unable = turbo(programme, images=False)
    refused(
        lambda: references.resolve(member=member_of(artist), variant=unable, character=mara),
        Invalid,
        "images_unsupported",
        "character",
    )


def test_nobody_elses_character_or_picture_is_ever_found(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    (own,), (foreign,) = uploads(artist, now, 1), uploads(other_artist, now, 1)
    mara = characters.create(caller=other_artist, name="Mara", pictures=[foreign], now=now)
    row = turbo(programme)

    for named in (mara, "Mara"):
        refused(
            partial(references.resolve, member=member_of(artist), variant=row, character=named),
            Invalid,
            "unknown_character",
            "character",
        )
    assert reading.own_character(mara, member_of(artist).id) is None
    assert reading.own_characters(member_of(artist).id) == []
    refused(
        lambda: characters.create(caller=artist, name="New", pictures=[own, foreign], now=now),
        Invalid,
        "unknown_reference",
        "pictures",
    )
    change: Any = partial(characters.change, caller=artist, character=mara)
    refused(lambda: change(name="Mine"), NotFound, "not_found")
    refused(lambda: change(pictures=[own]), NotFound, "not_found")
    refused(lambda: characters.remove(caller=artist, character=mara, now=now), NotFound, "not_found")


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"name": " "}, "invalid_name", "name"),
        ({"name": "x" * 61}, "invalid_name", "name"),
        ({"name": "nul \0"}, "invalid_name", "name"),
        ({"pictures": []}, "invalid_pictures", "pictures"),
        ({"pictures": ["ref_a"] * 2}, "invalid_pictures", "pictures"),
        ({"pictures": [f"ref_{number}" for number in range(13)]}, "invalid_pictures", "pictures"),
        ({"pictures": ["ref_neverwas"]}, "unknown_reference", "pictures"),
    ],
)
def test_a_character_that_cannot_be_is_refused_and_changes_nothing(
    artist: Caller, now: datetime, change: dict[str, Any], code: str, field: str
) -> None:
    pictures = uploads(artist, now, 1)
    mara = characters.create(caller=artist, name="Mara", pictures=pictures, now=now)
    create: Any = partial(characters.create, caller=artist, now=now)
    alter: Any = partial(characters.change, caller=artist, character=mara)

    refused(lambda: create(**({"name": "New", "pictures": pictures} | change)), Invalid, code, field)
    refused(lambda: alter(**change), Invalid, code, field)


def test_a_removed_picture_joins_no_character(artist: Caller, now: datetime) -> None:
    first, second = uploads(artist, now, 2)
    references.remove(caller=artist, reference=second, now=now)

    refused(
        lambda: characters.create(caller=artist, name="Mara", pictures=[first, second], now=now),
        Invalid,
        "unknown_reference",
        "pictures",
    )


def test_a_name_is_there_once_for_each_member_until_it_is_removed(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    mine, theirs = uploads(artist, now, 1), uploads(other_artist, now, 1)
    mara = characters.create(caller=artist, name="Mara", pictures=mine, now=now)
    characters.create(caller=other_artist, name="Mara", pictures=theirs, now=now)
    jon = characters.create(caller=artist, name="Jon", pictures=mine, now=now)

    refused(
        lambda: characters.create(caller=artist, name="Mara", pictures=mine, now=now),
        WrongState,
        "name_taken",
    )
    refused(lambda: characters.change(caller=artist, character=jon, name="Mara"), WrongState, "name_taken")
    characters.remove(caller=artist, character=mara, now=now)
    characters.change(caller=artist, character=jon, name="Mara")
    refused(lambda: characters.remove(caller=artist, character=mara, now=now), NotFound, "not_found")


def test_a_member_has_a_limited_number_of_characters(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_rules, "MOST_CHARACTERS", 1)
    pictures = uploads(artist, now, 1)
    mara = characters.create(caller=artist, name="Mara", pictures=pictures, now=now)

    refused(
        lambda: characters.create(caller=artist, name="Jon", pictures=pictures, now=now),
        WrongState,
        "too_many_characters",
    )
    characters.remove(caller=artist, character=mara, now=now)
    characters.create(caller=artist, name="Jon", pictures=pictures, now=now)


@pytest.mark.parametrize("who", ["suspended_artist", "artist_without_terms", "reviewer", "operator"])
def test_whoever_may_not_render_makes_no_character(
    who: str, request: pytest.FixtureRequest, now: datetime
) -> None:
    caller: Caller = request.getfixturevalue(who)

    with unchanged(), pytest.raises(NotAllowed):
        characters.create(caller=caller, name="Mara", pictures=["ref_a"], now=now)


@pytest.mark.django_db(transaction=True)
def test_a_picture_is_either_removed_or_in_the_character_when_both_happen_at_once(
    artist: Caller, now: datetime
) -> None:
    for number in range(4):
        (reference,) = uploads(artist, now, 1, begin=number)
        made, removed = at_once(
            partial(characters.create, caller=artist, name=f"Mara {number}", pictures=[reference], now=now),
            partial(references.remove, caller=artist, reference=reference, now=now),
        )

        assert (isinstance(made, str), removed is None) in {(True, False), (False, True)}, (made, removed)


def test_lists_cost_the_same_however_long_they_are(
    artist: Caller, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    pictures = uploads(artist, now, 3)
    pictures.append(references.last_of(caller=artist, video=filmed(artist, now), now=now))
    for number in range(4):
        characters.create(caller=artist, name=f"Mara {number}", pictures=pictures, now=now)

    with django_assert_num_queries(2):
        found = reading.own_characters(member_of(artist).id)

    assert [len(view.pictures) for view in found] == [4] * 4
