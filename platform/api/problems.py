"""Every way in which `/v1` can say no: the stable code, the HTTP status, a title and what it means.

The README's table is made from this one, and a test compares both with the codes that the house raises.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """`title` is the same for each occurrence (RFC 9457); the sentence of the occurrence is its `detail`."""

    status: int
    title: str
    meaning: str


_401, _403, _404, _409, _410, _429 = 401, 403, 404, 409, 410, 429

PROBLEMS: dict[str, Problem] = {
    # --- what was sent -------------------------------------------------------------------------------
    "invalid_request": Problem(
        400, "A field cannot be used", "`fields` names each bad field and what would work."
    ),
    "unknown_model": Problem(400, "Unknown model", "No variant of that name; `GET /v1/models` lists them."),
    "unsupported_field": Problem(
        400, "Field not supported", "The field asks for something that we do not do."
    ),
    "bad_cursor": Problem(400, "Unknown cursor", "`after` is not the id of something in this list."),
    "malformed_body": Problem(400, "The body cannot be read", "Broken JSON or multipart, or not UTF-8."),
    "bad_request": Problem(400, "The request cannot be read", "An address or a header is broken."),
    "method_not_allowed": Problem(405, "Method not allowed", "`Allow` names the methods of this address."),
    "not_acceptable": Problem(406, "Not acceptable", "This address answers with JSON alone."),
    "length_required": Problem(411, "Length required", "Send `Content-Length`; chunked bodies are not read."),
    "body_too_large": Problem(413, "Body too large", "A request has at most 256 kB."),
    "unsupported_media_type": Problem(415, "Unsupported media type", "Send JSON, multipart or a form."),
    # --- who asks ------------------------------------------------------------------------------------
    "token_missing": Problem(_401, "Token missing", "Send `Authorization: Bearer pv_…`."),
    "insufficient_scope": Problem(_403, "Scope missing", "`scope` names what the token lacks."),
    # --- what it is about ----------------------------------------------------------------------------
    "not_found": Problem(_404, "Not found", "No such thing, or not yours: the two are never told apart."),
    "no_such_address": Problem(_404, "No such address", "Nothing answers at this address."),
    "not_ready": Problem(
        _409, "Not ready", "The clip has no files yet, or never will; its `status` says which."
    ),
    "gone": Problem(_410, "Gone", "It was there once and has been removed."),
    # --- us ------------------------------------------------------------------------------------------
    "server_error": Problem(500, "A fault of ours", "Nothing was changed. The request id helps us find it."),
    "unavailable": Problem(
        503, "Not available now", "A part of ours does not answer. Try again in a moment."
    ),
}
