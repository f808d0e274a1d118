"""Any clip of the programme, for its operators. Looking is written to the log."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from access.caller import Caller
from access.gate import Action
from accounts import queries as accounts
from audit import log as audit_log
from audit import queries as audit
from core import clock
from core.errors import NotFound
from delivery import serve
from delivery.names import FILES
from delivery.rules import Operator
from generation import queries as generation
from generation.queries import ClipView, Standing
from generation.states import VideoState
from portal.gates import requires
from portal.office.log import log_row
from portal.office.programme import programme_of
from review import queries as review
from review.states import ShareWord

EVENTS = 20
RENDER = {
    VideoState.QUEUED: ("Queued", "is-queued"),
    VideoState.IN_PROGRESS: ("Rendering", "is-rendering"),
    VideoState.COMPLETED: ("Finished", "is-ok"),
    VideoState.FAILED: ("Failed", "is-failed"),
    VideoState.CANCELLED: ("Stopped", "is-revoked"),
}
SHARE = {
    ShareWord.PRIVATE: ("Private", "is-private"),
    ShareWord.IN_REVIEW: ("In review", "is-review"),
    ShareWord.CHANGES_ASKED: ("Changes asked", "is-changes"),
    ShareWord.NOT_SHOWN: ("Not shown", "is-refused"),
    ShareWord.ON_VIEW: ("On view", "is-public"),
    ShareWord.REVOKED: ("Taken back", "is-revoked"),
}


@never_cache
@require_safe
@requires(Action.OPERATE)
def show(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    clip, now = _clip(caller, video), clock.now()
    with audit_log.transaction() as events:
        events.record(action="video.viewed", actor=caller.actor, target=video, now=now)
    share = review.share_state([clip.id], now=now)[clip.id]
    found = audit.latest(limit=EVENTS, targets=(video, clip.request))
    names = accounts.names(event.actor.partition(":")[2] for event in found)
    context = {
        "clip": clip,
        "playable": _playable(clip),
        "screening": serve.screening(Operator(caller), clip, now=now) if _playable(clip) else None,
        "render": RENDER[clip.state],
        "share": share,
        "share_word": SHARE[share.state],
        "rows": [log_row(event, names) for event in found],
    }
    return render(request, "office/clip.html", context)


@never_cache
@require_safe
@requires(Action.OPERATE)
def player(request: HttpRequest, caller: Caller, video: str) -> HttpResponse:
    """The clip alone, asked for again while the operator's copy is being made: nothing, until that has changed."""
    clip = _clip(caller, video)
    if not _playable(clip):
        raise NotFound("not_found", "There is nothing at this address.")
    screening = serve.screening(Operator(caller), clip, now=clock.now())
    if screening.standing == Standing.MAKING:
        return HttpResponse(status=204)
    return render(request, "office/_player.html", {"clip": clip, "screening": screening})


@require_safe
@requires(Action.OPERATE)
def file(request: HttpRequest, caller: Caller, video: str, name: str) -> HttpResponseBase:
    if name not in FILES:
        raise Http404
    _clip(caller, video)
    return serve.operator_file(caller, video, FILES[name], request, now=clock.now())


def _playable(clip: ClipView) -> bool:
    return clip.master is not None and clip.deleted_at is None


def _clip(caller: Caller, video: str) -> ClipView:
    """Raises NotFound for a clip of another programme, too."""
    found = generation.clip(video)
    if found is None or found.programme_id != programme_of(caller).id:
        raise NotFound("not_found", "There is no such clip.")
    return found
