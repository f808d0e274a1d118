"""What was decided, why, and by whom. Triggers refuse UPDATE and DELETE."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from core.fields import PublicIdField
from review.states import Outcome


class Decision(models.Model):
    """One answer to one task. `lease_token` is the lease it was made under; a second submit is known by it."""

    public_id = PublicIdField(prefix="dec")
    task = models.OneToOneField("review.ReviewTask", on_delete=models.PROTECT, related_name="decision")
    case = models.ForeignKey("review.ReviewCase", on_delete=models.PROTECT, related_name="decisions")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    outcome = models.CharField(max_length=10, choices=Outcome)
    policy = models.ForeignKey("review.PolicyVersion", on_delete=models.PROTECT, related_name="+")
    facts = models.TextField(blank=True)
    master_sha256 = models.CharField(max_length=64)
    lease_token = models.UUIDField(unique=True, editable=False)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["reviewer", "-at", "-id"], name="decision_of_reviewer"),
            models.Index(fields=["case", "reviewer"], name="decision_case_reviewer"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="decision_outcome_known"),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.APPROVE) | Q(facts__regex=r"\S"),
                name="decision_negative_has_facts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} ({self.public_id})"


class DecisionReason(models.Model):
    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="reasons")
    reason = models.ForeignKey("review.ReasonCode", on_delete=models.PROTECT, related_name="+")

    class Meta:
        ordering = ["decision", "id"]
        constraints = [models.UniqueConstraint(fields=["decision", "reason"], name="decision_reason_once")]

    def __str__(self) -> str:
        return f"{self.decision_id}: {self.reason_id}"
