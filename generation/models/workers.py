"""Who renders, and whose turn it is."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

LONGEST_KIND = 160


class Worker(models.Model):
    """One process that renders, as it reported itself. It is there while `seen_at` is fresh and `stopped_at` empty."""

    name = models.CharField(max_length=80, unique=True, help_text="host and process")
    lanes = ArrayField(
        models.CharField(max_length=40), help_text="queues that it takes, the most urgent first"
    )
    kind = models.CharField(
        max_length=LONGEST_KIND, blank=True, help_text="hardware, dtype, rung and versions: equal bits"
    )
    held = models.JSONField(
        default=list, help_text="what it holds: checkpoint, digest, memory, load and warm time"
    )
    video = models.CharField(max_length=40, blank=True, help_text="what it renders now")
    finished = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        indexes = [models.Index(fields=["-seen_at"], name="worker_seen")]

    def __str__(self) -> str:
        return self.name


class QueueShare(models.Model):
    """How much of a queue a member has had: virtual seconds, the cost of what was begun over the cohort's weight.

    The queue serves whoever has had least. Method: start-time fair queueing (Goyal, Vin and Cheng, 1996).
    """

    queue = models.CharField(max_length=40)
    membership = models.ForeignKey("programme.Membership", on_delete=models.CASCADE, related_name="+")
    served = models.FloatField(
        default=0, help_text="finish tag of what was begun last: where the next one starts"
    )
    started = models.FloatField(
        default=0, help_text="start tag of what was begun last; a queue's highest is its virtual time"
    )
    served_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["queue", "membership"], name="queue_share_once")]

    def __str__(self) -> str:
        return f"{self.queue} {self.membership_id}"


class Pace(models.Model):
    """How long one clip of a variant, size and length keeps a worker of one kind busy: the median of the latest.

    What waits are told from. A forward that made several takes counts its share for each.
    """

    variant = models.ForeignKey("generation.ModelVariant", on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=LONGEST_KIND, blank=True, help_text="of the worker")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    seconds = models.PositiveSmallIntegerField()
    latest = ArrayField(models.PositiveIntegerField(), help_text="milliseconds, the newest first")
    median = models.PositiveIntegerField(help_text="milliseconds")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["variant", "kind", "width", "height", "seconds"], name="pace_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.variant_id} {self.width}x{self.height} {self.seconds} s: {self.median} ms"


class Place(models.Model):
    """A copy of a deep queue's line, a few seconds old: whoever waits there is told from it, and not by counting anew.

    No rows for queues that are short enough to be counted for each question. See `services.queueing.copy_deep_lines`.
    """

    video = models.OneToOneField(
        "generation.Video", on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    queue = models.CharField(max_length=40, db_index=True)
    place = models.PositiveIntegerField()
    wait = models.FloatField(null=True, help_text="seconds")
    busy = models.FloatField(null=True, help_text="seconds")

    def __str__(self) -> str:
        return f"{self.queue} {self.place}"
