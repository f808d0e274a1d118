"""Which number went into which copy."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Length

from generation.states import Purpose

models.BinaryField.register_lookup(Length)


class Mark(models.Model):
    """One copy of one clip, named by the number in its frames; all files cut from those frames carry it.

    The codeword is how the number is spread over the frames; without the key of its epoch it says nothing. A trigger
    lets nothing be changed or removed, save that a spare copy gets its purpose and recipient, once. What points to a
    mark agrees with it: a Copy in its clip, purpose and recipient, a Rendition in its clip.
    """

    number = models.BigIntegerField(unique=True, help_text="random, below 2**32")
    codeword = models.BinaryField(max_length=8)
    master = models.ForeignKey("generation.Master", on_delete=models.PROTECT, related_name="marks")
    purpose = models.CharField(max_length=10, choices=Purpose)
    recipient = models.CharField(
        max_length=80,
        blank=True,
        help_text="the actor that the copy was made for; empty until it is handed out",
    )
    key_epoch = models.CharField(max_length=24)
    made_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=0, number__lt=2**32), name="mark_number_has_32_bits"
            ),
            models.CheckConstraint(condition=Q(codeword__length=8), name="mark_codeword_has_8_bytes"),
            models.CheckConstraint(condition=Q(purpose__in=Purpose.values), name="mark_purpose_known"),
            models.CheckConstraint(condition=~Q(key_epoch=""), name="mark_has_a_key"),
            models.CheckConstraint(
                condition=Q(purpose=Purpose.SPARE, recipient="")
                | (~Q(purpose=Purpose.SPARE) & ~Q(recipient="")),
                name="mark_spare_or_somebodys",
            ),
            models.UniqueConstraint(
                fields=["master", "purpose", "recipient"],
                condition=~Q(purpose=Purpose.SPARE),
                name="mark_one_for_each_recipient",
            ),
            # Both look idle; they are what a rendition, and a copy, point at together with the number.
            models.UniqueConstraint(fields=["id", "master"], name="mark_of_master"),
            models.UniqueConstraint(
                fields=["id", "master", "purpose", "recipient"], name="mark_of_master_for_recipient"
            ),
        ]
        indexes = [models.Index(fields=["key_epoch"], name="mark_of_epoch")]

    def __str__(self) -> str:
        return f"{self.number:08x}"
