"""What a programme lets its artists render with, as data."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q


class Stage(models.TextChoices):
    DRAFT = "draft", "draft"
    FINAL = "final", "final"


class Codec(models.TextChoices):
    H264 = "h264", "H.264"
    AV1 = "av1", "AV1"


def default_rates() -> list[int]:
    return [24]


class ModelVariant(models.Model):
    """One way to render: a checkpoint with its steps and limits, and the queue of the workers that hold it.

    `slug` is the API's `model`. Costs are seconds of the daily allowance for each second of clip. Without cohorts
    it is everybody's. A worker that takes several queues serves the higher `priority` first.
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
    rates = ArrayField(
        models.PositiveSmallIntegerField(),
        default=default_rates,
        help_text="frames a second, 24 or 30 or both; the first is the default",
    )
    cost_per_second = models.PositiveSmallIntegerField(default=1)
    stage = models.CharField(max_length=5, choices=Stage, default=Stage.DRAFT)
    codec = models.CharField(max_length=4, choices=Codec, default=Codec.H264)
    images = models.BooleanField(default=False, help_text="a clip can start from a picture")
    adapters = models.BooleanField(default=False, help_text="styles with a LoRA file can be used")
    cohorts = models.ManyToManyField("programme.Cohort", related_name="+", blank=True)
    soft_limit = models.PositiveIntegerField(default=1200, help_text="seconds, then a render is stopped")
    hard_limit = models.PositiveIntegerField(default=1500, help_text="seconds, then its process is ended")
    priority = models.PositiveSmallIntegerField(default=0)
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
            models.CheckConstraint(
                condition=Q(soft_limit__gte=1, hard_limit__gt=models.F("soft_limit")),
                name="variant_limits_in_order",
            ),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="variant_stage_known"),
            models.CheckConstraint(condition=Q(codec__in=Codec.values), name="variant_codec_known"),
            models.CheckConstraint(condition=Q(rates__contained_by=[24, 30]), name="variant_rates_24_or_30"),
            models.CheckConstraint(
                condition=Q(sizes__len__gte=1, lengths__len__gte=1, rates__len__gte=1),
                name="variant_has_defaults",
            ),
        ]

    def __str__(self) -> str:
        return self.name
