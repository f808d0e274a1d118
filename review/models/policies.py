"""The published rules that decisions are made by."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class PolicyVersion(models.Model):
    """One version of a programme's policy. Once published, a trigger refuses every change to it and its reasons."""

    programme = models.ForeignKey("programme.Programme", on_delete=models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    text = models.TextField()
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["programme", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "number"], name="policy_number_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="policy_counts_from_one"),
        ]

    def __str__(self) -> str:
        return f"policy {self.number}"


class ReasonCode(models.Model):
    """A reason of a policy version. `may_be_used` False: it is on the published list of reasons that never count."""

    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="reasons")
    code = models.CharField(max_length=12, validators=[RegexValidator(r"^[A-Z][A-Z0-9-]*$")])
    title = models.CharField(max_length=120)
    explanation = models.TextField()
    may_be_used = models.BooleanField()

    class Meta:
        ordering = ["policy", "code"]
        constraints = [models.UniqueConstraint(fields=["policy", "code"], name="reason_code_once")]

    def __str__(self) -> str:
        return f"{self.code} {self.title}"
