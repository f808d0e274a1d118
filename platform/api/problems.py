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
    "prompt_too_long": Problem(400, "Prompt too long", "Inside its style's template the prompt is too long."),
    "invalid_negative_prompt": Problem(400, "Negative prompt", "It is too long or has control characters."),
    "unknown_style": Problem(400, "Unknown style", "`GET /v1/styles` lists what there is."),
    "style_retired": Problem(400, "Style retired", "The style is not offered any more."),
    "style_unusable": Problem(400, "Style not usable", "Its LoRA file was retired, or is not your cohort's."),
    "style_for_another_model": Problem(400, "Style of another model", "`detail` says which models can."),
    "invalid_style": Problem(400, "A style's field", "`fields` names each bad field and what would work."),
    "unknown_adapter": Problem(400, "Unknown LoRA file", "No such file, or not one that you may use."),
    "cohorts_of_own_style": Problem(400, "An own style", "A style of your own is yours alone."),
    "unknown_reference": Problem(400, "Unknown picture", "`GET /v1/references` lists yours."),
    "reference_removed": Problem(400, "Picture removed", "The picture is not kept any more."),
    "unknown_character": Problem(400, "Unknown character", "`GET /v1/videos/characters` lists yours."),
    "not_in_character": Problem(400, "Not of this character", "The picture is none of the character's."),
    "images_unsupported": Problem(
        400, "No pictures", "The model starts from words alone; `detail` names others."
    ),
    "invalid_name": Problem(400, "A name", "A name has 1 to 60 characters."),
    "invalid_pictures": Problem(400, "A character's pictures", "1 to 12 pictures, each once."),
    "file_empty": Problem(400, "Empty file", "The file has no bytes."),
    "file_too_large": Problem(400, "File too large", "`detail` says how large it may be."),
    "not_our_address": Problem(400, "Another host", "A share on another host: nothing can be said of it."),
    "invalid_second": Problem(400, "No such second", "The clip is shorter."),
    "picture_unreadable": Problem(
        400, "No picture", "Send PNG, JPEG or WebP; the content counts, not the name."
    ),
    "picture_too_large": Problem(400, "Picture too large", "At most 20 MB."),
    "picture_too_many_pixels": Problem(400, "Too many pixels", "At most 40 million pixels."),
    "picture_too_small": Problem(400, "Picture too small", "`detail` says how long each side must be."),
    "picture_shape": Problem(400, "Picture too long", "`detail` says how long it may be for its width."),
    "picture_animated": Problem(400, "Picture moves", "Send a still picture."),
    "no_final_model": Problem(400, "No model for finals", "None is there, or none is open to your cohort."),
    "not_a_final_model": Problem(400, "A model for drafts", "`detail` names those that make finals."),
    "malformed_body": Problem(
        400, "The body cannot be read", "Broken JSON or form, a name twice, or not UTF-8."
    ),
    "bad_request": Problem(400, "The request cannot be read", "The address, a header or the form is broken."),
    "method_not_allowed": Problem(405, "Method not allowed", "`Allow` names the methods of this address."),
    "not_acceptable": Problem(406, "Not acceptable", "This address answers with JSON alone."),
    "length_required": Problem(411, "Length required", "Send `Content-Length`; chunked bodies are not read."),
    "body_too_large": Problem(
        413, "Body too large", "At most 256 kB, and a file besides where the address takes one."
    ),
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
    "not_your_clip": Problem(404, "Not your clip", "The file is none that you downloaded from here."),
    "not_ended": Problem(409, "Not ended", "The render still waits or runs."),
    "no_frames": Problem(409, "No frames", "The clip's own frames are not kept, or cannot be read."),
    "model_changed": Problem(
        409, "Another model now", "The same frames would not come; remix the clip instead."
    ),
    "reference_in_use": Problem(409, "Picture in use", "A render that has not ended starts from it."),
    "reference_in_character": Problem(409, "Picture of a character", "Take it out of the character first."),
    "name_taken": Problem(409, "Name taken", "Another one of yours has that name."),
    "too_many_references": Problem(
        409, "Too many pictures", "Remove some first; `detail` says how many are kept."
    ),
    "too_many_characters": Problem(409, "Too many characters", "Remove some first."),
    "too_many_styles": Problem(409, "Too many styles", "Retire some first."),
    "already_ended": Problem(409, "Ended already", "The render has finished, failed or was stopped."),
    "not_completed": Problem(
        409, "Not finished", "There is no file yet, or never will be; `status` says which."
    ),
    "already_in_review": Problem(409, "In review already", "The clip waits for an answer."),
    "already_on_view": Problem(409, "On view already", "The clip is shared."),
    "not_shared": Problem(409, "Not shared", "The clip is neither in review nor on view."),
    "no_policy": Problem(409, "No policy", "Without a published policy nothing can be decided."),
    "lease_lost": Problem(409, "Lease lost", "The case is not yours any more: claim again."),
    "copy_not_ready": Problem(
        409, "Copy not ready", "The public copy is still being made, or could not be; `detail` says which."
    ),
    "already_decided": Problem(409, "Decided already", "A decision is never changed."),
    "wrong_state": Problem(409, "Not possible now", "The thing is in another state; `detail` says which."),
    "gone": Problem(410, "Gone", "It was on view and is not any more."),
    "quota_exhausted": Problem(
        429, "Allowance used up", "`left`, `limit` and `resets_at` (Unix seconds) say more."
    ),
    "too_many_checks": Problem(
        429, "Too many files to check", "From one address; `Retry-After` says when to go on."
    ),
    # --- us
    "server_error": Problem(500, "A fault of ours", "Ask again; the request id helps us find it."),
    "copy_being_made": Problem(
        503,
        "Your copy is being made",
        "Each token gets a copy of its own; `Retry-After` says when to ask again.",
    ),
    "copy_failed": Problem(
        503,
        "Your copy could not be made",
        "A fault of ours; `Retry-After` says when it can be asked for again.",
    ),
    "busy": Problem(503, "Busy", "Others are being served; `Retry-After` says when to ask again."),
    "too_slow": Problem(
        503, "Came too slowly", "A file that hardly moves, or is not here after five minutes, is given up."
    ),
    "unavailable": Problem(
        503, "Not available now", "A part of ours does not answer. Ask again in a moment."
    ),
}

OURS, LOOK = "Ours. Nothing was charged; ", "The style's LoRA file "
FAULTS: dict[str, str] = {
    # --- `error.code` of a video that failed after it was taken on
    "cancelled": "It was stopped by its artist, or by an operator.",
    "render_failed": f"{OURS}we have been told.",
    "took_too_long": f"{OURS}a shorter or smaller clip may get through.",
    "set_aside": f"{OURS}two machines stopped in the middle of it, and we are looking into it.",
    "file_gone": "A picture or a style file that it starts from was removed before the render began.",
    "prompt_too_long": "The model takes fewer characters.",
    "invalid_seed": "The model takes other seeds.",
    "unsupported_size": "The model does not make this size; the sentence names the nearest that it makes.",
    "unsupported_length": "The model does not make this length; the sentence names the nearest that it makes.",
    "unsupported_steps": "The model does not take this number of steps.",
    "images_unsupported": "The model does not start from a picture.",
    "image_required": "The model starts from a picture only.",
    "image_unreadable": "The start picture is none that can be read.",
    "image_too_large": "The start picture has too many pixels.",
    "adapters_unsupported": "The model loads no LoRA files.",
    "adapter_unreadable": f"{LOOK}cannot be read.",
    "adapter_changed": f"{LOOK}is not the one that was checked.",
    "adapter_too_large": f"{LOOK}is too large.",
    "adapter_rank": f"{LOOK}has too high a rank.",
    "adapter_tensors": f"{LOOK}holds something that is no LoRA pair.",
    "adapter_settings": f"{LOOK}asks for more than a plain LoRA.",
    "adapter_targets": f"{LOOK}was made for another model.",
    "adapter_weight": f"{LOOK}is asked for with too high a weight.",
    "adapter_numbers": f"{LOOK}holds weights that are infinite, or more than half precision holds.",
    "adapter_overflow": f"{LOOK}drives the model beyond its numbers: no picture comes out.",
    "moderation_blocked": "The outside server that renders this model refused the words or the picture.",
    "refused_by_server": "The outside server that renders this model refused the request.",
}


def faults() -> str:
    """What can be the matter with a video that failed, as the README has it."""
    return "\n".join(
        ["| `error.code` | meaning |", "|---|---|", *(f"| `{c}` | {m} |" for c, m in FAULTS.items())]
    )


def table() -> str:
    """As the README has it."""
    rows = [f"| {problem.status} | `{code}` | {problem.meaning} |" for code, problem in PROBLEMS.items()]
    return "\n".join(["| status | code | meaning |", "|---|---|---|", *rows])
