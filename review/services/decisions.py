"""Deciding: the answer, its reasons, the grant, the letter and the log, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import connection

from audit import log, mail, outbox
from core.actors import Actor
from core.clock import minutes_until
from core.errors import NotFound, WrongState
from core.states import check
from generation import queries as generation
from generation.queries import ClipView
from generation.services import clips, copies
from generation.states import EVERYBODY, Purpose
from review.models import (
    Decision,
    DecisionReason,
    GrantedRendition,
    ReleaseGrant,
    ReviewCase,
    ReviewTask,
    Submission,
)
from review.queries.decisions import DecisionView, views
from review.queries.desk import live
from review.queries.policies import PolicyView, current_policy
from review.rules import PUBLIC_KINDS, REVIEW_HOURS, Verdict, check_verdict, tidy
from review.services.leases import LOST, as_token
from review.services.reviewers import check_reviews
from review.states import AFTER, CASE, CASE_CLOSED, SUBMISSION, CaseState, Outcome, SubmissionState, TaskState

_NOT_READY = (
    "The copy that would be shown is still being made, which takes some seconds to a minute. "
    "Approve it in a moment; nothing that you wrote is lost."
)
_FAILED = (
    "The copy that would be shown could not be made. It is tried again when you approve it in {wait}; or hand the "
    "case back and tell an operator. What you wrote stands here."
)
_TOPICS = {
    Outcome.APPROVE: "share.approved",
    Outcome.CHANGES: "share.changes_asked",
    Outcome.REFUSE: "share.refused",
}


def decide(
    *,
    case: str,
    lease_token: UUID | str,
    outcome: str,
    reasons: Sequence[str] = (),
    facts: str = "",
    by: Actor,
    now: datetime,
) -> DecisionView:
    """Answer the case that the reviewer holds: `approve`, `changes` or `refuse`, with reason codes and facts.

    The same answer sent twice under one lease is one decision, and the first is returned. Raises NotAllowed
    for somebody who is no reviewer, NotFound for an unknown case and one's own, Invalid naming each bad field,
    WrongState("lease_lost") when the lease is not the reviewer's any more, WrongState("copy_not_ready") while what
    would be shown is being made, or rests because it could not be: after that it is asked for once more.
    """
    try:
        return _decide(case, lease_token, outcome, reasons, facts, by, now)
    except WrongState as refusal:
        if refusal.code == "copy_not_ready":
            (master,) = ReviewCase.objects.filter(public_id=case).values_list("master", flat=True)
            copies.order(master=master, purpose=Purpose.PUBLIC, recipient=EVERYBODY, now=now)
        raise


def _decide(
    case: str,
    lease_token: UUID | str,
    outcome: str,
    reasons: Sequence[str],
    facts: str,
    by: Actor,
    now: datetime,
) -> DecisionView:
    with log.transaction() as events:
        token = as_token(lease_token)
        row = _case(case, by)
        check_reviews(by, row.programme.public_id)
        if earlier := _earlier(row, token, by):
            return _repeated(earlier, outcome, reasons, facts)
        task = live(now).filter(case=row, lease_token=token, lease_reviewer_id=by.person_id).first()
        if token is None or task is None:
            raise WrongState("lease_lost", LOST)
        policy = _policy(row.programme_id)
        verdict = check_verdict(
            outcome=outcome,
            reasons=reasons,
            facts=facts,
            usable=frozenset(reason.code for reason in policy.reasons),
            never=frozenset(reason.code for reason in policy.never),
        )
        _close_task(task, token, now)
        clip = generation.clips([row.submission.video_id])[row.submission.video_id]
        decision = _write(row, task, token, verdict, policy, clip, by, now)
        grant = _grant(decision, row, clip, now) if verdict.outcome == Outcome.APPROVE else None
        view = views([decision])[decision.pk]
        share = {
            "video": clip.public_id,
            "submission": row.submission.public_id,
            "grant": grant.public_id if grant else None,
        }
        outbox.add(topic=_TOPICS[verdict.outcome], payload=share, now=now)
        _tell_artist(row, view, grant, now)
        events.record(
            action="review.decided",
            actor=by,
            target=row.public_id,
            now=now,
            data={
                "decision": decision.public_id,
                "outcome": verdict.outcome.value,
                "reasons": list(verdict.reasons),
                "policy": policy.number,
                "master_sha256": decision.master_sha256,
                **share,
            },
        )
    return view


def _case(case: str, by: Actor) -> ReviewCase:
    """The case, its clip held: whoever withdraws or deletes meanwhile waits for the decision, or it for them."""
    rows = ReviewCase.objects.select_related("submission__membership__user", "programme").filter(
        public_id=case
    )
    found = rows.exclude(artist_id=by.user_id).first() if by.user_id is not None else None
    if found is None:
        raise NotFound("not_found", "There is no such case.")
    clips.hold(video_id=found.submission.video_id)
    return rows.get()


def _policy(programme_id: int) -> PolicyView:
    policy = current_policy(programme_id)
    if policy is None:
        raise WrongState("no_policy", "There is no published policy to decide by.")
    return policy


def _earlier(case: ReviewCase, token: UUID | None, by: Actor) -> Decision | None:
    if token is None:
        return None
    made = Decision.objects.filter(case=case, lease_token=token, reviewer_id=by.person_id)
    return made.select_related("policy").first()


def _repeated(decision: Decision, outcome: str, reasons: Sequence[str], facts: str) -> DecisionView:
    """The first decision again, if the second submit says the same."""
    view = views([decision])[decision.pk]
    first = (view.outcome.value, {reason.code for reason in view.reasons}, view.facts)
    if (outcome, set(reasons), tidy(facts)) != first:
        raise WrongState(
            "already_decided", "You have decided this case already; a decision is never changed."
        )
    return view


def _close_task(task: ReviewTask, token: UUID, now: datetime) -> None:
    """Conditional: the lease may have passed to somebody else since it was read."""
    closed = live(now).filter(pk=task.pk, lease_token=token)
    if not closed.update(
        state=TaskState.DECIDED,
        lease_reviewer=None,
        lease_token=None,
        lease_started_at=None,
        lease_expires_at=None,
    ):
        raise WrongState("lease_lost", LOST)


def _write(
    case: ReviewCase,
    task: ReviewTask,
    token: UUID,
    verdict: Verdict,
    policy: PolicyView,
    clip: ClipView,
    by: Actor,
    now: datetime,
) -> Decision:
    if clip.master is None:
        raise WrongState("not_completed", "This clip has no files to decide about.")
    submission_state, case_state = AFTER[verdict.outcome]
    check(SUBMISSION, SubmissionState(case.submission.state), submission_state)
    check(CASE, CaseState(case.state), case_state)
    with connection.cursor() as cursor:
        # Its reasons follow it; an earlier turn at the log in this transaction would have set all checks to immediate.
        cursor.execute("SET CONSTRAINTS decision_reasoned DEFERRED")
    decision = Decision.objects.create(
        task=task,
        case=case,
        reviewer_id=by.person_id,
        outcome=verdict.outcome,
        policy_id=policy.id,
        facts=verdict.facts,
        master_sha256=clip.master.frames_sha256,
        lease_token=token,
        at=now,
    )
    ids = {reason.code: reason.id for reason in policy.reasons}
    DecisionReason.objects.bulk_create(
        DecisionReason(decision=decision, reason_id=ids[code]) for code in verdict.reasons
    )
    closed_at = now if case_state in CASE_CLOSED else None
    ReviewCase.objects.filter(pk=case.pk).update(state=case_state, closed_at=closed_at)
    Submission.objects.filter(pk=case.submission_id).update(state=submission_state, closed_at=closed_at)
    return Decision.objects.select_related("policy").get(pk=decision.pk)


def _grant(decision: Decision, case: ReviewCase, clip: ClipView, now: datetime) -> ReleaseGrant:
    """Publication: the video and the poster of the public copy of the reviewed Master, by their own digests."""
    if clip.master is None or clip.master.rendition("mp4") is None:
        raise WrongState("not_completed", "This clip has no files to show.")
    # One that names its artist against their wish of this moment is taken back, and made anew.
    again_at = copies.order(master=clip.master.id, purpose=Purpose.PUBLIC, recipient=EVERYBODY, now=now)
    shown = generation.renditions(clip.master, Purpose.PUBLIC, EVERYBODY)
    if not shown:
        raise WrongState(
            "copy_not_ready", _FAILED.format(wait=minutes_until(again_at, now)) if again_at else _NOT_READY
        )
    grant = ReleaseGrant.objects.create(
        decision=decision,
        submission=case.submission,
        video_id=clip.id,
        master_id=case.master_id,
        active_from=now,
    )
    GrantedRendition.objects.bulk_create(
        GrantedRendition(grant=grant, rendition_id=file.id, sha256=file.sha256)
        for file in shown
        if file.kind in PUBLIC_KINDS and not file.removed
    )
    return grant


def _tell_artist(case: ReviewCase, decision: DecisionView, grant: ReleaseGrant | None, now: datetime) -> None:
    artist = case.submission.membership.user
    mail.post(
        to=artist.email,
        template="decision",
        context={
            "artist": artist.public_name,
            "title": case.submission.title,
            "decision": decision,
            "share_url": f"{settings.BASE_URL}/s/{grant.public_id}" if grant else "",
            "base_url": settings.BASE_URL,
            "review_hours": REVIEW_HOURS,
        },
        now=now,
    )
