"""Tables of the log. They have no foreign keys: the log must outlive whatever it speaks of."""

from __future__ import annotations

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q


class AuditHead(models.Model):
    """One row: the last number and the last hash. Its lock puts all writers of the chain in line."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField(default=0)
    hash = models.BinaryField(default=b"\0" * 32)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_head_is_one_row")]


class AuditEvent(models.Model):
    """What happened, who did it, to what. A trigger refuses UPDATE, DELETE and TRUNCATE.

    `seq` is drawn from the head row under its lock, not from a sequence: a sequence hands out numbers
    before the lock, so that the order of numbers is not the order of the chain.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=60)
    target = models.CharField(max_length=80)
    data = models.JSONField(default=dict)
    previous = models.BinaryField()
    hash = models.BinaryField(unique=True)

    class Meta:
        ordering = ["-seq"]
        indexes = [
            models.Index(fields=["target", "seq"], name="audit_target"),
            models.Index(fields=["actor", "seq"], name="audit_actor"),
            BrinIndex(fields=["at"], name="audit_at"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.target}"


class OutboxEvent(models.Model):
    """Something that has to leave the house, written in the transaction that made it necessary."""

    topic = models.CharField(max_length=60)
    payload = models.JSONField()
    created_at = models.DateTimeField()
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    delivered_at = models.DateTimeField(null=True, blank=True)
    last_error = models.TextField(blank=True)

    class Meta:
        ordering = ["id"]
        indexes = [
            models.Index(fields=["due_at", "id"], name="outbox_pending", condition=Q(delivered_at=None))
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.pk}"
