"""Looking into a file that turned up somewhere: which copy does it descend from?"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from core.fields import PublicIdField
from generation.states import TraceState


class Trace(models.Model):
    """One run over one file, which goes when it ends; the digest and the answer stay.

    `numbers` are the marks that were named, the strongest first. For whom those copies were made is told once somebody
    else than who asked has confirmed it.
    """

    public_id = PublicIdField(prefix="trace")
    programme = models.ForeignKey("programme.Programme", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=120, help_text="of the file, as it was sent")
    note = models.CharField(max_length=300, blank=True, help_text="where it was found")
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    storage_key = models.CharField(max_length=200, blank=True, help_text="until the run has ended")
    state = models.CharField(max_length=10, choices=TraceState, default=TraceState.WAITING)
    stage = models.CharField(max_length=60, blank=True)
    done = models.PositiveSmallIntegerField(default=0)
    total = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True, unique=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    asked_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    sentence = models.TextField(blank=True, help_text="why it could not be read")
    numbers = ArrayField(models.BigIntegerField(), default=list, blank=True)
    recipients = models.JSONField(
        default=dict, blank=True, help_text="by number, whose each copy was when the file was looked into"
    )
    reading = models.JSONField(default=dict, blank=True)
    pictures = models.JSONField(default=dict, blank=True, help_text="key in the store, by name")
    confirmed_by = models.ForeignKey(
        "accounts.User", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    confirmed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-asked_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=TraceState.values), name="trace_state_known"),
            models.CheckConstraint(
                condition=Q(
                    state=TraceState.RUNNING, lease_token__isnull=False, lease_expires_at__isnull=False
                )
                | (~Q(state=TraceState.RUNNING) & Q(lease_token=None, lease_expires_at=None)),
                name="trace_running_has_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[TraceState.WAITING, TraceState.RUNNING], ended_at=None)
                | (~Q(state__in=[TraceState.WAITING, TraceState.RUNNING]) & Q(ended_at__isnull=False)),
                name="trace_ended_when",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_by=None, confirmed_at=None)
                | (
                    Q(state=TraceState.DONE, confirmed_by__isnull=False, confirmed_at__isnull=False)
                    & ~Q(numbers=[])
                    & ~Q(confirmed_by=F("asked_by"))
                ),
                name="trace_confirmed_by_somebody_else",
            ),
        ]
        indexes = [
            models.Index(fields=["programme", "-asked_at", "-id"], name="trace_of_programme"),
            models.Index(
                fields=["id"],
                name="trace_queue",
                condition=Q(state__in=[TraceState.WAITING, TraceState.RUNNING]),
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
