"""Pictures that a clip can start from: uploaded, or a frame of an own clip; and characters, named sets of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from core.fields import PublicIdField


class Reference(models.Model):
    """One picture of a member, stored as PNG.

    What was sent is kept without metadata. From a clip, it is frame `frame` (from 0, at the model's own rate) of that
    clip's native frames: once a worker has made it, marked and signed to look at, and sealed for renders.
    """

    public_id = PublicIdField(prefix="ref")
    membership = models.ForeignKey("programme.Membership", on_delete=models.PROTECT, related_name="+")
    sha256 = models.CharField(max_length=64, blank=True)
    bytes = models.PositiveBigIntegerField(default=0)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    storage_key = models.CharField(max_length=200, unique=True)
    source = models.ForeignKey(
        "generation.Video", on_delete=models.PROTECT, related_name="references", null=True, blank=True
    )
    frame = models.PositiveIntegerField(null=True, blank=True)
    native_key = models.CharField(max_length=200, blank=True, help_text="of the sealed frame")
    native_sha256 = models.CharField(max_length=64, blank=True)
    tries = models.PositiveSmallIntegerField(default=0, help_text="to make it")
    lease_token = models.UUIDField(
        null=True, blank=True, unique=True, help_text="of the worker that is at it"
    )
    retry_at = models.DateTimeField(null=True, blank=True, help_text="when another may be")
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    made_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["membership", "-created_at", "-id"], name="reference_of_member"),
            models.Index(fields=["sha256"], name="reference_of_digest"),
            models.Index(fields=["id"], name="reference_unmade", condition=Q(made_at=None, removed_at=None)),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(width__gt=0, height__gt=0)
                & (
                    Q(made_at__isnull=False, sha256__length=64, bytes__gt=0)
                    | Q(made_at=None, sha256="", bytes=0, source__isnull=False)
                ),
                name="reference_has_digest",
            ),
            models.CheckConstraint(
                condition=Q(source=None, native_key="")
                | Q(source__isnull=False, made_at=None, native_key="")
                | (
                    Q(source__isnull=False, made_at__isnull=False, native_sha256__length=64)
                    & ~Q(native_key="")
                ),
                name="reference_frame_is_sealed",
            ),
            models.CheckConstraint(
                condition=Q(source=None, frame=None) | Q(source__isnull=False, frame__isnull=False),
                name="reference_frame_of_source",
            ),
            models.CheckConstraint(
                condition=Q(made_at=None) | Q(lease_token=None), name="reference_made_has_no_lease"
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Character(models.Model):
    """A named set of pictures of one and the same, from the member's own clips."""

    public_id = PublicIdField(prefix="char")
    membership = models.ForeignKey("programme.Membership", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=60)
    pictures = models.ManyToManyField(
        Reference, through="generation.CharacterPicture", related_name="characters"
    )
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                Lower("name"), "membership", condition=Q(removed_at=None), name="character_name_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class CharacterPicture(models.Model):
    """One picture of a character; the one with the lowest position is taken where one must be chosen."""

    character = models.ForeignKey(Character, on_delete=models.CASCADE, related_name="entries")
    reference = models.ForeignKey(Reference, on_delete=models.PROTECT, related_name="+")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["character", "position"]
        constraints = [
            models.UniqueConstraint(fields=["character", "position"], name="character_position_once"),
            models.UniqueConstraint(fields=["character", "reference"], name="character_picture_once"),
        ]

    def __str__(self) -> str:
        return f"{self.character_id} {self.position}"
