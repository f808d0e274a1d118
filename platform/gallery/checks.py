"""Where is this clip from? For anybody who has a file or an address, and whatever the file is."""

from __future__ import annotations

from typing import BinaryIO, cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import date_format
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from core import clock
from core.errors import DomainError, Invalid, NotYet
from delivery import checking
from delivery.checking import Checked
from gallery.house import tell_house_time

CREDENTIALS = {
    "trusted": (
        "is-public",
        "Signed by us, unchanged",
        "What is said here was signed when the file was made. Picture and sound are as they were then.",
    ),
    "valid": (
        "is-ok",
        "Signed by somebody we do not know, unchanged",
        "The signature holds. Who is behind it, we cannot say.",
    ),
    "trusted_once": (
        "is-ok",
        "Signed by us, unchanged, certificate run out",
        "The signature holds and the certificate is ours; it {ended}. No time stamp proves that we signed before that.",
    ),
    "valid_once": (
        "is-ok",
        "Signed, unchanged, certificate run out",
        "The signature holds. The certificate that signed it {ended}; who is behind it, we cannot say.",
    ),
    "changed": (
        "is-failed",
        "Changed since it was signed",
        "The file, or what it says of itself, is not what was signed. Believe nothing of what it says.",
    ),
    "none": (
        "is-private",
        "No Content Credentials in this file",
        "That proves nothing: most programs and sites remove them when they save or convert a file.",
    ),
    "unreadable": (
        "is-failed",
        "Not readable",
        "The file is damaged, or of a kind that carries no Content Credentials. Send MP4, JPEG or PNG.",
    ),
    "too_heavy": (
        "is-failed",
        "Too heavy to look into",
        "What this file says of itself takes more time or memory than we give. That alone is odd.",
    ),
    "gone": (
        "is-revoked",
        "No longer served",
        "We do not hand this file out any more, and so do not read it here.",
    ),
}
SOURCES = {
    "trainedAlgorithmicMedia": "made by a generative model",
    "compositeWithTrainedAlgorithmicMedia": "edited with a generative model",
    "digitalCapture": "taken with a camera",
}


@csrf_exempt  # it changes nothing
@require_http_methods(["GET", "HEAD", "POST"])
def check(request: HttpRequest) -> HttpResponse:
    tell_house_time()
    if request.method != "POST":
        return _page(request, share=request.GET.get("share", "")[:200])
    file, share = request.FILES.get("file"), request.POST.get("share", "")[:200]
    try:
        if file is None and not share.strip():
            sentence = "Choose a file, or give the address of a share."
            raise Invalid("invalid_request", sentence, fields={"file": sentence})
        if file is not None:
            found = checking.check_file(cast("BinaryIO", file), now=clock.now())
            return _page(request, found, name=file.name or "")
        return _page(request, checking.check_share(share, now=clock.now()), share=share)
    except DomainError as refusal:
        return _refused(request, refusal, share)


def _refused(request: HttpRequest, refusal: DomainError, share: str) -> HttpResponse:
    """With the form, for another try."""
    fields = dict(refusal.fields) if isinstance(refusal, Invalid) else {}
    asked = "file" if request.FILES else "share"
    response = _page(request, share=share, errors=fields or {asked: refusal.sentence})
    if refusal.code == "file_too_large":
        response.status_code = 413
    if isinstance(refusal, NotYet):
        response.status_code = 503
        response["Retry-After"] = str(refusal.extra["retry_after"])
    return response


def _page(
    request: HttpRequest,
    found: Checked | None = None,
    *,
    name: str = "",
    share: str = "",
    errors: dict[str, str] | None = None,
) -> HttpResponse:
    shape, word, sentence = _words(found) if found else ("", "", "")
    claims = found.credentials.claims if found else None
    context = {
        "found": found,
        "name": name,
        "share": share,
        "errors": errors or {},
        "shape": shape,
        "word": word,
        "sentence": sentence,
        "claims": claims,
        "source": SOURCES.get(claims.source_type.rpartition("/")[2], "") if claims else "",
        "limit": checking.MOST_BYTES // 1000**2,
    }
    response = render(request, "gallery/check.html", context, status=422 if errors else 200)
    response["Cache-Control"] = "no-store"
    return response


def _words(found: Checked) -> tuple[str, str, str]:
    """Of the credentials: shape, word, sentence. A certificate that has run out makes nobody a stranger."""
    signer = found.signer
    if signer is None or not signer.expired:
        return CREDENTIALS[found.credentials.state]
    shape, word, sentence = CREDENTIALS["trusted_once" if signer.ours else "valid_once"]
    ended = "has run out"
    if signer.until is not None:
        ended = f"ran out on {date_format(timezone.localtime(signer.until), 'j F Y')}"
    return shape, word, sentence.format(ended=ended)
