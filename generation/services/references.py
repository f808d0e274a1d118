"""Pictures that a clip can start from: uploaded, or frames of own clips. Each is private to its membership."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import TYPE_CHECKING

from django.db import transaction

from access.caller import Caller
from access.gate import Action
from audit import outbox
from core import enqueue, ids, names
from core.errors import DomainError, Invalid, NotFound, WrongState
from generation import look_rules as rules
from generation.errors import SpecRejected
from generation.models import Character, CharacterPicture, Master, ModelVariant, Reference, Video
from generation.services import copies, files, owned, stills, stowing
from generation.states import OPEN, VideoState
from programme.queries import MembershipView

if TYPE_CHECKING:
    from generation.media.stills import Still


def upload(*, caller: Caller, picture: bytes, now: datetime) -> str:
    """Keep a picture that was sent and return its public id; the same picture twice is one.

    By its content a PNG, JPEG or WebP of at most 20 MB and 40 million pixels that does not move. Kept upright, opaque
    and without metadata, as PNG of at most 2048 pixels a side. Raises NotAllowed; Invalid with the field `picture`
    (the codes of `media.stills.tidied`); WrongState (too_many_references). Call it in no other transaction.
    """
    from generation.media.stills import tidied

    member = owned.member(caller, Action.RENDER)
    try:
        made = tidied(picture)
    except SpecRejected as refusal:
        raise _refusal(refusal.code, "picture", refusal.sentence) from refusal
    return _keep(caller, member, made, now)


def from_clip(*, caller: Caller, video: str, second: float, now: datetime) -> str:
    """Keep the native frame of an own clip that is shown nearest to `second`, and return its public id.

    A render starts from it as the model made it, bit for bit; what its artist sees is marked. A worker makes both in a
    moment. The same frame twice is one. Raises NotAllowed, NotFound, Invalid with the field `second` (invalid_second),
    WrongState (not_completed, no_frames, too_many_references).
    """
    member = owned.member(caller, Action.RENDER)
    clip, master = _finished(member, video)
    if not (math.isfinite(second) and 0 <= second <= clip.seconds):
        raise _refusal("invalid_second", "second", f"This clip has the seconds from 0 to {clip.seconds}.")
    return _frame(caller, member, clip, master, _frame_shown(clip, master, second), now)


def last_of(*, caller: Caller, video: str, now: datetime) -> str:
    """Keep the last native frame of an own clip: what a clip that goes on from it starts with. As `from_clip`."""
    member = owned.member(caller, Action.RENDER)
    clip, master = _finished(member, video)
    return _frame(caller, member, clip, master, master.native_frames - 1, now)


@contextmanager
def kept_for(picture: str, *, caller: Caller, now: datetime) -> Iterator[None]:
    """What an own picture was kept for at `now`: where that is refused the picture goes, unless it was there before."""
    try:
        yield
    except DomainError:
        if Reference.objects.filter(public_id=picture, created_at=now).exists():
            with suppress(NotFound, WrongState):  # somebody uses it by now
                remove(caller=caller, reference=picture, now=now)
        raise


def remove(*, caller: Caller, reference: str, now: datetime) -> None:
    """Remove the file of an own picture; its row and digest stay, for the clips that were made from it.

    Raises NotAllowed, NotFound, WrongState (reference_in_use while a render that has not ended starts from it,
    reference_in_character).
    """
    member = owned.member(caller, Action.CHANGE_OWN)
    with transaction.atomic():
        rows = Reference.objects.select_for_update().filter(membership_id=member.id, removed_at=None)
        row = rows.filter(public_id=reference).first()
        if row is None:
            raise NotFound("not_found", "There is no such picture.")
        if Video.objects.filter(reference=row, state__in=OPEN).exists():
            sentence = (
                "A render that has not ended starts from this picture. Stop it, or wait until it is done."
            )
            raise WrongState("reference_in_use", sentence)
        entry = CharacterPicture.objects.filter(reference=row, character__removed_at=None)
        if named := entry.values_list("character__name", flat=True).first():
            sentence = f"This picture belongs to the character “{named}”. Take it out there first."
            raise WrongState("reference_in_character", sentence)
        row.removed_at = now
        row.save(update_fields=["removed_at"])
        stills.forget(row, now=now)
        keys = [key for key in (row.storage_key, row.native_key) if key]
        outbox.add(topic=files.PURGE, payload={"keys": keys}, now=now)


def resolve(
    *,
    member: MembershipView,
    variant: ModelVariant,
    reference: str | None = None,
    character: str | None = None,
) -> int | None:
    """Row id of the picture that an order starts from; None when it names neither.

    `reference` is a public id, `character` a public id or a name. A character gives its first picture, or with
    `reference` that one, which must be among its pictures. Call it in the order's transaction: the picture is held
    until that ends. At most three statements. Raises Invalid with the field named: images_unsupported,
    unknown_reference, reference_removed, unknown_character, not_in_character.
    """
    if not reference and not character:
        return None
    if not variant.images:
        sentence = (
            f"{variant.name} does not start from a picture. Choose another model, or leave the picture out."
        )
        raise _refusal("images_unsupported", "reference" if reference else "character", sentence)
    row = _of_character(member, character, reference) if character else _own(member, reference or "")
    if row.removed_at is not None or not owned.hold(row, "removed_at"):
        sentence = "You removed this picture. Choose another one, or upload it again."
        raise _refusal("reference_removed", "reference" if reference else "character", sentence)
    return row.pk


def _finished(member: MembershipView, video: str) -> tuple[Video, Master]:
    clip = Video.objects.filter(public_id=video, membership_id=member.id, deleted_at=None).first()
    if clip is None:
        raise NotFound("not_found", "There is no such clip.")
    if clip.state != VideoState.COMPLETED:
        sentence = f"This clip is {clip.get_state_display()}: it has no frames to take."
        raise WrongState("not_completed", sentence)
    master = Master.objects.filter(video=clip).exclude(source_key="").first()
    if master is None:
        raise _no_frames("The frames of this clip were not kept. Render it again.")
    return clip, master


def _frame_shown(clip: Video, master: Master, second: float) -> int:
    """The first native frame is the first delivered one, the last the last; between them they are evenly spread."""
    last_shown = max(1, clip.seconds * clip.fps - 1) / clip.fps
    return min(master.native_frames - 1, round(second / last_shown * (master.native_frames - 1)))


def _frame(
    caller: Caller, member: MembershipView, clip: Video, master: Master, index: int, now: datetime
) -> str:
    with transaction.atomic():
        owned.take_turn(owned.Turn.REFERENCE, member.id)
        if known := _known_frame(member, clip, index):
            stills.revive(known)
            return known
        _check_room(member)
        public_id = ids.new("ref")
        Reference.objects.create(
            public_id=public_id,
            membership_id=member.id,
            width=master.native_width,
            height=master.native_height,
            storage_key=f"{public_id}/unmade.png",
            source=clip,
            frame=index,
            created_by=str(caller.actor),
            created_at=now,
        )
        enqueue.after_commit_once(copies.TASK)
    return public_id


def _keep(caller: Caller, member: MembershipView, made: Still, now: datetime) -> str:
    """The file, then its row; neither when the same picture is there already, or there are too many."""
    public_id = ids.new("ref")
    key = f"{public_id}/{made.sha256}.png"
    with stowing.folder() as folder:
        path = folder / "picture.png"
        path.write_bytes(made.png)
        with stowing.stowed(path, key=key) as file:
            with transaction.atomic():
                owned.take_turn(owned.Turn.REFERENCE, member.id)
                if known := _known(member, made):
                    return known
                _check_room(member)
                Reference.objects.create(
                    public_id=public_id,
                    membership_id=member.id,
                    sha256=made.sha256,
                    bytes=len(made.png),
                    width=made.width,
                    height=made.height,
                    storage_key=key,
                    created_by=str(caller.actor),
                    created_at=now,
                    made_at=now,
                )
            file.kept = True
    return public_id


def _known(member: MembershipView, made: Still) -> str | None:
    rows = Reference.objects.filter(membership_id=member.id, source=None, removed_at=None)
    return rows.filter(sha256=made.sha256).values_list("public_id", flat=True).first()


def _known_frame(member: MembershipView, clip: Video, frame: int) -> str | None:
    rows = Reference.objects.filter(membership_id=member.id, removed_at=None, source=clip, frame=frame)
    return rows.values_list("public_id", flat=True).first()


def _check_room(member: MembershipView) -> None:
    if Reference.objects.filter(membership_id=member.id, removed_at=None).count() >= rules.MOST_REFERENCES:
        sentence = f"You keep {rules.MOST_REFERENCES} pictures. Remove one to keep another."
        raise WrongState("too_many_references", sentence)


def _no_frames(sentence: str) -> WrongState:
    return WrongState("no_frames", sentence)


def _own(member: MembershipView, public_id: str) -> Reference:
    row = Reference.objects.filter(public_id=public_id, membership_id=member.id).first()
    if row is None:
        raise _refusal("unknown_reference", "reference", "There is no such picture of yours.")
    return row


def _of_character(member: MembershipView, named: str, picture: str | None) -> Reference:
    rows = Character.objects.filter(membership_id=member.id, removed_at=None)
    character = rows.filter(public_id=named).first() or rows.filter(name__iexact=names.tidy(named)).first()
    if character is None:
        raise _refusal("unknown_character", "character", f"There is no character “{named[:60]}” of yours.")
    entries = CharacterPicture.objects.filter(character=character).select_related("reference")
    if picture:
        entries = entries.filter(reference__public_id=picture)
    entry = entries.order_by("position").first()
    if entry is None:
        sentence = f"This is not one of the pictures of “{character.name}”."
        raise _refusal("not_in_character", "reference" if picture else "character", sentence)
    return entry.reference


def _refusal(code: str, field: str, sentence: str) -> Invalid:
    return Invalid(code, sentence, fields={field: sentence})
