"""What the Content Credentials of a clip's files tell of it."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Case, Value, When
from django.db.models.functions import NullIf

from generation.models import Video


@dataclass(frozen=True, slots=True)
class Told:
    """`model` and `variant` are those that made it; `source` and `source_code` name the clip that it comes from,
    `relation` how; `picture` is the public id of what it starts from, for a digest would tell whoever has a picture
    that this clip began with it."""

    code: str
    model: str
    variant: str
    relation: str
    source: str | None
    source_code: str | None
    picture: str | None
    author: str | None
    """The artist's public name, where they wish it to be told."""


def told(video: str) -> Told:
    """Of a clip that is finished. One statement."""
    columns = (
        "code",
        "master__attempt__model",
        "master__attempt__variant_name",
        "relation",
        "source__public_id",
        "source__code",
        "reference__public_id",
        Case(When(membership__credited=True, then=NullIf("membership__user__public_name", Value("")))),
    )
    return Told(*Video.objects.values_list(*columns).get(public_id=video))
