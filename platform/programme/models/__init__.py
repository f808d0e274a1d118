from programme.models.memberships import Invitation, Membership
from programme.models.programmes import Cohort, Programme
from programme.models.quotas import QuotaAllowance, QuotaEntry, QuotaKind
from programme.models.terms import TermsAcceptance, TermsVersion

__all__ = [
    "Cohort",
    "Invitation",
    "Membership",
    "Programme",
    "QuotaAllowance",
    "QuotaEntry",
    "QuotaKind",
    "TermsAcceptance",
    "TermsVersion",
]
