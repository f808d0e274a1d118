from programme.models.memberships import Invitation, Membership
from programme.models.programmes import Cohort, MarkStyle, Programme
from programme.models.quotas import QuotaAllowance, QuotaEntry, QuotaKind
from programme.models.terms import TermsAcceptance, TermsVersion

__all__ = [
    "Cohort",
    "Invitation",
    "MarkStyle",
    "Membership",
    "Programme",
    "QuotaAllowance",
    "QuotaEntry",
    "QuotaKind",
    "TermsAcceptance",
    "TermsVersion",
]
