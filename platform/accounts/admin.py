from __future__ import annotations

from django.contrib import admin

from accounts.models import User
from core.admin import ReadOnlyAdmin


@admin.register(User)
class UserAdmin(ReadOnlyAdmin[User]):
    """Accounts begin with an invitation and end in the office, so that the log knows of it."""

    list_display = ["email", "public_name", "public_id", "is_active", "is_staff", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["email", "public_name", "public_id"]
    fields = ["public_id", "email", "public_name", "is_active", "is_staff", "date_joined", "last_login"]
    date_hierarchy = "date_joined"
    ordering = ["-date_joined"]
