"""How clips get a look that holds: presets, and the LoRA files that some of them load."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from core.fields import PublicIdField


class Adapter(models.Model):
    """A LoRA file in diffusers' layout, checked when it was uploaded; its bytes never change.

    `checkpoint` is the variant's that it was made for. Without cohorts it is everybody's in the programme.
    """

    public_id = PublicIdField(prefix="lora")
    programme = models.ForeignKey("programme.Programme", on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey(
        "programme.Membership",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="whose it is; empty for the programme's own",
    )
    name = models.CharField(max_length=60)
    checkpoint = models.CharField(max_length=300)
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    rank = models.PositiveSmallIntegerField()
    targets = ArrayField(models.CharField(max_length=200), help_text="modules that it changes")
    storage_key = models.CharField(max_length=200, unique=True)
    cohorts = models.ManyToManyField("programme.Cohort", related_name="+", blank=True)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["programme", "name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(sha256__length=64, bytes__gt=0, rank__gt=0), name="adapter_was_checked"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class StylePreset(models.Model):
    """A prompt template with `{prompt}` in it, and what goes with it. The programme's, or one member's own."""

    public_id = PublicIdField(prefix="style")
    programme = models.ForeignKey("programme.Programme", on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey(
        "programme.Membership", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    name = models.CharField(max_length=60)
    description = models.CharField(max_length=200, blank=True)
    template = models.CharField(max_length=500, default="{prompt}")
    negative_prompt = models.CharField(max_length=1000, blank=True)
    guidance = models.FloatField(null=True, blank=True, help_text="instead of the variant's")
    adapter = models.ForeignKey(
        Adapter, on_delete=models.PROTECT, related_name="styles", null=True, blank=True
    )
    adapter_weight = models.FloatField(default=1.0)
    cohorts = models.ManyToManyField("programme.Cohort", related_name="+", blank=True)
    position = models.PositiveSmallIntegerField(default=0)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["programme", "position", "name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "programme",
                condition=Q(membership=None, retired_at=None),
                name="style_name_once_in_programme",
            ),
            models.UniqueConstraint(
                Lower("name"),
                "membership",
                condition=Q(membership__isnull=False, retired_at=None),
                name="style_name_once_for_member",
            ),
            models.CheckConstraint(condition=Q(template__contains="{prompt}"), name="style_holds_prompt"),
            models.CheckConstraint(
                condition=Q(guidance=None) | Q(guidance__range=(0, 30)), name="style_guidance_in_range"
            ),
            models.CheckConstraint(condition=Q(adapter_weight__range=(-2, 2)), name="style_weight_in_range"),
        ]

    def __str__(self) -> str:
        return self.name
