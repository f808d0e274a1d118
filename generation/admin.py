from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit import log
from core import clock
from core.actors import Actor
from core.admin import ReadOnlyAdmin, TypedAdmin
from generation.models import (
    Adapter,
    Attempt,
    Character,
    Master,
    ModelVariant,
    Reference,
    Rendition,
    StylePreset,
    Video,
)


@admin.register(ModelVariant)
class ModelVariantAdmin(TypedAdmin[ModelVariant]):
    list_display = ["slug", "name", "programme", "backend", "checkpoint", "steps", "queue", "enabled"]
    list_filter = ["programme", "backend", "enabled"]

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False  # videos name the variant that made them

    def save_model(self, request: HttpRequest, obj: ModelVariant, form: Any, change: bool) -> None:
        """What is changed here is written to the log, as everywhere else."""
        user: Any = request.user
        with log.transaction() as events:
            super().save_model(request, obj, form, change)
            events.record(
                action="variant.put",
                actor=Actor("user", user.public_id, user.pk),
                target=obj.programme.public_id,
                now=clock.now(),
                data={"slug": obj.slug, "changed": sorted(form.changed_data)},
            )


@admin.register(Video)
class VideoAdmin(ReadOnlyAdmin[Video]):
    list_display = [
        "public_id",
        "code",
        "state",
        "variant",
        "membership",
        "created_at",
        "attempts_made",
        "error_code",
    ]
    list_filter = ["state", "variant"]
    search_fields = ["public_id", "code", "prompt"]
    list_select_related = ["variant", "membership__user"]
    date_hierarchy = "created_at"
    show_full_result_count = False


@admin.register(Attempt)
class AttemptAdmin(ReadOnlyAdmin[Attempt]):
    list_display = ["video", "number", "worker", "started_at", "ended_at", "end", "error"]
    list_filter = ["end"]
    list_select_related = ["video"]
    show_full_result_count = False


@admin.register(Master)
class MasterAdmin(ReadOnlyAdmin[Master]):
    list_display = ["video", "frames_sha256", "frame_count", "native_width", "native_height", "created_at"]
    list_select_related = ["video"]
    show_full_result_count = False


@admin.register(Rendition)
class RenditionAdmin(ReadOnlyAdmin[Rendition]):
    list_display = ["public_id", "kind", "master", "sha256", "bytes", "created_at", "removed_at"]
    list_filter = ["kind"]
    list_select_related = ["master__video"]
    search_fields = ["sha256", "public_id"]
    show_full_result_count = False


@admin.register(StylePreset)
class StylePresetAdmin(ReadOnlyAdmin[StylePreset]):
    list_display = ["public_id", "name", "programme", "membership", "adapter", "created_at", "retired_at"]
    list_filter = ["programme"]
    list_select_related = ["programme", "membership", "adapter"]
    search_fields = ["public_id", "name"]


@admin.register(Adapter)
class AdapterAdmin(ReadOnlyAdmin[Adapter]):
    list_display = [
        "public_id",
        "name",
        "programme",
        "membership",
        "checkpoint",
        "rank",
        "bytes",
        "retired_at",
    ]
    list_filter = ["programme", "checkpoint"]
    list_select_related = ["programme", "membership"]
    search_fields = ["public_id", "name", "sha256"]


@admin.register(Reference)
class ReferenceAdmin(ReadOnlyAdmin[Reference]):
    """What is known of a picture; the picture itself is its artist's alone."""

    list_display = [
        "public_id",
        "membership",
        "source",
        "frame",
        "width",
        "height",
        "created_at",
        "removed_at",
    ]
    list_select_related = ["membership", "source"]
    search_fields = ["public_id", "sha256"]
    show_full_result_count = False


@admin.register(Character)
class CharacterAdmin(ReadOnlyAdmin[Character]):
    list_display = ["public_id", "name", "membership", "created_at", "removed_at"]
    list_select_related = ["membership"]
    search_fields = ["public_id", "name"]
