"""Django admin for what must not be edited by hand: services are the only writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

M = TypeVar("M", bound=Model)

if TYPE_CHECKING:
    TypedAdmin = admin.ModelAdmin
else:

    class TypedAdmin(admin.ModelAdmin, Generic[M]):
        """Django's own is generic in the stubs only."""


class ReadOnlyAdmin(TypedAdmin[M]):
    """Lists and shows, never writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
