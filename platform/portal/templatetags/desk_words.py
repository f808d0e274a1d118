"""`portal.desk.words` for templates."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import template

from portal.desk import words

register = template.Library()


@register.filter
def due(at: datetime, now: datetime) -> str:
    return words.due(at, now)


@register.filter
def since(at: datetime, now: datetime) -> str:
    return words.span(now - at if now > at else timedelta())


@register.filter
def lower_first(text: str) -> str:
    """A title inside a sentence."""
    return text[:1].lower() + text[1:]
