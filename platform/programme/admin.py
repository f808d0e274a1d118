from __future__ import annotations

from django.contrib import admin

from core.admin import ReadOnlyAdmin
from programme.models import (
    Cohort,
    Invitation,
    Membership,
    Programme,
    QuotaAllowance,
    QuotaEntry,
    TermsAcceptance,
    TermsVersion,
)


@admin.register(Programme)
class ProgrammeAdmin(ReadOnlyAdmin[Programme]):
    list_display = ["name", "slug", "mark_text", "timezone", "created_at"]


@admin.register(Cohort)
class CohortAdmin(ReadOnlyAdmin[Cohort]):
    list_display = ["name", "programme", "daily_seconds", "created_at"]
    list_filter = ["programme"]
    list_select_related = ["programme"]


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin[Invitation]):
    list_display = ["email", "cohort", "invited_by", "created_at", "expires_at", "accepted_by", "revoked_at"]
    list_filter = ["cohort", ("accepted_at", admin.EmptyFieldListFilter)]
    list_select_related = ["cohort", "accepted_by"]
    search_fields = ["email", "public_id", "lookup"]
    exclude = ["digest"]


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin[Membership]):
    list_display = ["user", "programme", "cohort", "state", "joined_at", "public_id"]
    list_filter = ["state", "programme", "cohort"]
    list_select_related = ["user", "programme", "cohort"]
    search_fields = ["public_id", "user__email", "user__public_name"]


@admin.register(TermsVersion)
class TermsVersionAdmin(ReadOnlyAdmin[TermsVersion]):
    list_display = ["programme", "number", "published_at"]
    list_select_related = ["programme"]


@admin.register(TermsAcceptance)
class TermsAcceptanceAdmin(ReadOnlyAdmin[TermsAcceptance]):
    list_display = ["membership", "version", "at"]
    list_select_related = ["membership", "version"]


@admin.register(QuotaAllowance)
class QuotaAllowanceAdmin(ReadOnlyAdmin[QuotaAllowance]):
    list_display = ["membership", "day", "limit_seconds", "reserved", "used"]
    list_select_related = ["membership"]
    search_fields = ["membership__public_id", "membership__user__email"]
    date_hierarchy = "day"
    show_full_result_count = False


@admin.register(QuotaEntry)
class QuotaEntryAdmin(ReadOnlyAdmin[QuotaEntry]):
    list_display = ["at", "membership", "video", "kind", "seconds"]
    list_filter = ["kind"]
    list_select_related = ["membership"]
    search_fields = ["video", "membership__public_id"]
    show_full_result_count = False
