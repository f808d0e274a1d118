"""Publication exists only through an active grant, and covers only the files that it lists."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from core.fields import PublicIdField
from review.states import GrantState, RevokerRole


class ReleaseGrant(models.Model):
    """The house's yes to one Master. Its public id is the address of the share page: `/s/<id>`.

    A trigger keeps a revoked grant revoked. `media_epoch` counts up with each change of what may be served,
    for whoever keeps a copy.
    """

    public_id = PublicIdField(prefix="s")
    decision = models.OneToOneField("review.Decision", on_delete=models.PROTECT, related_name="grant")
    submission = models.ForeignKey("review.Submission", on_delete=models.PROTECT, related_name="grants")
    video = models.ForeignKey("generation.Video", on_delete=models.PROTECT, related_name="+")
    master = models.ForeignKey("generation.Master", on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=GrantState, default=GrantState.ACTIVE)
    active_from = models.DateTimeField()
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=80, blank=True, help_text="the actor")
    revoked_by_role = models.CharField(max_length=10, choices=RevokerRole, blank=True)
    revoked_reason = models.TextField(blank=True)
    media_epoch = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-active_from", "-id"]
        indexes = [
            models.Index(
                fields=["-active_from", "-id"], name="grant_on_view", condition=Q(state=GrantState.ACTIVE)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["video"], condition=Q(state=GrantState.ACTIVE), name="grant_one_active"
            ),
            models.CheckConstraint(condition=Q(state__in=GrantState.values), name="grant_state_known"),
            models.CheckConstraint(
                condition=(
                    Q(
                        state=GrantState.REVOKED,
                        revoked_at__isnull=False,
                        revoked_by_role__in=RevokerRole.values,
                    )
                    & ~Q(revoked_by="")
                )
                | (
                    ~Q(state=GrantState.REVOKED)
                    & Q(revoked_at=None, revoked_by="", revoked_by_role="", revoked_reason="")
                ),
                name="grant_revoked_says_who_and_when",
            ),
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("active_from")),
                name="grant_ends_after_it_begins",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class GrantedRendition(models.Model):
    """A file that a grant makes public, by its own digest."""

    grant = models.ForeignKey(ReleaseGrant, on_delete=models.PROTECT, related_name="renditions")
    rendition = models.ForeignKey("generation.Rendition", on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["grant", "rendition"], name="granted_once")]
        indexes = [models.Index(fields=["sha256"], name="granted_of_digest")]

    def __str__(self) -> str:
        return f"{self.grant_id}: {self.sha256[:12]}"
