"""The clip that another one comes from: the member's own, and still there."""

from __future__ import annotations

from core.errors import Invalid, NotFound, WrongState
from generation.models import Video
from generation.rules import Order
from generation.services.orders import Basis
from generation.states import Relation, VideoState
from programme.queries import MembershipView


def own(member: MembershipView, video: str) -> Video:
    """A clip of the member's that is not deleted, in whatever state. Raises NotFound. One statement."""
    rows = Video.objects.select_related("variant", "style", "adapter", "reference")
    row = rows.filter(public_id=video, membership_id=member.id, deleted_at=None).first()
    if row is None:
        raise NotFound("not_found", "There is no such clip.")
    return row


def finished(member: MembershipView, video: str) -> Video:
    """Likewise, one that has rendered. Raises WrongState (not_completed)."""
    row = own(member, video)
    if row.state != VideoState.COMPLETED:
        sentence = f"This clip is {row.get_state_display()}. Choose one that has rendered."
        raise WrongState("not_completed", sentence)
    return row


def basis(member: MembershipView, order: Order) -> Basis | None:
    """What an order itself says of where it comes from: only a remix may keep whatever it likes."""
    if order.source is None or order.relation is None:
        return None
    if order.relation != Relation.REMIX:
        sentence = (
            "An order can name the clip that it remixes. Extend, finish or repeat a clip from that clip."
        )
        raise Invalid("invalid_request", sentence, fields={"relation": sentence})
    return Basis(own(member, order.source), Relation.REMIX)
