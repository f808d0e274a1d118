"""Reviewers belong to no programme: the desk tells the time as the house's first programme does."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils import timezone

from programme import queries


def tell_house_time() -> None:
    programme = queries.programme()
    if programme is not None:
        timezone.activate(ZoneInfo(programme.timezone))
