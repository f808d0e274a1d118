from __future__ import annotations

from allauth.account.models import EmailAddress
from django.contrib import admin
from django.contrib.auth.models import Group

from accounts.models import User
from core.admin import ReadOnlyAdmin

# Whoever could change an address here could set the password of its account, and no log would know of it.
admin.site.unregister(EmailAddress)
admin.site.unregister(Group)


@admin.register(EmailAddress)
class EmailAddressAdmin(ReadOnlyAdmin[EmailAddress]):
    list_display = ["email", "user", "verified", "primary"]
    list_filter = ["verified"]
    search_fields = ["email"]
    list_select_related = ["user"]


@admin.register(User)
class UserAdmin(ReadOnlyAdmin[User]):
    """Accounts begin with an invitation and end in the office, so that the log knows of it."""

    list_display = ["email", "public_name", "public_id", "is_active", "is_staff", "date_joined", "last_login"]
    list_filter = ["is_active", "is_staff"]
    search_fields = ["email", "public_name", "public_id"]
    fields = ["public_id", "email", "public_name", "is_active", "is_staff", "date_joined", "last_login"]
    date_hierarchy = "date_joined"
    ordering = ["-date_joined"]
