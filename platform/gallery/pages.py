"""What anybody may see. Each page asks, when it is served, whether a grant is active now."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.crypto import salted_hmac
from django.views.decorators.http import require_safe

from core import clock
from core.errors import Gone, NotFound
from delivery import serve
from gallery.house import tell_house_time
from programme import queries as programme
from review import queries as review
from review.queries import RevokedNotice
from review.rules import REVIEW_HOURS

PAGE = 24
KINDS = {"video.mp4": "mp4", "poster.jpg": "poster"}
# An uneven hang: which of a run of six hangs wide.
SPANS = ("w8", "end", "", "w8", "w6", "w6")


@require_safe
def wall(request: HttpRequest) -> HttpResponseBase:
    """What is on view, newest first. At most six statements."""
    after = request.GET.get("after")
    found = review.public_grants(now=clock.now(), limit=PAGE + 1, after=after)
    shown = found[:PAGE]
    context = {
        "hung": [
            (grant, SPANS[place % len(SPANS)] if len(shown) > 2 else "w6")
            for place, grant in enumerate(shown)
        ],
        "next_after": shown[-1].public_id if len(found) > PAGE else None,
        "later": after is not None,
    }
    return _kept(request, render(request, "gallery/wall.html", context))


@require_safe
def share(request: HttpRequest, share: str) -> HttpResponseBase:
    """A clip on view; 410 with a notice once it was taken back; 404 for what never was here. Five statements."""
    found = review.public_grant(share, now=clock.now())
    tell_house_time()
    if found is None:
        raise NotFound("not_found", "There is nothing at this address.")
    if isinstance(found, RevokedNotice):
        response = render(request, "gallery/revoked.html", {"notice": found}, status=410)
        response["Cache-Control"] = "no-store"
        return response
    context = {"grant": found, "base_url": settings.BASE_URL}
    return _kept(request, render(request, "gallery/share.html", context))


@require_safe
def file(request: HttpRequest, share: str, name: str) -> HttpResponseBase:
    if name not in KINDS:
        raise NotFound("not_found", "There is nothing at this address.")
    try:
        return serve.public_file(share, KINDS[name], request, now=clock.now())
    except Gone as gone:
        response = HttpResponse(gone.sentence, status=410, content_type="text/plain; charset=utf-8")
        response["Cache-Control"] = "no-store"
        return response


@require_safe
def policy(request: HttpRequest) -> HttpResponse:
    """What may be shown, and the reasons that may never be used. Four statements."""
    house = tell_house_time()
    found = review.current_policy(house.id) if house is not None else None
    context = {"policy": found, "programme": house, "review_hours": REVIEW_HOURS}
    return render(request, "gallery/policy.html", context)


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """The terms of participation, of the house or of the programme that is named. Two statements."""
    house = tell_house_time(request.GET.get("programme"))
    found = programme.current_terms(house.id) if house is not None else None
    return render(request, "gallery/terms.html", {"terms": found, "programme": house})


def _kept(request: HttpRequest, response: HttpResponse) -> HttpResponseBase:
    """May be kept, must be asked again: a copy that was taken back is never shown from a cache."""
    response["Cache-Control"] = "no-cache" if not request.user.is_authenticated else "private, no-cache"
    if not request.user.is_authenticated:
        # The form in the foot carries a token that differs in each answer; the tag is of what is on view.
        body = response.content.split(b"<footer", 1)[0]
        response["ETag"] = f'"{salted_hmac("gallery", body, algorithm="sha256").hexdigest()[:32]}"'
        return get_conditional_response(request, etag=response["ETag"], response=response) or response
    return response
