"""An artist's wish to show a clip."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from core.fields import PublicIdField
from review.states import UNDECIDED, SubmissionState


class Submission(models.Model):
    """One wish to share one Master. What was approved is what is shown: a trigger lets title, note and the
    facts to be made public change only while changes are asked for."""

    public_id = PublicIdField(prefix="sub")
    video = models.ForeignKey("generation.Video", on_delete=models.PROTECT, related_name="+")
    master = models.ForeignKey("generation.Master", on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey("programme.Membership", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=120)
    note = models.TextField(blank=True, help_text="for the reviewer; never public")
    show_prompt = models.BooleanField(default=False)
    show_seed = models.BooleanField(default=False)
    show_variant = models.BooleanField(default=False)
    state = models.CharField(max_length=14, choices=SubmissionState, default=SubmissionState.OPEN)
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["video", "-created_at", "-id"], name="submission_of_video"),
            models.Index(fields=["membership", "-created_at", "-id"], name="submission_of_member"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["video"], condition=Q(state__in=sorted(UNDECIDED)), name="submission_one_undecided"
            ),
            models.CheckConstraint(
                condition=Q(state__in=SubmissionState.values), name="submission_state_known"
            ),
            models.CheckConstraint(condition=~Q(title=""), name="submission_has_title"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(UNDECIDED), closed_at=None)
                | (~Q(state__in=sorted(UNDECIDED)) & Q(closed_at__isnull=False)),
                name="submission_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.public_id})"
