from review.models.cases import ReviewCase, ReviewTask
from review.models.decisions import Decision, DecisionReason
from review.models.grants import GrantedRendition, ReleaseGrant
from review.models.policies import PolicyVersion, ReasonCode
from review.models.submissions import Submission

__all__ = [
    "Decision",
    "DecisionReason",
    "GrantedRendition",
    "PolicyVersion",
    "ReasonCode",
    "ReleaseGrant",
    "ReviewCase",
    "ReviewTask",
    "Submission",
]
