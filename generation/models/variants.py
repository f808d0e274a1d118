"""What a programme lets its artists render with, as data."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class ModelVariant(models.Model):
    """One way to render: a checkpoint with its steps and limits, and the queue of the workers that hold it.

    `slug` is the API's `model`. Costs are seconds of the daily allowance for each second of clip.
    """

    programme = models.ForeignKey("programme.Programme", on_delete=models.PROTECT, related_name="+")
    slug = models.CharField(max_length=40, validators=[RegexValidator(r"^[a-z0-9][a-z0-9.-]*$")])
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    backend = models.CharField(max_length=20)
    checkpoint = models.CharField(
        max_length=300, help_text="“builtin”, a folder, or a hub id, with @revision"
    )
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    sizes = ArrayField(models.CharField(max_length=9), help_text="WIDTHxHEIGHT, the first is the default")
    lengths = ArrayField(models.PositiveSmallIntegerField(), help_text="seconds, the first is the default")
    fps = models.PositiveSmallIntegerField(default=24)
    cost_per_second = models.PositiveSmallIntegerField(default=1)
    queue = models.CharField(max_length=40, validators=[RegexValidator(r"^[a-z0-9-]+$")])
    position = models.PositiveSmallIntegerField(
        default=0, help_text="order in lists; the first is the default"
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["programme", "position", "slug"]
        constraints = [
            models.UniqueConstraint(fields=["programme", "slug"], name="variant_slug_once"),
            models.CheckConstraint(condition=Q(steps__gte=1), name="variant_has_steps"),
            models.CheckConstraint(condition=Q(fps__in=[24, 30]), name="variant_fps_24_or_30"),
            models.CheckConstraint(
                condition=Q(sizes__len__gte=1, lengths__len__gte=1), name="variant_has_defaults"
            ),
        ]

    def __str__(self) -> str:
        return self.name
