"""The demo's clips: asked for in the studio's way, rendered by the worker's loop, one of them taken through review."""

from __future__ import annotations

import logging
import time

from access import gate
from access.caller import Caller
from accounts import queries as accounts
from config.demo import story
from config.demo.story import Clip
from core import clock
from core.errors import DomainError
from generation import queries as generation
from generation.queries import ClipView, Standing
from generation.rules import Order
from generation.services import requests
from generation.states import EVERYBODY, Purpose, VideoState
from generation.worker import copies, run
from programme.queries import ProgrammeView
from review import queries as review
from review.services import decisions, leases, submissions
from review.states import ShareWord

logger = logging.getLogger(__name__)
LONGEST_WAIT = 900.0
"""Seconds for a clip that another worker has taken up."""


def put_clips(programme: ProgrammeView) -> None:
    """Asks for what is missing only until all have been asked for once: what somebody deletes later stays deleted."""
    complete = sum(generation.counts(programme.id).values()) >= len(story.CLIPS)
    asked = [(clip, _find(clip) if complete else _find(clip) or _ask(clip)) for clip in story.CLIPS]
    lanes = {spec.slug: spec.queue for spec in story.VARIANTS}
    for lane in sorted({lanes[clip.variant] for clip, view in asked if view is not None and view.is_open}):
        run.drain(lane)
    for clip, view in asked:
        made = None if view is None else _finished(view.public_id)
        if made is not None and clip.title:
            _share(clip, made)


def _find(clip: Clip) -> ClipView | None:
    member = _caller(clip).membership
    mine = [] if member is None else generation.clips_of(member.id, limit=100, order="asc", part="all") or []
    return next((view for view in mine if (view.prompt, view.seed) == (clip.prompt, clip.seed)), None)


def _ask(clip: Clip) -> ClipView | None:
    order = Order(clip.prompt, variant=clip.variant, seconds=clip.seconds, size=clip.size, seed=clip.seed)
    try:
        (video,) = requests.submit(caller=_caller(clip), order=order, now=clock.now())
    except (
        DomainError
    ) as refusal:  # somebody played with a demo half made: suspended the artist, used up the day
        logger.warning("no clip “%s”: %s", clip.prompt, refusal.sentence)
        return None
    return generation.clip(video)


def _finished(video: str) -> ClipView | None:
    """The clip once its render has ended; None when it ended without one."""
    deadline = time.monotonic() + LONGEST_WAIT
    while True:
        view = generation.clip(video)
        if view is None or view.deleted_at is not None or time.monotonic() > deadline:
            return None
        if not view.is_open:
            break
        time.sleep(0.5)
    if view.state != VideoState.COMPLETED:
        logger.warning("%s did not render: %s", video, view.error_sentence)
        return None
    return view


def _share(clip: Clip, view: ClipView) -> None:
    """Ask to show it, once; then decide, if the story says so and nobody has."""
    caller = _caller(clip)
    if not any(sent.video == view.public_id for sent in review.submissions_of(view.membership_id, limit=100)):
        submissions.submit(
            video=view.public_id,
            title=clip.title,
            note=clip.note,
            show_prompt=True,
            show_variant=True,
            by=caller.actor,
            now=clock.now(),
        )
    now = clock.now()
    state = review.share_state([view.id], now=now)[view.id]
    if clip.approved and state.state == ShareWord.IN_REVIEW:
        _approve(view)


def _approve(view: ClipView) -> None:
    """A reviewer takes what is due first; if that is another case, it goes back."""
    reviewer = gate.caller_for_user(_id(story.REVIEWERS[0].email)).actor
    lease = leases.claim_next(by=reviewer, now=clock.now())
    if lease is None:
        return
    if review.case_video(lease.case) != view.id:
        leases.hand_back(task=lease.task, lease_token=lease.token, by=reviewer, now=clock.now())
        return
    _wait_for_public_copy(view)
    decisions.decide(
        case=lease.case, lease_token=lease.token, outcome="approve", facts="", by=reviewer, now=clock.now()
    )


def _wait_for_public_copy(view: ClipView) -> None:
    """Made here, or by the worker for copies where that runs by now. Spares are left to it."""
    deadline = time.monotonic() + LONGEST_WAIT
    while view.master is not None and time.monotonic() < deadline:
        if generation.standing(view.master, Purpose.PUBLIC, EVERYBODY) != Standing.MAKING:
            return
        if not copies.make_next():
            time.sleep(0.5)


def _caller(clip: Clip) -> Caller:
    return gate.caller_for_user(_id(clip.artist.email))


def _id(email: str) -> int:
    person = accounts.by_email(email)
    if person is None:
        raise LookupError(email)
    return person.id
