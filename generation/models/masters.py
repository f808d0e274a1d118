"""What a finished attempt made."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from core.fields import PublicIdField

models.CharField.register_lookup(Length)


class Master(models.Model):
    """The result of one finished attempt: the frames, named by the digest of their raw bytes.

    A review case pins a Master; another Master means another case.
    """

    video = models.OneToOneField("generation.Video", on_delete=models.PROTECT, related_name="master")
    attempt = models.OneToOneField("generation.Attempt", on_delete=models.PROTECT, related_name="master")
    frames_sha256 = models.CharField(max_length=64)
    frame_count = models.PositiveIntegerField()
    native_width = models.PositiveSmallIntegerField()
    native_height = models.PositiveSmallIntegerField()
    native_frames = models.PositiveSmallIntegerField()
    windows = models.PositiveSmallIntegerField(
        default=1, help_text="stretches rendered one after the other, each from the last picture before"
    )
    # The native frames without loss and without a mark: what copies, references and later windows are made from. No
    # Rendition, so that nothing can hand it out.
    source_key = models.CharField(max_length=200, blank=True)
    source_sha256 = models.CharField(max_length=64, blank=True)
    source_bytes = models.PositiveBigIntegerField(default=0)
    method = models.CharField(max_length=300, help_text="how native frames became the delivered ones")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(frames_sha256__length=64), name="master_has_digest")
        ]

    def __str__(self) -> str:
        return f"master of {self.video_id}"


class RenditionKind(models.TextChoices):
    MP4 = "mp4", "video"
    POSTER = "poster", "poster"
    SPRITE = "sprite", "small frames in one picture"
    VTT = "vtt", "times of the small frames"
    SHEET = "sheet", "contact sheet"


class Rendition(models.Model):
    """A file made from a Master for somebody. The row and its digest stay when the file is removed."""

    public_id = PublicIdField(prefix="rend")
    master = models.ForeignKey(Master, on_delete=models.PROTECT, related_name="renditions")
    kind = models.CharField(max_length=10, choices=RenditionKind)
    mark = models.ForeignKey(
        "generation.Mark",
        on_delete=models.PROTECT,
        related_name="renditions",
        null=True,
        help_text="the number in its frames; none where every clip has the same ones, as in benchmarks",
    )
    sha256 = models.CharField(max_length=64)
    bytes = models.PositiveBigIntegerField()
    media_type = models.CharField(max_length=40)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    storage_key = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["master", "kind"]
        constraints = [
            models.UniqueConstraint(
                fields=["master", "kind", "mark"],
                condition=Q(removed_at=None),
                nulls_distinct=False,
                name="rendition_once",
            ),
            models.CheckConstraint(condition=Q(sha256__length=64, bytes__gt=0), name="rendition_has_digest"),
        ]
        indexes = [models.Index(fields=["sha256"], name="rendition_of_digest")]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"
