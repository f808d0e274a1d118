"""One stored file as one HTTP answer: ranges, conditions, names and how long it may be kept."""

from __future__ import annotations

import hashlib
import mimetypes
import re
import unicodedata
from typing import IO
from urllib.parse import quote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import quote_etag

from core.errors import NotFound
from delivery import ranges
from delivery.rules import Copy
from generation.media.vtt import SPRITE_NAME
from generation.services import files

CHUNK = 64 * 1024
UNSHARED = "private, no-store"
SHARED = "no-cache"
"""Kept, but asked about before every use: a revoked share ends with the next request."""


class Slice:
    """`length` bytes of an open file from where it stands; closes it at the end, or when the client has gone."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self.file, self.left = file, length

    def __iter__(self) -> Slice:
        return self

    def __next__(self) -> bytes:
        chunk = self.file.read(min(CHUNK, self.left)) if self.left else b""
        if not chunk:
            self.close()
            raise StopIteration
        self.left -= len(chunk)
        return chunk

    def close(self) -> None:
        self.file.close()


def respond(request: HttpRequest, copy: Copy, *, shared: bool) -> HttpResponseBase:
    """The file, or the part of it that the request asks for. Raises NotFound when the store has lost it.

    Behind nginx the answer names the file and nginx sends it, ranges and conditions included.
    """
    headers = {
        "Content-Type": copy.media_type,
        "Content-Disposition": disposition(copy, attachment=request.GET.get("download") == "1"),
        "Cache-Control": SHARED if shared else UNSHARED,
        "ETag": quote_etag(copy.sha256),
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    if settings.ACCEL_PREFIX:
        headers["X-Accel-Redirect"] = settings.ACCEL_PREFIX + quote(copy.storage_key)
        return HttpResponse(headers=headers)
    whole = HttpResponse(headers={**headers, "Content-Length": str(copy.bytes)})
    answer = get_conditional_response(request, etag=headers["ETag"], response=whole)
    if answer is not whole:
        return answer if answer is not None else whole
    if request.method == "HEAD":
        return whole
    return _body(request, copy, headers)


def respond_vtt(request: HttpRequest, copy: Copy, *, sprite: str) -> HttpResponseBase:
    """An unshared WebVTT file whose sprite is called `sprite` where it is asked for, relative to the same address.

    Its ETag is its own: these are other bytes than the stored ones.
    """
    try:
        with files.store().open(copy.storage_key) as file:
            stored = file.read()
    except FileNotFoundError as error:
        raise NotFound("not_found", "We cannot find this file any more.") from error
    body = stored.replace(f"{SPRITE_NAME}#".encode(), f"{sprite}#".encode())
    etag = quote_etag(hashlib.sha256(body).hexdigest())
    headers = {
        "Content-Type": copy.media_type,
        "Content-Disposition": disposition(copy, attachment=request.GET.get("download") == "1"),
        "Cache-Control": UNSHARED,
        "ETag": etag,
        "X-Content-Type-Options": "nosniff",
    }
    whole = HttpResponse(body, headers=headers)
    return get_conditional_response(request, etag=etag, response=whole) or whole


def _body(request: HttpRequest, copy: Copy, headers: dict[str, str]) -> HttpResponseBase:
    try:
        span = _asked(request, copy, headers["ETag"])
    except ranges.Unsatisfiable:
        refused = {"Content-Range": f"bytes */{copy.bytes}", "Cache-Control": headers["Cache-Control"]}
        return HttpResponse(status=416, headers=refused | {"Accept-Ranges": "bytes"})
    status = 200 if span is None else 206
    part = span or ranges.Span(0, copy.bytes - 1)
    headers["Content-Length"] = str(part.length)
    if span is not None:
        headers["Content-Range"] = f"bytes {span.first}-{span.last}/{copy.bytes}"
    try:
        file = files.store().open(copy.storage_key)
    except FileNotFoundError as error:
        raise NotFound("not_found", "We cannot find this file any more.") from error
    file.seek(part.first)
    return StreamingHttpResponse(Slice(file, part.length), status=status, headers=headers)


def _asked(request: HttpRequest, copy: Copy, etag: str) -> ranges.Span | None:
    condition = request.headers.get("If-Range")
    if condition is not None and condition.strip() != etag:
        return None  # it has a part of another file, or a date, which we do not give out
    return ranges.parse(request.headers.get("Range"), copy.bytes)


def disposition(copy: Copy, *, attachment: bool) -> str:
    """RFC 6266: a plain name for old programs, the real one beside it."""
    suffix = mimetypes.guess_extension(copy.media_type) or ""
    stem = " ".join(copy.stem.split())[:100]
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-.") or "clip"
    full = re.sub(r'[\\/:*?"<>|]+', "-", stem).strip(" .") or plain
    kind = "attachment" if attachment else "inline"
    return f"{kind}; filename=\"{plain}{suffix}\"; filename*=UTF-8''{quote(full + suffix, safe='')}"
