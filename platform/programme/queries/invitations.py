"""Invitations as the office lists them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from programme.models import Invitation


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """`accepted_email` is the account that joined with it, which may have another address."""

    public_id: str
    email: str
    cohort_id: int
    cohort_name: str
    invited_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_email: str | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """accepted, revoked, expired or open."""
        if self.accepted_at is not None:
            return "accepted"
        if self.revoked_at is not None:
            return "revoked"
        return "open" if now < self.expires_at else "expired"


def invitations(programme_id: int, *, limit: int = 200) -> tuple[InvitationRow, ...]:
    """The latest first. One query."""
    rows = Invitation.objects.filter(cohort__programme_id=programme_id).order_by("-id")
    columns = (
        "public_id",
        "email",
        "cohort_id",
        "cohort__name",
        "invited_by",
        "created_at",
        "expires_at",
        "accepted_at",
        "accepted_by__email",
        "revoked_at",
    )
    return tuple(InvitationRow(*row) for row in rows.values_list(*columns)[:limit])
