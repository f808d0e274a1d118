"""API tokens."""

from __future__ import annotations

from functools import reduce
from operator import or_

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from access.kinds import KINDS, TokenKind
from core.fields import PublicIdField

NAME_LENGTH = 60


def _scopes_fit() -> Q:
    """Each kind holds its own scopes only."""
    cases = (Q(kind=kind.value, scopes__contained_by=sorted(rule.scopes)) for kind, rule in KINDS.items())
    return reduce(or_, cases)


class ApiToken(models.Model):
    """`lookup` stands in the token's text and finds the row; of the secret only a keyed digest is stored."""

    public_id = PublicIdField(prefix="tok")
    kind = models.CharField(max_length=3, choices=[(kind.value, kind.name.lower()) for kind in TokenKind])
    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    membership = models.ForeignKey(
        "programme.Membership", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    name = models.CharField(max_length=NAME_LENGTH)
    lookup = models.CharField(max_length=10, unique=True)
    digest = models.BinaryField(unique=True, max_length=32)
    scopes = ArrayField(models.CharField(max_length=20))
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.CharField(max_length=80, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="to the minute")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="tokens_of_user")]
        constraints = [
            models.CheckConstraint(
                condition=Q(kind=TokenKind.ARTIST, membership__isnull=False)
                | (~Q(kind=TokenKind.ARTIST) & Q(membership=None)),
                name="token_of_artist_has_membership",
            ),
            models.CheckConstraint(condition=_scopes_fit(), name="token_scopes_fit_its_kind"),
            models.CheckConstraint(condition=~Q(scopes=[]), name="token_opens_something"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="token_lasts"),
            models.CheckConstraint(
                condition=Q(revoked_at=None, revoked_by="")
                | (Q(revoked_at__isnull=False) & ~Q(revoked_by="")),
                name="token_revoked_by_somebody",
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
