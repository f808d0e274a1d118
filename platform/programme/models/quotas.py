"""How much a member may render in a day, and every movement of it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from programme.models.memberships import Membership


class QuotaKind(models.TextChoices):
    RESERVE = "reserve", "reserve"
    SETTLE = "settle", "settle"
    RELEASE = "release", "release"


class QuotaAllowance(models.Model):
    """One member's day in the programme's time zone. Seconds of clip; `reserved` is neither used nor free."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="allowances")
    day = models.DateField()
    limit_seconds = models.PositiveIntegerField()
    reserved = models.IntegerField(default=0)
    used = models.IntegerField(default=0)

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "day"], name="allowance_of_day"),
            models.CheckConstraint(condition=Q(reserved__gte=0), name="quota_reserved_not_negative"),
            models.CheckConstraint(condition=Q(used__gte=0), name="quota_used_not_negative"),
            models.CheckConstraint(
                condition=Q(limit_seconds__gte=F("reserved") + F("used")), name="quota_within_limit"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day}: {self.reserved} + {self.used} of {self.limit_seconds}"


class QuotaEntry(models.Model):
    """A line of the ledger; it only grows. A video reserves once, then settles or releases once."""

    membership = models.ForeignKey(Membership, on_delete=models.PROTECT, related_name="quota_entries")
    allowance = models.ForeignKey(QuotaAllowance, on_delete=models.PROTECT, related_name="entries")
    video = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=QuotaKind)
    seconds = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["video", "kind"], name="quota_moves_once"),
            models.UniqueConstraint(
                fields=["video"], condition=Q(kind__in=["settle", "release"]), name="quota_ends_once"
            ),
            models.CheckConstraint(condition=Q(kind__in=QuotaKind.values), name="quota_kind_is_known"),
            models.CheckConstraint(condition=Q(seconds__gt=0), name="quota_moves_something"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.seconds} s, {self.video}"
