"""What the Content Credentials of a clip's files tell of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db.models import Case, CharField, Value, When
from django.db.models.functions import Concat, NullIf

from generation.models import Video

OURS: Final = "urn:private-view:"
DIGEST: Final = "urn:sha256:"
"""Before a public id, and before a digest: a frame of a clip has none yet while nobody has taken it out."""


@dataclass(frozen=True, slots=True)
class Told:
    """`model` and `variant` are those that made it; `source` and `source_code` name the clip that it comes from,
    `relation` how; `picture` is the URN of what it starts from."""

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
    picture = Case(
        When(reference__frame__isnull=False, then=_after(OURS, "reference__public_id")),
        When(reference__isnull=False, then=_after(DIGEST, "reference__sha256")),
    )
    columns = (
        "code",
        "master__attempt__model",
        "master__attempt__variant_name",
        "relation",
        "source__public_id",
        "source__code",
        picture,
        Case(When(membership__credited=True, then=NullIf("membership__user__public_name", Value("")))),
    )
    return Told(*Video.objects.values_list(*columns).get(public_id=video))


def _after(prefix: str, column: str) -> Concat:
    return Concat(Value(prefix), column, output_field=CharField())
