"""The job, and each try at it. The row is the queue: a broker message only wakes a worker."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core import ids
from core.fields import PublicIdField
from generation.models.workers import LONGEST_KIND
from generation.states import AttemptEnd, Relation, VideoState


class Video(models.Model):
    """A request to render, from its first moment to the end.

    While it is `in_progress` exactly one worker holds a lease, named by a token that changes with each claim.
    """

    public_id = PublicIdField(prefix="video")
    request = models.CharField(
        max_length=40, db_index=True, help_text="shared by all takes that were asked for together"
    )
    take = models.PositiveSmallIntegerField(default=1)
    code = models.CharField(
        max_length=9, unique=True, default=ids.clip_code, help_text="burnt into every frame"
    )
    membership = models.ForeignKey("programme.Membership", on_delete=models.PROTECT, related_name="+")
    variant = models.ForeignKey("generation.ModelVariant", on_delete=models.PROTECT, related_name="videos")
    requested_by = models.CharField(max_length=80, help_text="the actor: a person in the studio, or a token")
    state = models.CharField(max_length=12, choices=VideoState, default=VideoState.QUEUED)

    prompt = models.TextField()
    styled_prompt = models.TextField(blank=True, help_text="the prompt inside its style's template")
    earlier_prompt = models.TextField(
        blank=True, help_text="what the model was told for the clip that it comes from"
    )
    negative_prompt = models.TextField(blank=True)
    completed_prompt = models.TextField(blank=True, help_text="what the model was told in the end")
    ignored_words = ArrayField(
        models.CharField(max_length=80),
        default=list,
        blank=True,
        help_text="words that the model did not know",
    )
    # A style may be changed later; what a clip was made with stands in the clip.
    style = models.ForeignKey(
        "generation.StylePreset", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    adapter = models.ForeignKey(
        "generation.Adapter", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    adapter_weight = models.FloatField(null=True, blank=True)
    reference = models.ForeignKey(
        "generation.Reference",
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text="the picture that it starts from",
    )
    source = models.ForeignKey(
        "self", on_delete=models.PROTECT, related_name="descendants", null=True, blank=True
    )
    relation = models.CharField(
        max_length=8, choices=Relation, blank=True, help_text="how it comes from its source"
    )
    seed = models.BigIntegerField()
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    seconds = models.PositiveSmallIntegerField()
    fps = models.PositiveSmallIntegerField()
    steps = models.PositiveSmallIntegerField()
    guidance = models.FloatField()
    cost = models.PositiveIntegerField(help_text="seconds of the daily allowance")

    created_at = models.DateTimeField()
    queued_at = models.DateTimeField(
        help_text="its place in the queue; a lost worker does not cost the place"
    )
    retry_at = models.DateTimeField(null=True, blank=True, help_text="not before then, after a passing fault")
    expected_at = models.DateTimeField(
        null=True, blank=True, help_text="when it would be finished, as told when it was asked for"
    )
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    attempts_made = models.PositiveSmallIntegerField(default=0)
    lease_worker = models.CharField(max_length=80, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    error_code = models.CharField(max_length=40, blank=True)
    error_sentence = models.TextField(blank=True)
    starred_at = models.DateTimeField(null=True, blank=True)
    discarded_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["variant", "membership", "queued_at", "id"],
                name="video_queue",
                condition=Q(state=VideoState.QUEUED),
            ),
            models.Index(
                fields=["lease_expires_at"], name="video_leases", condition=Q(state=VideoState.IN_PROGRESS)
            ),
            models.Index(fields=["membership", "-created_at", "-id"], name="video_of_member"),
        ]
        constraints = [
            models.CheckConstraint(
                name="video_lease_while_rendering",
                condition=Q(
                    state=VideoState.IN_PROGRESS, lease_token__isnull=False, lease_expires_at__isnull=False
                )
                | (~Q(state=VideoState.IN_PROGRESS) & Q(lease_token=None, lease_expires_at=None)),
            ),
            models.CheckConstraint(
                name="video_finished_has_time",
                condition=Q(
                    state__in=[VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED],
                    finished_at__isnull=False,
                )
                | Q(state__in=[VideoState.QUEUED, VideoState.IN_PROGRESS], finished_at=None),
            ),
            models.CheckConstraint(
                name="video_failed_has_reason",
                condition=~Q(state=VideoState.FAILED) | (~Q(error_code="") & ~Q(error_sentence="")),
            ),
            models.CheckConstraint(
                name="video_deleted_only_when_ended",
                condition=Q(deleted_at=None)
                | Q(state__in=[VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED]),
            ),
            models.CheckConstraint(
                name="video_even_size", condition=Q(width__gt=0, height__gt=0, seconds__gt=0)
            ),
            models.UniqueConstraint(fields=["request", "take"], name="video_take_once"),
            models.CheckConstraint(name="video_take_of_sixteen", condition=Q(take__range=(1, 16))),
            models.CheckConstraint(
                name="video_source_has_relation",
                condition=Q(source=None, relation="")
                | (Q(source__isnull=False, relation__in=Relation.values) & ~Q(source=models.F("id"))),
            ),
            models.CheckConstraint(
                name="video_adapter_has_weight",
                condition=Q(adapter=None, adapter_weight=None)
                | Q(adapter__isnull=False, adapter_weight__isnull=False),
            ),
            models.CheckConstraint(
                name="video_starred_or_discarded", condition=Q(starred_at=None) | Q(discarded_at=None)
            ),
            models.CheckConstraint(name="video_state_known", condition=Q(state__in=VideoState.values)),
        ]

    def __str__(self) -> str:
        return self.public_id


class Attempt(models.Model):
    """One worker's try. A lost worker is an attempt's end, not a state of the video."""

    video = models.ForeignKey(Video, on_delete=models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    worker = models.CharField(max_length=80)
    lease_token = models.UUIDField(unique=True)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    end = models.CharField(max_length=10, choices=AttemptEnd, blank=True)
    error = models.TextField(blank=True, help_text="for the operator; the artist reads the video's sentence")
    checkpoint_digest = models.CharField(max_length=64, blank=True)
    model = models.CharField(
        max_length=300, blank=True, help_text="what may be told of the checkpoint's name"
    )
    variant_name = models.CharField(max_length=60, blank=True, help_text="as the variant was called then")
    worker_kind = models.CharField(
        max_length=LONGEST_KIND, blank=True, help_text="hardware, dtype, rung and versions: equal bits"
    )
    batch = models.PositiveSmallIntegerField(default=1, help_text="takes that went through one forward")
    place = models.PositiveSmallIntegerField(default=0, help_text="among them, from 0: the bits depend on it")
    rung = models.CharField(max_length=40, blank=True, help_text="of the memory ladder, when it finished")
    render_ms = models.PositiveIntegerField(null=True, blank=True)
    encode_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["video", "number"]
        indexes = [  # what the wait is told from: the latest that finished
            models.Index(fields=["-ended_at"], name="attempt_finished", condition=Q(end=AttemptEnd.FINISHED)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["video", "number"], name="attempt_number_once"),
            models.UniqueConstraint(fields=["video"], condition=Q(ended_at=None), name="attempt_one_running"),
            models.UniqueConstraint(
                fields=["video"], condition=Q(end=AttemptEnd.FINISHED), name="attempt_one_finishes"
            ),
            models.CheckConstraint(
                name="attempt_end_has_time",
                condition=Q(ended_at=None, end="") | (Q(ended_at__isnull=False) & ~Q(end="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.video_id} attempt {self.number}"
