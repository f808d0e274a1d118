"""Clips at each stage of review, reached by walking the real services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.apps import apps
from django.db.models import Model

from access.caller import Caller
from audit.models import AuditEvent, OutboxEvent
from core.actors import system
from generation import queries as generation
from review.models import ReleaseGrant, ReviewCase, Submission
from review.queries import LeaseView
from review.services import decisions, leases, policies, shares, submissions
from review.services.policies import Reason
from review.states import GrantState, RevokerRole, SubmissionState
from tests.factories.generation import completed_video

REASONS = (
    Reason("P1", "Somebody's work without their yes", "The clip copies a work that is not the artist's."),
    Reason(
        "P2", "A real person's likeness without consent", "A person can be recognised and has not agreed."
    ),
    Reason("S1", "The mark cannot be read", "Something in the clip hides the visible mark."),
    Reason("N1", "Criticises us", "Criticism of the programme is never a reason.", may_be_used=False),
    Reason("N2", "Off-brand", "Taste is never a reason.", may_be_used=False),
)
POLICY = "What may be shown, and what may not."
FACTS = "A face is <recognisable> at 0:02.1 & it's somebody's; no consent on file."
TITLE = "Harbour, 06:10"


def put_policy(programme_id: int, now: datetime) -> int:
    return policies.publish(
        programme_id=programme_id, text=POLICY, reasons=REASONS, by=system("test"), now=now
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """A clip that its artist has asked to share."""

    video: str
    video_id: int
    submission: str
    case: str


def asked(artist: Caller, now: datetime, *, video: str | None = None, **wish: Any) -> Asked:
    """A finished clip of the artist's, put before the desk."""
    video = video or completed_video(artist, now)
    submission = submissions.submit(video=video, by=artist.actor, now=now, **({"title": TITLE} | wish))
    case = ReviewCase.objects.get(submission__public_id=submission)
    return Asked(video, clip_id(video), submission, case.public_id)


def clip_id(video: str) -> int:
    clip = generation.clip(video)
    assert clip is not None
    return clip.id


def claimed(reviewer: Caller, now: datetime) -> LeaseView:
    lease = leases.claim_next(by=reviewer.actor, now=now)
    assert lease is not None, "nothing to claim"
    return lease


def decided(made: Asked, outcome: str, reviewer: Caller, now: datetime) -> LeaseView:
    """Claim the case and decide it; the lease is returned."""
    lease = claimed(reviewer, now)
    assert lease.case == made.case, "another case is due first"
    negative: dict[str, Any] = {} if outcome == "approve" else {"reasons": ["P2"], "facts": FACTS}
    decisions.decide(
        case=made.case, lease_token=lease.token, outcome=outcome, by=reviewer.actor, now=now, **negative
    )
    return lease


def asked_at(state: SubmissionState, artist: Caller, reviewer: Caller, now: datetime) -> Asked:
    """A submission in `state`."""
    made = asked(artist, now)
    outcomes = {
        SubmissionState.CHANGES_ASKED: "changes",
        SubmissionState.APPROVED: "approve",
        SubmissionState.REFUSED: "refuse",
    }
    if state == SubmissionState.WITHDRAWN:
        submissions.withdraw(submission=made.submission, by=artist.actor, now=now)
    elif state in outcomes:
        decided(made, outcomes[state], reviewer, now)
    return made


def on_view(artist: Caller, reviewer: Caller, now: datetime, **wish: Any) -> tuple[Asked, str]:
    """A clip on view, and the public id of its share."""
    made = asked(artist, now, **wish)
    decided(made, "approve", reviewer, now)
    return made, share_of(made)


def share_of(made: Asked) -> str:
    return ReleaseGrant.objects.get(submission__public_id=made.submission).public_id


def share_at(state: GrantState, artist: Caller, reviewer: Caller, now: datetime) -> tuple[Asked, str]:
    """A share in `state`."""
    made, share = on_view(artist, reviewer, now)
    if state == GrantState.REVOKED:
        shares.revoke(grant=share, reason="", by=artist.actor, as_role=RevokerRole.ARTIST, now=now)
    return made, share


def state_of(made: Asked) -> SubmissionState:
    return SubmissionState(Submission.objects.get(public_id=made.submission).state)


def stale() -> str:
    """The token of a lease that nobody holds."""
    return str(uuid4())


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows that a service of review could change, to say afterwards that nothing has."""
    models: list[type[Model]] = [AuditEvent, OutboxEvent]
    for app in ("review", "generation"):
        models += apps.get_app_config(app).get_models()
    return {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}
