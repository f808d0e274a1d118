"""Whose time a page tells, where its reader belongs to no programme."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils import timezone

from programme import queries


def tell_house_time() -> None:
    """As the house's first programme does. One statement."""
    programme = queries.programme()
    if programme is not None:
        timezone.activate(ZoneInfo(programme.timezone))
