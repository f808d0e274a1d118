"""The only readers of this part that others use. Each is a fixed, small number of queries."""

from programme.queries.allowances import QuotaView, quota_today
from programme.queries.invitations import InvitationRow, invitations
from programme.queries.memberships import (
    MemberPage,
    MembershipView,
    MemberView,
    ProgrammeView,
    is_credited,
    members,
    membership,
    membership_by_public_id,
    memberships_of,
)
from programme.queries.programmes import (
    CohortView,
    TermsView,
    cohort,
    cohorts,
    current_terms,
    programme,
    programmes,
    terms_history,
)
from programme.queries.totals import ProgrammeTotals, totals

__all__ = [
    "CohortView",
    "InvitationRow",
    "MemberPage",
    "MemberView",
    "MembershipView",
    "ProgrammeTotals",
    "ProgrammeView",
    "QuotaView",
    "TermsView",
    "cohort",
    "cohorts",
    "current_terms",
    "invitations",
    "is_credited",
    "members",
    "membership",
    "membership_by_public_id",
    "memberships_of",
    "programme",
    "programmes",
    "quota_today",
    "terms_history",
    "totals",
]
