"""How somebody comes in, and what they are then."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.fields import PublicIdField
from programme.models.programmes import Cohort, Programme
from programme.states import MembershipState


class Invitation(models.Model):
    """May be used once, by whoever holds the link. The link's secret is stored as a keyed digest."""

    public_id = PublicIdField(prefix="inv")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="invitations")
    email = models.EmailField(
        max_length=254, help_text="where it was mailed; an account may join with another address"
    )
    lookup = models.CharField(max_length=10, unique=True, editable=False)
    digest = models.BinaryField(unique=True, max_length=32)
    invited_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(accepted_at=None, accepted_by=None)
                | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                name="invitation_accepted_by_somebody",
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(revoked_at=None), name="invitation_ends_one_way"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="invitation_lasts"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Membership(models.Model):
    """A person in a programme. Tokens, clips and quota hang here: a person can be in two."""

    public_id = PublicIdField(prefix="mem")
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="memberships")
    cohort = models.ForeignKey(Cohort, on_delete=models.PROTECT, related_name="memberships")
    state = models.CharField(max_length=10, choices=MembershipState, default=MembershipState.ACTIVE)
    joined_at = models.DateTimeField()
    credited = models.BooleanField(
        default=False,
        db_default=False,
        help_text="the public name is written into the Content Credentials of files made from now on",
    )

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user", "programme"], name="member_once"),
            # Looks idle; it is what a token's membership and person point at together.
            models.UniqueConstraint(fields=["id", "user"], name="membership_of_user"),
            models.CheckConstraint(
                condition=Q(state__in=MembershipState.values), name="membership_state_is_known"
            ),
        ]
        indexes = [models.Index(fields=["programme", "-id"], name="members_by_page")]

    def __str__(self) -> str:
        return self.public_id
