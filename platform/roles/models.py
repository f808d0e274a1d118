"""Who holds which role, and where."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from roles.roles import Role

EVERYWHERE = "*"


class RoleGrant(models.Model):
    """One person's role, from `granted_at` to `revoked_at`. Ended grants stay: they are the history."""

    user = models.ForeignKey("accounts.User", on_delete=models.PROTECT, related_name="+")
    role = models.CharField(max_length=20, choices=[(role.value, role.value) for role in Role])
    scope = models.CharField(
        max_length=40, default=EVERYWHERE, help_text="a programme's public id, or * for all"
    )
    granted_by = models.CharField(max_length=80)
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "role", "scope"], condition=Q(revoked_at=None), name="role_held_once"
            ),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.scope}"
