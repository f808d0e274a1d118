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


PROBLEMS: dict[str, Problem] = {
    # --- what was sent
    "invalid_request": Problem(
        400, "A field cannot be used", "`fields` names each bad field and what would work."
    ),
    "unknown_model": Problem(400, "Unknown model", "`GET /v1/models` lists what there is."),
    "bad_cursor": Problem(400, "Unknown cursor", "`after` is not the id of something in this list."),
    "bad_seconds": Problem(400, "Costs nothing", "A clip costs at least one second of the day."),
    "reason_never_counts": Problem(
        400, "Not a reason", "It is on the published list of reasons that never count."
    ),
    "malformed_body": Problem(
        400, "The body cannot be read", "Broken JSON or form, a name twice, or not UTF-8."
    ),
    "bad_request": Problem(400, "The request cannot be read", "The address, a header or the form is broken."),
    "method_not_allowed": Problem(405, "Method not allowed", "`Allow` names the methods of this address."),
    "not_acceptable": Problem(406, "Not acceptable", "This address answers with JSON alone."),
    "length_required": Problem(411, "Length required", "Send `Content-Length`; chunked bodies are not read."),
    "body_too_large": Problem(413, "Body too large", "A request has at most 256 kB."),
    "unsupported_media_type": Problem(
        415, "Unsupported media type", "Send JSON, multipart or a form, in UTF-8."
    ),
    "range_not_satisfiable": Problem(416, "Range not satisfiable", "It begins behind the end of the file."),
    # --- who asks
    "token_missing": Problem(401, "Token missing", "Send `Authorization: Bearer pv_…`."),
    "invalid_token": Problem(401, "Invalid token", "Not a token of ours, or its account is closed."),
    "token_expired": Problem(401, "Token expired", "Make a new one in the studio."),
    "token_revoked": Problem(401, "Token revoked", "It was ended. Make a new one in the studio."),
    "insufficient_scope": Problem(403, "Scope missing", "`scope` names what the token lacks."),
    "session_only": Problem(403, "Not by token", "This is done in the browser alone."),
    "not_allowed": Problem(403, "Not allowed", "The caller may not do this."),
    "not_a_member": Problem(403, "Not a member", "The token belongs to no artist of a programme."),
    "member_suspended": Problem(403, "Membership suspended", "Own clips stay to see, download and delete."),
    "membership_ended": Problem(403, "Membership ended", "Own clips stay to see, download and delete."),
    "terms_not_accepted": Problem(
        403, "Terms not accepted", "The terms in force wait for a yes in the studio."
    ),
    "not_a_reviewer": Problem(403, "Not a reviewer", "The person behind the token does not review any more."),
    "not_an_operator": Problem(
        403, "Not an operator", "The person behind the token does not operate any more."
    ),
    "no_variant": Problem(403, "Nothing to render with", "The programme has no model yet."),
    # --- what it is about
    "not_found": Problem(404, "Not found", "No such thing, or not yours: the two are never told apart."),
    "no_such_address": Problem(404, "No such address", "Nothing answers at this address."),
    "already_ended": Problem(409, "Ended already", "The render has finished, failed or was stopped."),
    "not_completed": Problem(
        409, "Not finished", "There is no file yet, or never will be; `status` says which."
    ),
    "already_in_review": Problem(409, "In review already", "The clip waits for an answer."),
    "already_on_view": Problem(409, "On view already", "The clip is shared."),
    "not_shared": Problem(409, "Not shared", "The clip is neither in review nor on view."),
    "no_policy": Problem(409, "No policy", "Without a published policy nothing can be decided."),
    "lease_lost": Problem(409, "Lease lost", "The case is not yours any more: claim again."),
    "already_decided": Problem(409, "Decided already", "A decision is never changed."),
    "wrong_state": Problem(409, "Not possible now", "The thing is in another state; `detail` says which."),
    "gone": Problem(410, "Gone", "It was on view and is not any more."),
    "quota_exhausted": Problem(
        429, "Allowance used up", "`left`, `limit` and `resets_at` (Unix seconds) say more."
    ),
    # --- us
    "server_error": Problem(500, "A fault of ours", "Ask again; the request id helps us find it."),
    "unavailable": Problem(
        503, "Not available now", "A part of ours does not answer. Ask again in a moment."
    ),
}


def table() -> str:
    """As the README has it."""
    rows = [f"| {problem.status} | `{code}` | {problem.meaning} |" for code, problem in PROBLEMS.items()]
    return "\n".join(["| status | code | meaning |", "|---|---|---|", *rows])
