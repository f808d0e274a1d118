from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from review.models import (
    Decision,
    DecisionReason,
    GrantedRendition,
    PolicyVersion,
    ReasonCode,
    ReleaseGrant,
    ReviewCase,
    ReviewTask,
    Submission,
)


class ReadOnlyRows:
    """Rows of another table under the one that is shown."""

    can_delete = False
    extra = 0

    def has_add_permission(self, request: object, obj: object = None) -> bool:
        return False

    def has_change_permission(self, request: object, obj: object = None) -> bool:
        return False


class ReasonInline(ReadOnlyRows, admin.TabularInline):  # type: ignore[type-arg]  # takes no parameters at run time
    model = ReasonCode


class DecisionReasonInline(ReadOnlyRows, admin.TabularInline):  # type: ignore[type-arg]  # takes no parameters at run time
    model = DecisionReason


class GrantedInline(ReadOnlyRows, admin.TabularInline):  # type: ignore[type-arg]  # takes no parameters at run time
    model = GrantedRendition


@admin.register(PolicyVersion)
class PolicyVersionAdmin(ReadOnlyAdmin[PolicyVersion]):
    list_display = ["number", "programme", "published_at"]
    list_filter = ["programme"]
    inlines = [ReasonInline]


@admin.register(Submission)
class SubmissionAdmin(ReadOnlyAdmin[Submission]):
    list_display = ["public_id", "title", "video", "state", "created_at", "closed_at"]
    list_filter = ["state"]
    list_select_related = ["video"]
    search_fields = ["public_id", "title", "video__public_id", "video__code"]
    date_hierarchy = "created_at"
    show_full_result_count = False


@admin.register(ReviewCase)
class ReviewCaseAdmin(ReadOnlyAdmin[ReviewCase]):
    list_display = ["public_id", "submission", "artist", "state", "opened_at", "due_at", "closed_at"]
    list_filter = ["state", "programme"]
    list_select_related = ["submission", "artist"]
    search_fields = ["public_id", "submission__title"]
    show_full_result_count = False


@admin.register(ReviewTask)
class ReviewTaskAdmin(ReadOnlyAdmin[ReviewTask]):
    list_display = ["public_id", "case", "state", "due_at", "lease_reviewer", "lease_expires_at"]
    list_filter = ["state"]
    list_select_related = ["case", "lease_reviewer"]
    exclude = ["lease_token"]
    show_full_result_count = False


@admin.register(Decision)
class DecisionAdmin(ReadOnlyAdmin[Decision]):
    list_display = ["public_id", "case", "outcome", "reviewer", "policy", "at"]
    list_filter = ["outcome"]
    list_select_related = ["case", "reviewer", "policy"]
    search_fields = ["public_id", "case__public_id", "facts"]
    date_hierarchy = "at"
    inlines = [DecisionReasonInline]
    show_full_result_count = False


@admin.register(ReleaseGrant)
class ReleaseGrantAdmin(ReadOnlyAdmin[ReleaseGrant]):
    list_display = ["public_id", "submission", "state", "active_from", "revoked_at", "revoked_by_role"]
    list_filter = ["state"]
    list_select_related = ["submission"]
    search_fields = ["public_id", "submission__title", "video__code"]
    date_hierarchy = "active_from"
    inlines = [GrantedInline]
    show_full_result_count = False
