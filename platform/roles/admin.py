from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from roles.models import RoleGrant


@admin.register(RoleGrant)
class RoleGrantAdmin(ReadOnlyAdmin[RoleGrant]):
    list_display = ["user", "role", "scope", "granted_by", "granted_at", "revoked_at"]
    list_filter = ["role", ("revoked_at", admin.EmptyFieldListFilter)]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__public_name"]
