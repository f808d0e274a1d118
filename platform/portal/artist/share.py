"""Asking to share, and taking back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid, NotFound, WrongState
from generation import queries as generation
from portal.artist import clip as clips
from portal.artist.studio import PAGE
from portal.artist.tiles import Tile, tiles
from portal.errors import status_of
from portal.gates import hidden, requires
from programme import queries as programme
from programme.services import memberships
from review import queries as review
from review.queries import ShareState
from review.rules import Wish
from review.services import shares, submissions
from review.states import RevokerRole, ShareWord


@require_POST
@hidden
@requires(Action.ASK_TO_SHARE)
def ask(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """A first wish, or the answer to changes that were asked for."""
    clip = clips.own_clip(caller, video)
    now = clock.now()
    share = review.share_state([clip.id], now=now)[clip.id]
    asked = Wish(
        title=request.POST.get("title", ""),
        note=request.POST.get("note", ""),
        show_prompt="show_prompt" in request.POST,
        show_seed="show_seed" in request.POST,
        show_variant="show_variant" in request.POST,
    )
    wish = {
        "title": asked.title,
        "note": asked.note,
        "show_prompt": asked.show_prompt,
        "show_seed": asked.show_seed,
        "show_variant": asked.show_variant,
    }
    try:
        if share.state == ShareWord.CHANGES_ASKED and share.submission is not None:
            submissions.resubmit(submission=share.submission, by=caller.actor, now=now, **wish)  # type: ignore[arg-type]  # as the keywords above
        else:
            submissions.submit(video=video, by=caller.actor, now=now, **wish)  # type: ignore[arg-type]  # as the keywords above
    except (Invalid, WrongState) as refusal:
        return clips.page(
            request, caller, clip, wish=asked, errors=_errors(refusal), status=status_of(refusal)
        )
    return redirect("portal:clip", video)


def _errors(refusal: DomainError) -> dict[str, str]:
    named = dict(refusal.fields) if isinstance(refusal, Invalid) else {}
    return named or {"title": refusal.sentence}


def _share(caller: Caller, video: str) -> ShareState:
    clip = clips.own_clip(caller, video)
    return review.share_state([clip.id], now=clock.now())[clip.id]


@require_POST
@hidden
@requires(Action.CHANGE_OWN)
def withdraw(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    share = _share(caller, video)
    if share.submission is None:
        raise WrongState("not_in_review", "This clip is not in review.")
    submissions.withdraw(submission=share.submission, by=caller.actor, now=clock.now())
    return redirect("portal:clip", video)


@require_POST
@hidden
@requires(Action.REVOKE_OWN_SHARE)
def take_back(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    share = _share(caller, video)
    if share.grant is None:
        raise WrongState("not_on_view", "This clip is not on view.")
    reason = request.POST.get("reason", "")
    shares.revoke(
        grant=share.grant, reason=reason, by=caller.actor, as_role=RevokerRole.ARTIST, now=clock.now()
    )
    return redirect("portal:clip", video)


@require_safe
@requires(Action.READ_OWN)
def shared(request: HttpRequest, caller: Caller) -> HttpResponse:
    """What the artist has asked to share, newest first, a clip once. At most thirteen statements."""
    after = request.GET.get("after")
    member = caller.membership
    asked = review.submissions_of(member.id, limit=PAGE + 1, after=after) if member is not None else []
    names = list(dict.fromkeys(entry.video for entry in asked[:PAGE]))
    context = {
        "tiles": _tiles_of(names, member.id) if member is not None else [],
        "next_after": asked[PAGE - 1].public_id if len(asked) > PAGE else None,
        "later": after is not None,
        "member": member,
        "credited": member is not None and programme.is_credited(member.id),
    }
    return render(request, "studio/shared.html", context)


@require_POST
@requires(Action.CHANGE_OWN)
def credit(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Whether the artist is named in files."""
    if caller.membership is None:
        raise NotFound("not_found", "There is nothing at this address.")
    wanted = "credited" in request.POST
    memberships.credit(membership_id=caller.membership.id, credited=wanted, by=caller.actor, now=clock.now())
    named = "will name you" if wanted else "will not name you"
    messages.info(request, f"Saved. Files that are made from now on {named}.")
    return redirect("portal:shared")


def _tiles_of(names: list[str], membership_id: int) -> list[Tile]:
    found = {clip.public_id: clip for clip in generation.own_clips(names, membership_id)}
    return tiles([found[name] for name in names if name in found], clock.now())
