from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from core.errors import Invalid, NotFound
from review import queries
from review.queries import GrantView, RevokedNotice
from review.rules import LEASE, REVIEW_TIME
from review.services import leases, shares, submissions
from review.states import GrantState, RevokerRole, ShareWord, SubmissionState
from tests.factories.generation import completed_video
from tests.factories.review import (
    FACTS,
    TITLE,
    asked,
    asked_at,
    claimed,
    clip_id,
    decided,
    on_view,
    share_at,
    share_of,
)

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


def test_the_queue_is_oldest_due_first_and_says_who_holds_what(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    late, early = asked(artist, now + MINUTE, title="Late"), asked(artist, now)
    claimed(second_reviewer, now)

    entries = queries.queue(reviewer.user_id, now=now + MINUTE, limit=10)

    assert [(entry.case, entry.title) for entry in entries] == [(early.case, TITLE), (late.case, "Late")]
    held, free = entries
    assert (held.artist_name, held.seconds, held.due_at) == ("Ada Verhoeven", 4, now + REVIEW_TIME)
    assert held.holder is not None
    assert (held.holder.name, held.holder.until, held.holder.is_me) == ("Sam Toivonen", now + LEASE, False)
    assert (free.holder, free.overdue) == (None, False)
    lapsed = queries.queue(reviewer.user_id, now=now + LEASE, limit=1)[0]
    assert lapsed.holder is None
    assert queries.queue(reviewer.user_id, now=now + REVIEW_TIME + MINUTE / 2, limit=1)[0].overdue


def test_the_queue_leaves_out_own_work_and_other_programmes(
    artist_who_reviews: Caller, reviewer: Caller, reviewer_elsewhere: Caller, now: datetime
) -> None:
    asked(artist_who_reviews, now)

    lengths = [
        len(queries.queue(who.user_id, now=now, limit=10))
        for who in (artist_who_reviews, reviewer_elsewhere, reviewer)
    ]
    waiting = [
        queries.desk_counts(who.user_id, now=now).waiting
        for who in (artist_who_reviews, reviewer_elsewhere, reviewer)
    ]
    assert lengths == waiting == [0, 0, 1]


def test_pages_follow_the_last_row(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = [asked(artist, now) for _ in range(3)]

    first = queries.queue(reviewer.user_id, now=now, limit=2)
    rest = queries.queue(reviewer.user_id, now=now, limit=2, after=first[-1].task)

    assert [entry.case for entry in [*first, *rest]] == [one.case for one in made]
    with pytest.raises(Invalid) as refused:
        queries.queue(reviewer.user_id, now=now, limit=2, after="task_nothing")
    assert refused.value.code == "bad_cursor"


def test_counts_for_the_desk(artist: Caller, reviewer: Caller, now: datetime) -> None:
    for _ in range(3):
        asked(artist, now)
    claimed(reviewer, now)

    counts = queries.desk_counts(reviewer.user_id, now=now)
    later = queries.desk_counts(reviewer.user_id, now=now + REVIEW_TIME + MINUTE)

    assert (counts.waiting, counts.held, counts.overdue) == (2, 1, 0)
    assert (later.waiting, later.held, later.overdue) == (3, 0, 3)


def test_a_case_opens_for_who_holds_it_or_has_decided_it(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, operator: Caller, now: datetime
) -> None:
    made = asked(artist, now, note="Look at 0:02.", show_seed=True)
    _closed(made.case, reviewer, now)
    lease = claimed(reviewer, now)

    case = queries.case_for_reviewer(made.case, reviewer_id=reviewer.user_id, now=now)

    assert (case.lease, case.clip.public_id, case.decisions) == (lease, made.video, ())
    assert (case.wish.title, case.wish.note, case.wish.show_seed) == (TITLE, "Look at 0:02.", True)
    assert case.policy is not None
    assert [reason.code for reason in case.policy.reasons] == ["P1", "P2", "S1"]
    assert [reason.code for reason in case.policy.never] == ["N1", "N2"]
    for other in (second_reviewer, operator, artist):
        _closed(made.case, other, now)
    _closed(made.case, reviewer, now + LEASE)
    decided(made, "changes", reviewer, now)
    after = queries.case_for_reviewer(made.case, reviewer_id=reviewer.user_id, now=now + REVIEW_TIME)
    assert after.lease is None
    assert [(one.outcome, one.facts) for one in after.decisions] == [("changes", FACTS)]
    _closed(made.case, second_reviewer, now)


def _closed(case: str, caller: Caller, now: datetime) -> None:
    with pytest.raises(NotFound):
        queries.case_for_reviewer(case, reviewer_id=caller.user_id, now=now)


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (SubmissionState.OPEN, ShareWord.IN_REVIEW),
        (SubmissionState.CHANGES_ASKED, ShareWord.CHANGES_ASKED),
        (SubmissionState.REFUSED, ShareWord.NOT_SHOWN),
        (SubmissionState.APPROVED, ShareWord.ON_VIEW),
        (SubmissionState.WITHDRAWN, ShareWord.PRIVATE),
    ],
)
def test_the_artist_reads_one_word(
    artist: Caller, reviewer: Caller, now: datetime, state: SubmissionState, word: ShareWord
) -> None:
    made = asked_at(state, artist, reviewer, now)

    share = queries.share_state([made.video_id], now=now)[made.video_id]

    assert share.state == word
    assert share.due_at == (now + REVIEW_TIME if word == ShareWord.IN_REVIEW else None)
    assert (share.grant is not None) == (word == ShareWord.ON_VIEW)
    if word in {ShareWord.CHANGES_ASKED, ShareWord.NOT_SHOWN}:
        assert share.decision is not None
        assert [(reason.code, share.decision.facts) for reason in share.decision.reasons] == [("P2", FACTS)]


def test_a_revoked_share_says_who_when_and_why(
    artist: Caller, reviewer: Caller, operator: Caller, now: datetime
) -> None:
    made, share = on_view(artist, reviewer, now)
    shares.revoke(
        grant=share, reason=FACTS, by=operator.actor, as_role=RevokerRole.OPERATOR, now=now + MINUTE
    )

    state = queries.share_state([made.video_id], now=now)[made.video_id]

    assert (state.state, state.grant, state.revoked_at) == (ShareWord.REVOKED, share, now + MINUTE)
    assert (state.revoked_by_role, state.revoked_reason) == ("operator", FACTS)
    again = asked(artist, now + MINUTE, video=made.video)
    assert queries.share_state([made.video_id], now=now)[made.video_id].state == ShareWord.IN_REVIEW
    submissions.withdraw(submission=again.submission, by=artist.actor, now=now + MINUTE)
    assert queries.share_state([made.video_id], now=now)[made.video_id].state == ShareWord.REVOKED


def test_a_clip_that_nobody_asked_to_share_is_private(artist: Caller, now: datetime) -> None:
    video = clip_id(completed_video(artist, now))

    assert queries.share_state([video], now=now)[video] == queries.ShareState()


def test_the_gallery_shows_the_facts_that_were_made_public(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    on_view(artist, reviewer, now, show_prompt=True)
    _, newer = on_view(artist, reviewer, now + MINUTE, show_seed=True, show_variant=True, title="Second")
    share_at(GrantState.REVOKED, artist, reviewer, now)
    asked(artist, now)

    second, first = queries.public_grants(now=now + MINUTE, limit=10)

    assert (first.title, first.artist_name, first.seconds, first.width) == (TITLE, "Ada Verhoeven", 4, 1280)
    assert (first.prompt, first.seed, first.variant_name) == (
        "a red boat drifting left over the sea",
        None,
        None,
    )
    assert (second.public_id, second.prompt, second.variant_name) == (newer, None, "Turbo")
    assert second.seed is not None
    assert first.mp4 is not None
    assert first.poster is not None
    assert (first.mp4.media_type, first.mp4.bytes, len(first.mp4.sha256)) == ("video/mp4", 4096, 64)
    assert [v.public_id for v in queries.public_grants(now=now + MINUTE, limit=1, after=newer)] == [
        first.public_id
    ]
    assert queries.public_grants(now=now - MINUTE, limit=10) == []
    assert artist.membership is not None
    here = artist.membership.programme.id
    assert len(queries.public_grants(now=now + MINUTE, limit=10, programme_id=here)) == 2
    assert queries.public_grants(now=now + MINUTE, limit=10, programme_id=here + 1) == []


def test_a_share_shows_the_clip_then_a_notice_then_nothing_else(
    artist: Caller, reviewer: Caller, now: datetime
) -> None:
    _, share = on_view(artist, reviewer, now)
    assert isinstance(queries.public_grant(share, now=now), GrantView)
    assert queries.public_grant(share, now=now - MINUTE) is None
    assert queries.public_grant("s_nothing", now=now) is None

    shares.revoke(
        grant=share, reason="mine again", by=artist.actor, as_role=RevokerRole.ARTIST, now=now + MINUTE
    )

    assert queries.public_grant(share, now=now + MINUTE) == RevokedNotice(share, now + MINUTE, "artist")


def test_the_office_lists_every_grant(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made, share = on_view(artist, reviewer, now)
    share_at(GrantState.REVOKED, artist, reviewer, now + MINUTE)
    assert artist.membership is not None
    programme = artist.membership.programme.id

    rows = queries.grants(programme, limit=10)

    assert [row.state for row in rows] == [GrantState.REVOKED, GrantState.ACTIVE]
    assert (rows[1].public_id, rows[1].video, rows[1].artist_name) == (share, made.video, "Ada Verhoeven")
    assert [row.public_id for row in queries.grants(programme, limit=10, state=GrantState.ACTIVE)] == [share]
    assert queries.grants(programme + 1, limit=10) == []


def test_a_reviewer_finds_what_they_decided(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    made = [
        asked_at(state, artist, reviewer, now)
        for state in (SubmissionState.REFUSED, SubmissionState.APPROVED)
    ]

    entries = queries.decided_by(reviewer.user_id, limit=10)

    assert [entry.case for entry in entries] == [made[1].case, made[0].case]
    assert [entry.decision.outcome for entry in entries] == ["approve", "refuse"]
    assert queries.decided_by(second_reviewer.user_id, limit=10) == []
    following = queries.decided_by(reviewer.user_id, limit=10, after=entries[0].decision.public_id)
    assert following == entries[1:]


def test_an_artist_finds_their_submissions(artist: Caller, reviewer: Caller, now: datetime) -> None:
    refused = asked_at(SubmissionState.REFUSED, artist, reviewer, now)
    waiting = asked(artist, now + MINUTE)
    assert artist.membership is not None

    rows = queries.submissions_of(artist.membership.id, limit=10)

    assert [(row.public_id, row.video, row.state) for row in rows] == [
        (waiting.submission, waiting.video, "open"),
        (refused.submission, refused.video, "refused"),
    ]
    assert rows[0].decision is None
    assert rows[1].decision is not None
    assert rows[1].decision.facts == FACTS


def test_statements_stay_the_same_as_rows_double(
    artist: Caller, reviewer: Caller, second_reviewer: Caller, now: datetime
) -> None:
    videos: list[int] = []
    assert artist.membership is not None
    member, programme = artist.membership.id, artist.membership.programme.id

    def grow() -> None:
        videos.append(on_view(artist, reviewer, now)[0].video_id)
        videos.append(asked_at(SubmissionState.REFUSED, artist, reviewer, now).video_id)
        videos.append(share_at(GrantState.REVOKED, artist, reviewer, now)[0].video_id)
        if second_reviewer.user_id not in held:
            held.add(second_reviewer.user_id)
            videos.append(asked(artist, now).video_id)
            claimed(second_reviewer, now)

    held: set[int] = set()
    readers: dict[str, tuple[int, Callable[[], object]]] = {
        "queue": (2, lambda: queries.queue(reviewer.user_id, now=now, limit=50)),
        "desk_counts": (2, lambda: queries.desk_counts(reviewer.user_id, now=now)),
        "held_by": (1, lambda: queries.held_by(reviewer.user_id, now=now)),
        "decided_by": (2, lambda: queries.decided_by(reviewer.user_id, limit=50)),
        "share_state": (4, lambda: queries.share_state(videos, now=now)),
        "submissions_of": (3, lambda: queries.submissions_of(member, limit=50)),
        "public_grants": (4, lambda: queries.public_grants(now=now, limit=50)),
        "grants": (1, lambda: queries.grants(programme, limit=50)),
        "current_policy": (2, lambda: queries.current_policy(programme)),
    }
    grow()
    first = {name: _count(read) for name, (_, read) in readers.items()}
    grow()
    second = {name: _count(read) for name, (_, read) in readers.items()}

    assert first == second == {name: number for name, (number, _) in readers.items()}


def test_one_case_and_one_share_cost_few_statements(artist: Caller, reviewer: Caller, now: datetime) -> None:
    made = asked_at(SubmissionState.CHANGES_ASKED, artist, reviewer, now)
    submissions.resubmit(submission=made.submission, title="Again", by=artist.actor, now=now)
    lease = claimed(reviewer, now)

    def case() -> object:
        return queries.case_for_reviewer(lease.case, reviewer_id=reviewer.user_id, now=now)

    assert _count(case) <= 8
    decided(made, "approve", reviewer, now)
    share = share_of(made)
    assert _count(lambda: queries.public_grant(share, now=now)) == 4
    assert _count(lambda: queries.granted_copy(share, "mp4")) == 1
    assert _count(lambda: leases.sweep(now=now)) <= 4


def _count(read: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as captured:
        read()
    return len(captured)
