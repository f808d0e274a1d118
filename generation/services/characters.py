"""Characters: named sets of a member's own pictures of one and the same, in order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import IntegrityError, transaction

from access.caller import Caller
from access.gate import Action
from core.errors import Invalid, NotFound, WrongState
from generation import look_rules as rules
from generation.models import Character, CharacterPicture, Reference
from generation.services import owned, references
from programme.queries import MembershipView


def create(*, caller: Caller, name: str, pictures: Sequence[str], now: datetime) -> str:
    """Name a set of 1 to 12 own pictures (public ids, the one to start from first) and return its public id.

    Raises NotAllowed, Invalid with the field `name` or `pictures` (invalid_name, invalid_pictures, unknown_reference),
    WrongState (name_taken, too_many_characters).
    """
    member = owned.member(caller, Action.RENDER)
    named = rules.check_name(name)
    rules.check_pictures(pictures)
    with transaction.atomic():
        owned.take_turn(owned.Turn.CHARACTER, member.id)
        live = Character.objects.filter(membership_id=member.id, removed_at=None)
        if live.count() >= rules.MOST_CHARACTERS:
            sentence = f"You have {rules.MOST_CHARACTERS} characters. Remove one to make another."
            raise WrongState("too_many_characters", sentence)
        row = Character(membership_id=member.id, name=named, created_at=now)
        _save(row)
        _put_pictures(row, member, pictures)
    return row.public_id


def create_from_clip(*, caller: Caller, name: str, video: str, second: float = 0, now: datetime) -> str:
    """Name a character after the frame of an own clip at `second`. Raises as `create` and `references.from_clip` do.

    The frame is kept as a picture, unless the character is refused. Call it in no other transaction.
    """
    rules.check_name(name)
    picture = references.from_clip(caller=caller, video=video, second=second, now=now)
    with references.kept_for(picture, caller=caller, now=now):
        return create(caller=caller, name=name, pictures=[picture], now=now)


def change(
    *, caller: Caller, character: str, name: str | None = None, pictures: Sequence[str] | None = None
) -> None:
    """Give an own character another name, other pictures or another order; None leaves what is there.

    Clips keep the picture that they were made from. Raises as `create`, and NotFound.
    """
    member = owned.member(caller, Action.CHANGE_OWN)
    named = None if name is None else rules.check_name(name)
    if pictures is not None:
        rules.check_pictures(pictures)
    with transaction.atomic():
        row = _live(member, character)
        if named is not None and named != row.name:
            row.name = named
            _save(row)
        if pictures is not None:
            CharacterPicture.objects.filter(character=row).delete()
            _put_pictures(row, member, pictures)


def remove(*, caller: Caller, character: str, now: datetime) -> None:
    """End an own character; its pictures stay. Raises NotAllowed or NotFound."""
    member = owned.member(caller, Action.CHANGE_OWN)
    with transaction.atomic():
        row = _live(member, character)
        row.removed_at = now
        row.save(update_fields=["removed_at"])


def _live(member: MembershipView, public_id: str) -> Character:
    rows = Character.objects.select_for_update().filter(membership_id=member.id, removed_at=None)
    row = rows.filter(public_id=public_id).first()
    if row is None:
        raise NotFound("not_found", "There is no such character.")
    return row


def _save(row: Character) -> None:
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        sentence = f"You have a character called “{row.name}” already. Choose another name."
        raise WrongState("name_taken", sentence, field="name") from None


def _put_pictures(row: Character, member: MembershipView, pictures: Sequence[str]) -> None:
    """The pictures are locked, so that none of them is removed meanwhile."""
    mine = Reference.objects.select_for_update(no_key=True).filter(
        membership_id=member.id, removed_at=None, public_id__in=pictures
    )
    found = dict(mine.order_by("id").values_list("public_id", "id"))
    if len(found) < len(pictures):
        sentence = "One of these is no picture of yours."
        raise Invalid("unknown_reference", sentence, fields={"pictures": sentence})
    CharacterPicture.objects.bulk_create(
        CharacterPicture(character=row, reference_id=found[public_id], position=position)
        for position, public_id in enumerate(pictures)
    )
