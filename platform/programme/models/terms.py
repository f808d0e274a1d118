"""What participants agree to. Both tables only grow: triggers refuse UPDATE, DELETE and TRUNCATE."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from programme.models.memberships import Membership
from programme.models.programmes import Programme


class TermsVersion(models.Model):
    """One published text. The highest number is in force."""

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="terms_versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    published_at = models.DateTimeField()

    class Meta:
        ordering = ["programme", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "number"], name="terms_numbered_once"),
            models.CheckConstraint(condition=Q(number__gte=1), name="terms_number_from_one"),
        ]

    def __str__(self) -> str:
        return f"version {self.number}"


class TermsAcceptance(models.Model):
    """A member said yes to one version."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="acceptances")
    version = models.ForeignKey(TermsVersion, on_delete=models.PROTECT, related_name="acceptances")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["membership", "version"], name="terms_accepted_once")]

    def __str__(self) -> str:
        return f"{self.membership_id}: {self.version_id}"
