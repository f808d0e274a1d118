"""The database refuses by itself what no service would do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from access.caller import Caller
from review.models import Decision, PolicyVersion, ReleaseGrant, ReviewCase, ReviewTask, Submission
from review.states import GrantState, SubmissionState
from tests.factories.generation import completed_video
from tests.factories.review import asked, asked_at, claimed, clip_id, decided, everything, on_view, share_at

pytestmark = pytest.mark.django_db


def _refused(statement: str, *values: str | int, saying: str = ".") -> None:
    """The statement fails, at once or when deferred checks are made, and leaves nothing."""
    before = everything()
    with pytest.raises(DatabaseError, match=saying), transaction.atomic():
        _execute(statement, *values)
    assert everything() == before


def _execute(statement: str, *values: str | int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, list(values))
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_decision SET outcome = 'approve'",
        "UPDATE review_decision SET facts = 'other facts'",
        "DELETE FROM review_decision",
        "TRUNCATE review_decision CASCADE",
        "UPDATE review_decisionreason SET reason_id = reason_id",
        "DELETE FROM review_decisionreason",
        "TRUNCATE review_decisionreason",
    ],
)
def test_decisions_are_never_changed(artist: Caller, reviewer: Caller, now: datetime, statement: str) -> None:
    asked_at(SubmissionState.REFUSED, artist, reviewer, now)

    _refused(statement, saying="append-only")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_grantedrendition SET sha256 = repeat('0', 64)",
        "DELETE FROM review_grantedrendition",
        "TRUNCATE review_grantedrendition",
        "DELETE FROM review_releasegrant",
        "UPDATE review_releasegrant SET master_id = master_id + 1000",
        "UPDATE review_releasegrant SET public_id = 's_other'",
        "UPDATE review_releasegrant SET media_epoch = 0",
        "UPDATE review_releasegrant SET state = 'suspended'",
        "UPDATE review_releasegrant SET state = 'revoked', media_epoch = 2",
        "UPDATE review_releasegrant SET state = 'sold', media_epoch = 2",
        "UPDATE review_releasegrant SET expires_at = active_from",
    ],
)
def test_grants_keep_what_they_cover(artist: Caller, reviewer: Caller, now: datetime, statement: str) -> None:
    on_view(artist, reviewer, now)

    _refused(statement)


@pytest.mark.parametrize("state", ["active", "scheduled", "suspended", "expired"])
def test_a_revoked_grant_stays_revoked(artist: Caller, reviewer: Caller, now: datetime, state: str) -> None:
    share_at(GrantState.REVOKED, artist, reviewer, now)

    _refused(
        "UPDATE review_releasegrant SET state = %s, revoked_at = NULL, revoked_by = '', revoked_by_role = '',"
        " revoked_reason = '', media_epoch = media_epoch + 1",
        state,
        saying="stays revoked",
    )


def test_a_grant_covers_only_files_of_its_own_master(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made, _ = on_view(artist, reviewer, now)
    other = clip_id(completed_video(artist, now))
    insert = """
        INSERT INTO review_grantedrendition (grant_id, rendition_id, sha256)
        SELECT (SELECT id FROM review_releasegrant), r.id, {} FROM generation_rendition r
        JOIN generation_master m ON m.id = r.master_id WHERE m.video_id = %s AND r.kind = 'mp4'
    """

    _refused(insert.format("r.sha256"), other, saying="its own master")
    _refused(insert.format("repeat('0', 64)"), made.video_id, saying="its own master")


def test_a_grant_follows_an_approval(artist: Caller, reviewer: Caller, now: datetime) -> None:
    asked_at(SubmissionState.REFUSED, artist, reviewer, now)

    _refused(
        """
        INSERT INTO review_releasegrant (public_id, decision_id, submission_id, video_id, master_id, state,
            active_from, revoked_by, revoked_by_role, revoked_reason, media_epoch)
        SELECT 's_forged', d.id, s.id, s.video_id, s.master_id, 'active', d.at, '', '', '', 1
        FROM review_decision d, review_submission s
        """,
        saying="follows an approval",
    )


def test_one_clip_has_one_active_grant_and_one_undecided_submission(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    made = asked(artist, now)
    row = Submission.objects.get(public_id=made.submission)
    columns = (row.video_id, row.master_id, row.membership_id)

    before = everything()
    with pytest.raises(IntegrityError, match="submission_one_undecided"), transaction.atomic():
        Submission.objects.create(
            video_id=columns[0], master_id=columns[1], membership_id=columns[2], title="Again", created_at=now
        )
    assert everything() == before


_DECISION = """
    INSERT INTO review_decision
        (public_id, task_id, case_id, reviewer_id, outcome, policy_id, facts, master_sha256, lease_token, at)
    SELECT 'dec_forged', t.id, c.id, %(reviewer)s, %(outcome)s, p.id, %(facts)s, {sha}, gen_random_uuid(), t.opened_at
    FROM review_reviewtask t JOIN review_reviewcase c ON c.id = t.case_id
    JOIN generation_master m ON m.id = c.master_id JOIN review_policyversion p ON p.programme_id = c.programme_id
"""


def _forge(reviewer: int, outcome: str, facts: str, sha: str = "m.frames_sha256") -> Callable[[], None]:
    def act() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                _DECISION.format(sha=sha), {"reviewer": reviewer, "outcome": outcome, "facts": facts}
            )
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    return act


def test_a_decision_needs_a_stranger_a_reason_facts_and_the_masters_digest(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    asked(artist, now)
    claimed(reviewer, now)
    forgeries = [
        (_forge(artist.user_id, "approve", ""), "their own work"),
        (_forge(reviewer.user_id, "refuse", "a face"), "names a reason"),
        (_forge(reviewer.user_id, "changes", " \n"), "decision_negative_has_facts"),
        (_forge(reviewer.user_id, "banish", "a face"), "decision_outcome_known"),
        (_forge(reviewer.user_id, "approve", "", "repeat('0', 64)"), "digest of its master"),
    ]
    before = everything()

    for act, saying in forgeries:
        with pytest.raises(DatabaseError, match=saying), transaction.atomic():
            act()
    assert everything() == before


@pytest.mark.parametrize(
    ("outcome", "code"),
    [("refuse", "N1"), ("refuse", "X1"), ("approve", "P1")],
    ids=["never", "old policy", "approval"],
)
def test_a_reason_is_of_the_decisions_policy_and_may_be_used(
    artist: Caller, reviewer: Caller, now: datetime, outcome: str, code: str
) -> None:
    decided(asked(artist, now), outcome, reviewer, now)
    policy = PolicyVersion.objects.create(
        programme_id=PolicyVersion.objects.get().programme_id, number=9, text="A draft."
    )
    policy.reasons.create(code="X1", title="Of another version", explanation="…", may_be_used=True)

    _refused(
        "INSERT INTO review_decisionreason (decision_id, reason_id)"
        " SELECT d.id, r.id FROM review_decision d, review_reasoncode r WHERE r.code = %s",
        code,
        saying="may be used",
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_policyversion SET text = 'other'",
        "UPDATE review_policyversion SET published_at = NULL",
        "DELETE FROM review_policyversion",
        "UPDATE review_reasoncode SET may_be_used = true",
        "DELETE FROM review_reasoncode WHERE code = 'N1'",
        """INSERT INTO review_reasoncode (policy_id, code, title, explanation, may_be_used)
        SELECT id, 'Z1', 'new', 'new', true FROM review_policyversion""",
    ],
)
def test_a_published_policy_never_changes(artist: Caller, statement: str) -> None:
    _refused(statement, saying="published policy never change")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE review_submission SET title = 'Other'",
        "UPDATE review_submission SET show_prompt = true",
        "UPDATE review_submission SET master_id = master_id + 1000",
        "UPDATE review_submission SET state = 'approved'",
        "UPDATE review_submission SET state = 'sold', closed_at = created_at",
        "UPDATE review_reviewcase SET master_id = (SELECT max(id) FROM generation_master)",
        "UPDATE review_reviewcase SET artist_id = (SELECT max(id) FROM accounts_user)",
        "UPDATE review_reviewcase SET state = 'approved'",
        "UPDATE review_reviewcase SET due_at = opened_at",
        "UPDATE review_reviewtask SET state = 'leased'",
        "UPDATE review_reviewtask SET lease_token = gen_random_uuid()",
    ],
)
def test_a_case_keeps_what_it_is_about(
    artist: Caller, second_artist: Caller, now: datetime, statement: str
) -> None:
    asked(artist, now)
    completed_video(second_artist, now)

    _refused(statement)


def test_a_submission_is_of_the_members_own_finished_clip(
    artist: Caller, second_artist: Caller, now: datetime
) -> None:
    mine, theirs = clip_id(completed_video(artist, now)), clip_id(completed_video(second_artist, now))
    insert = """
        INSERT INTO review_submission (public_id, video_id, master_id, membership_id, title, note, show_prompt,
            show_seed, show_variant, state, created_at)
        SELECT 'sub_forged', %s, m.id, v.membership_id, 'x', '', false, false, false, 'open', v.created_at
        FROM generation_master m, generation_video v WHERE m.video_id = %s AND v.id = %s
    """

    _refused(insert, mine, theirs, mine, saying="finished video")
    _refused(insert, mine, mine, theirs, saying="finished video")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE generation_video SET deleted_at = finished_at WHERE id = %s", [mine])
    _refused(insert, mine, mine, mine, saying="finished video")


def test_a_case_has_one_open_task_and_a_reviewer_one_lease(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    asked(artist, now)
    asked(artist, now + timedelta(minutes=1))
    lease = claimed(reviewer, now + timedelta(minutes=1))
    before = everything()

    case = ReviewCase.objects.get(public_id=lease.case)
    with pytest.raises(IntegrityError, match="task_one_open"), transaction.atomic():
        ReviewTask.objects.create(case=case, opened_at=now, due_at=now)
    with pytest.raises(IntegrityError, match="task_one_lease_a_reviewer"), transaction.atomic():
        ReviewTask.objects.filter(state="queued").update(
            state="leased",
            lease_reviewer_id=reviewer.user_id,
            lease_token=lease.token,
            lease_started_at=now,
            lease_expires_at=now + timedelta(minutes=1),
        )
    assert everything() == before


def test_guards_leave_room_for_the_services(artist: Caller, reviewer: Caller, now: datetime) -> None:
    on_view(artist, reviewer, now)

    assert Decision.objects.count() == ReleaseGrant.objects.count() == 1
