"""Copies of a clip that were made for somebody else than its artist."""

from __future__ import annotations

from enum import StrEnum

from generation.models import Copy, Rendition
from generation.queries.views import MasterView, RenditionView, rendition_view
from generation.states import CopyState, Purpose


class Standing(StrEnum):
    READY = "ready"
    MAKING = "making"
    FAILED = "failed"


def standing(master: MasterView, purpose: Purpose, recipient: str) -> Standing:
    """Whether somebody's copy can be looked at; one that nobody asked for is as good as in the making. One statement,
    none where nothing is marked and there is one copy for all.
    """
    if not master.marked:
        return Standing.READY
    rows = Copy.objects.filter(master_id=master.id, purpose=purpose, recipient=recipient)
    match rows.values_list("state", flat=True).first():
        case CopyState.READY:
            return Standing.READY
        case CopyState.FAILED:
            return Standing.FAILED
        case _:
            return Standing.MAKING


def renditions(master: MasterView, purpose: Purpose, recipient: str) -> tuple[RenditionView, ...]:
    """The files of somebody's copy, none until it is ready. One statement, none where nothing is marked."""
    if not master.marked:
        return master.renditions
    rows = Rendition.objects.filter(
        master_id=master.id, mark__purpose=purpose, mark__recipient=recipient, removed_at=None
    )
    return tuple(rendition_view(row) for row in rows.order_by("kind"))
