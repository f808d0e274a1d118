"""A programme and the groups of people that it admits."""

from __future__ import annotations

from django.db import models

from core.fields import PublicIdField

MARK_LENGTH = 24


class MarkStyle(models.TextChoices):
    """How the visible mark looks."""

    PLATE = "plate", "Light letters on a dark plate"
    OUTLINE = "outline", "Letters with a thin edge"
    DISCREET = "discreet", "Small, pale and still: for what is on view alone"


class Programme(models.Model):
    """One model's early access: the frame of everything that is made in it."""

    public_id = PublicIdField(prefix="prg")
    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    mark_text = models.CharField(
        max_length=MARK_LENGTH, help_text="stands in every frame, before the clip's code"
    )
    mark_style = models.CharField(
        max_length=10,
        choices=MarkStyle,
        default=MarkStyle.PLATE,
        help_text="on every copy that is handed out",
    )
    public_mark_style = models.CharField(
        max_length=10, choices=MarkStyle, default=MarkStyle.PLATE, help_text="on what is approved to be shown"
    )
    timezone = models.CharField(
        max_length=64, help_text="IANA name; the day of the quota ends at its midnight"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=~models.Q(mark_text=""), name="programme_has_a_mark"),
            models.CheckConstraint(
                condition=models.Q(mark_style__in=[MarkStyle.PLATE, MarkStyle.OUTLINE])
                & models.Q(public_mark_style__in=MarkStyle.values),
                name="programme_mark_styles_known",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Cohort(models.Model):
    """People admitted together, with the same daily allowance of clip seconds."""

    public_id = PublicIdField(prefix="coh")
    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="cohorts")
    name = models.CharField(max_length=80)
    daily_seconds = models.PositiveIntegerField()
    queue_weight = models.PositiveSmallIntegerField(
        default=1, help_text="a member's share of the render queue, against 1 for others"
    )
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(queue_weight__range=(1, 100)), name="cohort_weight_in_range"
            ),
            models.UniqueConstraint(fields=["programme", "name"], name="cohort_named_once"),
            # Looks idle; it is what a membership's cohort and programme point at together.
            models.UniqueConstraint(fields=["id", "programme"], name="cohort_of_programme"),
        ]

    def __str__(self) -> str:
        return self.name
