"""A programme begins."""

from __future__ import annotations

from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction

from audit import log
from core.actors import Actor
from core.errors import Invalid, WrongState
from programme import rules
from programme.models import Programme


def create(*, slug: str, name: str, mark_text: str, timezone: str, by: Actor, now: datetime) -> int:
    """Make a programme and return its id. Raises Invalid, naming the field, or WrongState (slug_taken)."""
    _check_slug(slug)
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


def _check_slug(slug: str) -> None:
    try:
        validate_slug(slug)
        if len(slug) > 60:
            raise ValidationError("too long")
    except ValidationError:
        sentence = "A short name has letters, digits, hyphens and underscores, 60 at most."
        raise Invalid("bad_slug", sentence, fields={"slug": sentence}) from None
