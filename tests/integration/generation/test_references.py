"""Pictures to start from: kept once, private to their member, there as long as they are needed."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

import numpy as np
import pytest
from pytest_django import DjangoAssertNumQueries

from access.caller import Caller
from audit import outbox
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from generation import look_rules
from generation.models import ModelVariant, Reference, Video
from generation.queries import references as reading
from generation.rules import Order
from generation.services import characters, files, references, requests
from programme.queries import ProgrammeView
from tests.factories import people
from tests.factories.floor import at_once
from tests.factories.generation import put_variants, queued_video
from tests.factories.looks import everything, member_of, picture, pixels, refused, stored, unchanged

pytestmark = pytest.mark.django_db


def variant(programme: ProgrammeView, *, images: bool = True) -> ModelVariant:
    row = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")
    row.images = images
    row.save()
    return row


def upload(caller: Caller, now: datetime, seed: int = 0) -> str:
    return references.upload(caller=caller, picture=picture(seed=seed), now=now)


def queued_from(reference: str, caller: Caller, now: datetime) -> str:
    """A queued video that starts from the picture."""
    video = queued_video(caller, now)
    Video.objects.filter(public_id=video).update(reference=Reference.objects.get(public_id=reference))
    return video


def test_an_upload_is_kept_as_plain_png_with_its_digest(artist: Caller, now: datetime) -> None:
    reference = upload(artist, now)

    assert np.array_equal(pixels(stored(reference, artist)), pixels(picture()))
    (view,) = reading.own_references(member_of(artist).id, limit=10) or []
    assert (view.public_id, view.width, view.height, view.source, view.frame) == (
        reference,
        96,
        64,
        None,
        None,
    )


def test_the_same_picture_twice_is_one_for_each_member(
    artist: Caller, other_artist: Caller, now: datetime
) -> None:
    first = upload(artist, now)

    with unchanged():
        assert upload(artist, now) == first
    assert upload(other_artist, now) != first


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"", "picture_unreadable"),
        (b"GIF89a" + b"\0" * 60, "picture_unreadable"),
        (b"PK\x03\x04" + b"\0" * 60, "picture_unreadable"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 20_000_000, "picture_too_large"),
    ],
)
def test_a_file_that_is_no_picture_is_refused_and_leaves_nothing(
    artist: Caller, now: datetime, sent: bytes, code: str
) -> None:
    refusal = refused(lambda: references.upload(caller=artist, picture=sent, now=now), Invalid, code)

    assert isinstance(refusal, Invalid)
    assert list(refusal.fields) == ["picture"]


@pytest.mark.parametrize("who", ["suspended_artist", "artist_without_terms", "reviewer", "operator"])
def test_whoever_may_not_render_keeps_no_new_picture(
    who: str, request: pytest.FixtureRequest, now: datetime
) -> None:
    caller: Caller = request.getfixturevalue(who)

    with unchanged(), pytest.raises(NotAllowed):
        upload(caller, now)


def test_nobody_elses_picture_is_ever_found(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    """Of another member, and of the same person in another programme."""
    elsewhere = people.programme(now)
    put_variants(elsewhere.id, now)
    stranger = people.artist(people.cohort(elsewhere.id, now), now)
    pictures = [upload(other_artist, now), upload(stranger, now)]
    mine = member_of(artist)
    row = variant(programme)

    for reference in [*pictures, "ref_neverwas"]:
        assert reading.own_reference(reference, mine.id) is None
        assert reading.reference_file(reference, mine.id, now=now) is None
        refused(
            partial(references.resolve, member=mine, variant=row, reference=reference),
            Invalid,
            "unknown_reference",
        )
        refused(
            partial(references.remove, caller=artist, reference=reference, now=now), NotFound, "not_found"
        )
    assert reading.own_references(mine.id, limit=10) == []
    assert reading.own_references(mine.id, limit=10, after=pictures[0]) is None


def test_an_order_starts_from_an_own_picture_where_the_model_can(
    artist: Caller, programme: ProgrammeView, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    reference = upload(artist, now)
    mine, row = member_of(artist), variant(programme)

    with django_assert_num_queries(0):
        assert references.resolve(member=mine, variant=row) is None
    with django_assert_num_queries(2):
        found = references.resolve(member=mine, variant=row, reference=reference)
    assert found == Reference.objects.get(public_id=reference).pk
    row = variant(programme, images=False)
    refusal = refused(
        lambda: references.resolve(member=mine, variant=row, reference=reference),
        Invalid,
        "images_unsupported",
    )
    assert isinstance(refusal, Invalid)
    assert list(refusal.fields) == ["reference"]


def test_removing_takes_the_file_and_leaves_the_row(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    reference = upload(artist, now)
    row = Reference.objects.get(public_id=reference)

    references.remove(caller=artist, reference=reference, now=now)
    outbox.deliver_due(now=now)

    assert not files.store().exists(row.storage_key)
    row.refresh_from_db()
    assert (row.removed_at, len(row.sha256)) == (now, 64)
    assert reading.own_references(member_of(artist).id, limit=10) == []
    assert reading.reference_file(reference, member_of(artist).id, now=now) is None
    turbo = variant(programme)
    refused(
        lambda: references.resolve(member=member_of(artist), variant=turbo, reference=reference),
        Invalid,
        "reference_removed",
    )
    assert upload(artist, now) != reference, "the same picture can be sent again"


def test_a_picture_is_not_removed_while_a_render_needs_it(artist: Caller, now: datetime) -> None:
    reference = upload(artist, now)
    video = queued_from(reference, artist, now)

    refused(
        lambda: references.remove(caller=artist, reference=reference, now=now), WrongState, "reference_in_use"
    )

    requests.cancel(video=video, membership_id=member_of(artist).id, by=artist.actor, now=now)
    references.remove(caller=artist, reference=reference, now=now)


def test_a_picture_of_a_character_is_taken_out_there_first(artist: Caller, now: datetime) -> None:
    first, second = upload(artist, now), upload(artist, now, seed=1)
    character = characters.create(caller=artist, name="Mara", pictures=[first, second], now=now)

    refusal = refused(
        lambda: references.remove(caller=artist, reference=first, now=now),
        WrongState,
        "reference_in_character",
    )

    assert "Mara" in refusal.sentence
    characters.change(caller=artist, character=character, pictures=[second])
    references.remove(caller=artist, reference=first, now=now)
    characters.remove(caller=artist, character=character, now=now)
    references.remove(caller=artist, reference=second, now=now)


def test_a_suspended_member_still_sees_and_removes_their_pictures(artist: Caller, now: datetime) -> None:
    from access import gate
    from programme.services import memberships

    reference = upload(artist, now)
    memberships.suspend(membership_id=member_of(artist).id, by=people.HOUSE, now=now)
    suspended = gate.caller_for_user(artist.user_id)

    assert stored(reference, suspended)
    references.remove(caller=suspended, reference=reference, now=now)


def test_a_member_keeps_a_limited_number_of_pictures(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_rules, "MOST_REFERENCES", 2)
    first = upload(artist, now)
    upload(artist, now, seed=1)

    refused(lambda: upload(artist, now, seed=2), WrongState, "too_many_references")

    references.remove(caller=artist, reference=first, now=now)
    upload(artist, now, seed=2)


@pytest.mark.django_db(transaction=True)
def test_the_same_picture_from_two_windows_at_once_is_kept_once(artist: Caller, now: datetime) -> None:
    _, before = everything()

    found = at_once(*[partial(upload, artist, now) for _ in range(4)])

    assert len(set(found)) == 1
    assert isinstance(found[0], str)
    assert Reference.objects.count() == 1
    stored(found[0], artist)
    _, after = everything()
    assert len(after) == len(before) + 1


@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_for_uploads_at_once(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_rules, "MOST_REFERENCES", 2)

    found = at_once(*[partial(upload, artist, now, seed) for seed in range(5)])

    assert sum(isinstance(answer, str) for answer in found) == 2
    assert {answer.code for answer in found if not isinstance(answer, str)} == {"too_many_references"}
    assert Reference.objects.count() == 2


def test_the_file_is_gone_again_when_the_row_cannot_be_written(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("the database said no")

    monkeypatch.setattr(Reference.objects, "create", fail)

    with unchanged(), pytest.raises(RuntimeError):
        upload(artist, now)


def test_a_full_disk_leaves_neither_row_nor_file(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("generation.stores.filesystem.os.fsync", full)

    with unchanged(), pytest.raises(OSError, match="No space"):
        upload(artist, now)


def test_pages_of_pictures_follow_each_other_at_a_fixed_cost(
    artist: Caller, now: datetime, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    made = [upload(artist, now + timedelta(seconds=seed), seed) for seed in range(5)]
    mine = member_of(artist).id

    with django_assert_num_queries(1):
        first = reading.own_references(mine, limit=3)
    assert first is not None
    with django_assert_num_queries(2):
        second = reading.own_references(mine, limit=3, after=first[-1].public_id)
    assert second is not None

    assert [view.public_id for view in first + second] == made[::-1]


@pytest.mark.django_db(transaction=True)
def test_a_picture_is_either_removed_or_rendered_from_when_both_are_asked_at_once(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    variant(programme)
    for seed in range(4):
        reference = upload(artist, now, seed)
        order = Order(prompt="a red boat", variant="turbo-1", reference=reference)
        asked, removed = at_once(
            partial(requests.submit, caller=artist, order=order, now=now),
            partial(references.remove, caller=artist, reference=reference, now=now),
        )

        if removed is None:
            assert isinstance(asked, Invalid)
            assert asked.code == "reference_removed"
        else:
            assert removed.code == "reference_in_use"
            assert Video.objects.get(public_id=asked[0]).reference is not None
