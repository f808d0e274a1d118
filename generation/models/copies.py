"""Copies of a clip for others than its artist, made one after the other."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from generation.states import CopyState, Purpose


class Copy(models.Model):
    """One copy: asked for, then made by a worker that has the keys. A spare is made before anybody asks.

    The artist's own copy has no row here: the render makes it. It has its Mark from the first try on, before any file
    with that number can be stored, and keeps it however often it is tried. Ready, it has that one's Renditions.
    """

    master = models.ForeignKey("generation.Master", on_delete=models.PROTECT, related_name="copies")
    purpose = models.CharField(max_length=10, choices=Purpose)
    recipient = models.CharField(max_length=80, blank=True, help_text="the actor that it is for")
    style = models.CharField(max_length=10, help_text="how its visible mark looks")
    author = models.CharField(
        max_length=150, blank=True, help_text="whom its files name, from the first try on"
    )
    state = models.CharField(max_length=10, choices=CopyState, default=CopyState.WAITING)
    mark = models.OneToOneField(
        "generation.Mark", on_delete=models.PROTECT, related_name="copy", null=True, blank=True
    )
    lease_token = models.UUIDField(null=True, blank=True, unique=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    handed_at = models.DateTimeField(
        null=True, blank=True, help_text="when a spare that was ready became somebody's"
    )
    found_at = models.DateTimeField(
        null=True, blank=True, help_text="when a spare's number was read in a file, while it was nobody's"
    )

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "copies"
        constraints = [
            models.UniqueConstraint(
                fields=["master", "purpose", "recipient"],
                condition=~Q(purpose=Purpose.SPARE),
                name="copy_one_for_each_recipient",
            ),
            models.CheckConstraint(
                condition=Q(purpose=Purpose.SPARE, recipient="")
                | (~Q(purpose=Purpose.SPARE) & ~Q(recipient="")),
                name="copy_spare_or_somebodys",
            ),
            models.CheckConstraint(condition=Q(state__in=CopyState.values), name="copy_state_known"),
            models.CheckConstraint(
                condition=Q(state=CopyState.READY, mark__isnull=False, made_at__isnull=False)
                | Q(state=CopyState.MAKING, mark__isnull=False, made_at=None)
                | (~Q(state__in=[CopyState.READY, CopyState.MAKING]) & Q(made_at=None)),
                name="copy_begun_has_its_mark",
            ),
            models.CheckConstraint(
                condition=Q(state=CopyState.MAKING, lease_token__isnull=False, lease_expires_at__isnull=False)
                | (~Q(state=CopyState.MAKING) & Q(lease_token=None, lease_expires_at=None)),
                name="copy_making_has_a_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                name="copy_queue",
                condition=Q(state__in=[CopyState.WAITING, CopyState.MAKING]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} of {self.master_id}"
