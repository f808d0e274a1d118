"""A programme begins."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction

from audit import log
from core.actors import Actor
from core.errors import Invalid, NotFound, WrongState
from programme import rules
from programme.models import MarkStyle, Programme


def create(*, slug: str, name: str, mark_text: str, timezone: str, by: Actor, now: datetime) -> int:
    """Make a programme and return its id. Raises Invalid, naming the field, or WrongState (slug_taken)."""
    _check_slug(slug)
    # Some keyboards send “é” as a letter and an accent after it: the mark's face has the one, not the other.
    mark_text = unicodedata.normalize("NFC", mark_text)
    rules.check_mark_text(mark_text)
    rules.check_timezone(timezone)
    named = rules.check_text("name", name, most=120)
    with log.transaction() as events:
        try:
            with transaction.atomic():
                programme = Programme.objects.create(
                    slug=slug, name=named, mark_text=mark_text, timezone=timezone, created_at=now
                )
        except IntegrityError:
            raise WrongState("slug_taken", f"There is a programme called “{slug}” already.") from None
        events.record(
            action="programme.created", actor=by, target=programme.public_id, now=now, data={"slug": slug}
        )
    return programme.pk


def set_mark_styles(*, programme_id: int, every: str, public: str, by: Actor, now: datetime) -> None:
    """How the visible mark looks on every copy made from now on, and on those that are approved to be shown.

    Raises NotFound, Invalid naming the field (`every`, `public`): the discreet one is for what is shown alone.
    """
    quiet = MarkStyle.DISCREET
    for field, style, known in (
        ("every", every, set(MarkStyle.values) - {quiet}),
        ("public", public, set(MarkStyle.values)),
    ):
        if style not in known:
            sentence = "Choose one of these."
            raise Invalid("unknown_mark_style", sentence, fields={field: sentence})
    with log.transaction() as events:
        row = Programme.objects.select_for_update().filter(pk=programme_id).first()
        if row is None:
            raise NotFound("not_found", "There is no such programme.")
        if (row.mark_style, row.public_mark_style) == (every, public):
            return
        row.mark_style, row.public_mark_style = every, public
        row.save(update_fields=["mark_style", "public_mark_style"])
        events.record(
            action="programme.mark_styles_set",
            actor=by,
            target=row.public_id,
            now=now,
            data={"every": every, "public": public},
        )


def _check_slug(slug: str) -> None:
    try:
        validate_slug(slug)
        if len(slug) > 60:
            raise ValidationError("too long")
    except ValidationError:
        sentence = "A short name has letters, digits, hyphens and underscores, 60 at most."
        raise Invalid("bad_slug", sentence, fields={"slug": sentence}) from None
