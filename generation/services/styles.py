"""Styles are written down, changed and retired: by a member for themselves, by operators for the programme."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from access.caller import Caller
from access.gate import Action
from audit import log
from core.actors import Actor
from core.errors import Invalid, NotFound, WrongState
from generation import look_rules as rules
from generation.look_rules import StyleSpec
from generation.models import Adapter, StylePreset
from generation.queries import styles as reading
from generation.services import owned
from generation.services.owned import Owner
from programme.queries import MembershipView, ProgrammeView

__all__ = [
    "StyleSpec",
    "change",
    "change_for_programme",
    "create",
    "create_for_programme",
    "retire",
    "retire_for_programme",
]


def create(*, caller: Caller, spec: StyleSpec, now: datetime) -> str:
    """Keep a style of the caller's own and return its public id.

    Raises NotAllowed, Invalid (naming each bad field; unknown_adapter) or WrongState (name_taken, too_many_styles).
    """
    return _create(owned.own(caller, Action.RENDER), spec, now)


def change(*, caller: Caller, style: str, spec: StyleSpec, now: datetime) -> None:
    """Put `spec` in the place of what the caller's own style says. Clips keep what they were made with.

    Raises as `create`, and NotFound.
    """
    _change(owned.own(caller, Action.CHANGE_OWN), style, spec, now)


def retire(*, caller: Caller, style: str, now: datetime) -> None:
    """Take the caller's own style out of use for good. What waits in the queue is rendered with it. Raises NotFound."""
    _retire(owned.own(caller, Action.CHANGE_OWN), style, now)


def create_for_programme(*, programme: ProgrammeView, spec: StyleSpec, by: Actor, now: datetime) -> str:
    """Offer a style to the programme, or to the cohorts that it names, and return its public id.

    Raises NotAllowed, Invalid (naming each bad field; unknown_adapter, unknown_cohort) or WrongState (name_taken).
    """
    return _create(owned.programmes_own(programme, by), spec, now)


def change_for_programme(
    *, programme: ProgrammeView, style: str, spec: StyleSpec, by: Actor, now: datetime
) -> None:
    """Put `spec` in the place of what the programme's style says. Raises as `create_for_programme`, and NotFound."""
    _change(owned.programmes_own(programme, by), style, spec, now)


def retire_for_programme(*, programme: ProgrammeView, style: str, by: Actor, now: datetime) -> None:
    """Take the programme's style out of use for good. Raises NotAllowed or NotFound."""
    _retire(owned.programmes_own(programme, by), style, now)


def _create(owner: Owner, asked: StyleSpec, now: datetime) -> str:
    spec = rules.check_style(asked)
    with log.transaction() as events:
        if owner.member is not None:
            _check_room(owner.member.id)
        row = StylePreset(
            programme_id=owner.programme.id,
            membership_id=owner.membership_id,
            created_by=str(owner.actor),
            created_at=now,
        )
        _write(row, owner, spec)
        _record(events, "style.created", owner, row, spec, now)
    return row.public_id


def _change(owner: Owner, style: str, asked: StyleSpec, now: datetime) -> None:
    spec = rules.check_style(asked)
    with log.transaction() as events:
        row = _live(owner, style)
        _write(row, owner, spec)
        _record(events, "style.changed", owner, row, spec, now)


def _retire(owner: Owner, style: str, now: datetime) -> None:
    with log.transaction() as events:
        row = _live(owner, style)
        row.retired_at = now
        row.save(update_fields=["retired_at"])
        _record(events, "style.retired", owner, row, None, now)


def _write(row: StylePreset, owner: Owner, spec: StyleSpec) -> None:
    if owner.member is not None and spec.cohorts:
        sentence = "A style of your own is yours alone; only the programme's name cohorts."
        raise Invalid("cohorts_of_own_style", sentence, fields={"cohorts": sentence})
    if owner.member is not None and spec.name.casefold() != row.name.casefold():
        _check_free(owner.member, spec.name)
    cohorts = owned.cohort_rows(owner.programme, spec.cohorts)
    row.name, row.description, row.template = spec.name, spec.description, spec.template
    row.negative_prompt, row.guidance, row.position = spec.negative_prompt, spec.guidance, spec.position
    row.adapter, row.adapter_weight = _adapter(owner, spec.adapter), spec.adapter_weight
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError:
        raise _taken(
            f"There is a style called “{spec.name}” already. Choose another name, or retire that one."
        ) from None
    row.cohorts.set(cohorts)


def _check_free(member: MembershipView, name: str) -> None:
    """A name means one style to a member. Where the programme takes it up later, it stays the member's own."""
    others = reading.styles_open_to(member).filter(membership=None, retired_at=None)
    if others.filter(name__iexact=name).exists():
        raise _taken(f"The programme has a style called “{name}”. Choose another name for yours.")


def _taken(sentence: str) -> WrongState:
    return WrongState("name_taken", sentence, field="name")


def _adapter(owner: Owner, public_id: str | None) -> Adapter | None:
    """The adapter that a style of this owner may load: the programme's, or one that the member may use."""
    if not public_id:
        return None
    rows = (
        Adapter.objects.filter(programme_id=owner.programme.id, membership=None, retired_at=None)
        if owner.member is None
        else reading.adapters_open_to(owner.member)
    )
    row = rows.filter(public_id=public_id).first()
    if row is None or not owned.hold(row, "retired_at"):
        sentence = "There is no such adapter that this style could use."
        raise Invalid("unknown_adapter", sentence, fields={"adapter": sentence})
    return row


def _live(owner: Owner, public_id: str) -> StylePreset:
    row = (
        StylePreset.objects.select_for_update()
        .filter(
            public_id=public_id,
            programme_id=owner.programme.id,
            membership=owner.membership_id,
            retired_at=None,
        )
        .first()
    )
    if row is None:
        raise NotFound("not_found", "There is no such style.")
    return row


def _check_room(membership_id: int) -> None:
    owned.take_turn(owned.Turn.STYLE, membership_id)
    if StylePreset.objects.filter(membership_id=membership_id, retired_at=None).count() >= rules.MOST_STYLES:
        raise WrongState(
            "too_many_styles", f"You have {rules.MOST_STYLES} styles. Retire one to keep another."
        )


def _record(
    events: log.Log, action: str, owner: Owner, row: StylePreset, spec: StyleSpec | None, now: datetime
) -> None:
    """What operators do to the programme's styles is logged; a member's own are their own business."""
    if owner.member is not None:
        return
    data: dict[str, object] = {"programme": owner.programme.public_id, "name": row.name}
    if spec is not None:
        data |= {
            "template": spec.template,
            "negative_prompt": spec.negative_prompt,
            "guidance": spec.guidance,
            "adapter": spec.adapter,
            "adapter_weight": spec.adapter_weight,
            "cohorts": sorted(spec.cohorts),
        }
    events.record(action=action, actor=owner.actor, target=row.public_id, now=now, data=data)
