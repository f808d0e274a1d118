"""Visitors are in no programme: they are told times, terms and policy of the house's first one."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils import timezone

from programme import queries as programme
from programme.queries import ProgrammeView


def tell_house_time(slug: str | None = None) -> ProgrammeView | None:
    """Visitors are in no programme: they read times as the house's first one does. One statement."""
    house = programme.programme(slug)
    if house is not None:
        timezone.activate(ZoneInfo(house.timezone))
    return house
