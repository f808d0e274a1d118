"""What the desk works on: the case, and each turn at it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from core.fields import PublicIdField
from review.states import CASE_CLOSED, TASK_OPEN, CaseState, TaskState


class ReviewCase(models.Model):
    """The review of one submission. It pins a Master: another Master means another case (trigger).

    `artist` repeats the membership's person, checked by a trigger, so that a claim can leave out a
    reviewer's own work in one statement.
    """

    public_id = PublicIdField(prefix="case")
    submission = models.OneToOneField("review.Submission", on_delete=models.PROTECT, related_name="case")
    master = models.ForeignKey("generation.Master", on_delete=models.PROTECT, related_name="+")
    programme = models.ForeignKey("programme.Programme", on_delete=models.PROTECT, related_name="+")
    artist = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=16, choices=CaseState, default=CaseState.QUEUED)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(
        help_text="until when the house answers; set anew when the artist sends it again"
    )
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-opened_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=CaseState.values), name="case_state_known"),
            models.CheckConstraint(condition=Q(due_at__gt=F("opened_at")), name="case_due_after_opening"),
            models.CheckConstraint(
                condition=Q(state__in=sorted(CASE_CLOSED), closed_at__isnull=False)
                | (~Q(state__in=sorted(CASE_CLOSED)) & Q(closed_at=None)),
                name="case_closed_has_time",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class ReviewTask(models.Model):
    """One turn at a case. While it is leased, exactly one reviewer holds it, named by a token that changes
    with each claim; a lease that has run out counts as free whether or not a sweep has tidied it."""

    public_id = PublicIdField(prefix="task")
    case = models.ForeignKey(ReviewCase, on_delete=models.PROTECT, related_name="tasks")
    state = models.CharField(max_length=10, choices=TaskState, default=TaskState.QUEUED)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    lease_reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    lease_token = models.UUIDField(null=True, blank=True)
    lease_started_at = models.DateTimeField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["due_at", "id"]
        indexes = [
            models.Index(
                fields=["due_at", "id"], name="task_queue", condition=Q(state__in=sorted(TASK_OPEN))
            ),
            models.Index(
                fields=["lease_expires_at"], name="task_leases", condition=Q(state=TaskState.LEASED)
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(state__in=sorted(TASK_OPEN)), name="task_one_open"
            ),
            models.UniqueConstraint(
                fields=["lease_reviewer"],
                condition=Q(state=TaskState.LEASED),
                name="task_one_lease_a_reviewer",
            ),
            models.CheckConstraint(condition=Q(state__in=TaskState.values), name="task_state_known"),
            models.CheckConstraint(
                condition=Q(
                    state=TaskState.LEASED,
                    lease_reviewer__isnull=False,
                    lease_token__isnull=False,
                    lease_started_at__isnull=False,
                    lease_expires_at__gt=F("lease_started_at"),
                )
                | (
                    ~Q(state=TaskState.LEASED)
                    & Q(lease_reviewer=None, lease_token=None, lease_started_at=None, lease_expires_at=None)
                ),
                name="task_lease_while_leased",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
