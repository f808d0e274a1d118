from __future__ import annotations

from django.contrib import admin

from audit.models import AuditEvent, OutboxEvent
from core.admin import ReadOnlyAdmin


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin[AuditEvent]):
    list_display = ["seq", "at", "actor", "action", "target"]
    list_filter = ["action"]
    search_fields = ["actor", "target"]
    show_full_result_count = False


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyAdmin[OutboxEvent]):
    list_display = ["id", "topic", "created_at", "attempts", "delivered_at", "last_error"]
    list_filter = ["topic"]
    show_full_result_count = False
