"""What the Content Credentials of a clip's files tell of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Case, Value, When
from django.db.models.functions import NullIf

from generation.models import Video


@dataclass(frozen=True, slots=True)
class Told:
    """`source` and `source_code` name the clip that it comes from, `relation` how; `picture` is the digest of what it
    starts from."""

    code: str
    backend: str
    checkpoint: str
    variant_name: str
    relation: str
    source: str | None
    source_code: str | None
    picture: str | None
    author: str | None
    """The artist's public name, where they wish it to be told."""


def told(video: str) -> Told:
    """One statement."""
    columns = (
        "code",
        "variant__backend",
        "variant__checkpoint",
        "variant__name",
        "relation",
        "source__public_id",
        "source__code",
        "reference__sha256",
    )
    name = Case(When(membership__credited=True, then=NullIf("membership__user__public_name", Value(""))))
    return Told(*Video.objects.values_list(*columns, name).get(public_id=video))
