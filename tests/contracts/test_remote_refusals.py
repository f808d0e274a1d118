"""What a server refuses: the artist's to change, or ours; and what is never shown of it."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from generation.backends.remote.backend import RemoteBackend
from generation.errors import EngineError, SpecRejected, Transient
from tests.rig.remote import SHORT, TOKEN, fails, redirects, render, says, sends
from tests.rig.video_server import VideoServer, clip_of

FILM = clip_of({"seed": b"3", "size": b"320x180", "seconds": b"1"})


def test_refusal_reaches_the_artist_in_the_servers_words_without_control_characters(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    words = f"The prompt\x1b[31m names\u202e a person\n\n twice; token {TOKEN}, {'very ' * 200}long"
    video_server.replies["order"] = [
        says(400, {"error": {"message": words, "code": "whatever_they_call_it"}})
    ]

    with pytest.raises(SpecRejected) as refusal:
        render(remote)

    assert refusal.value.code == "refused_by_server"
    assert refusal.value.sentence.startswith("The prompt[31m names a person twice; token ..., very very")
    assert len(refusal.value.sentence) <= 300
    assert refusal.value.sentence.isprintable()


@pytest.mark.parametrize(
    ("status", "body", "code", "sentence"),
    [
        (
            400,
            {
                "error": {
                    "message": "We make 4 or 8 seconds.",
                    "code": "unsupported_length",
                    "param": "seconds",
                }
            },
            "unsupported_length",
            "We make 4 or 8 seconds.",
        ),
        (
            403,
            {"error": {"message": "Not this one", "code": "moderation_blocked"}},
            "moderation_blocked",
            "Not this one.",
        ),
        (
            422,
            {"detail": [{"loc": ["body", "size"], "msg": "String should match pattern"}]},
            "refused_by_server",
            "size: String should match pattern.",
        ),
        (
            400,
            {"detail": "Width must be a multiple of 16."},
            "refused_by_server",
            "Width must be a multiple of 16.",
        ),
    ],
    ids=["known code", "moderation", "form", "problem"],
)
def test_refusal_has_a_stable_code(
    video_server: VideoServer, remote: RemoteBackend, status: int, body: object, code: str, sentence: str
) -> None:
    video_server.replies["order"] = [says(status, body)]

    with pytest.raises(SpecRejected) as refusal:
        render(remote)

    assert (refusal.value.code, refusal.value.sentence) == (code, sentence)
    assert len(video_server.told("POST", "/videos")) == 1


@pytest.mark.parametrize(
    ("status", "body", "match"),
    [
        (
            401,
            {"error": {"message": f"Incorrect key: {TOKEN}", "code": "invalid_token"}},
            "401 invalid_token",
        ),
        (403, {"error": {"message": "Suspended.", "code": "member_suspended"}}, "403 member_suspended"),
        (404, {"detail": "Not Found"}, "404"),
        (405, b"", "405"),
        (400, b"", "400"),
        (
            400,
            {"error": {"message": "No such model.", "code": "unknown_model", "param": "model"}},
            "this model",
        ),
        (404, {"error": {"message": "No model wan.", "code": 404, "param": "model"}}, "No model wan"),
    ],
    ids=["token", "suspended", "address", "method", "no reason", "model", "vllm model"],
)
def test_refusal_that_no_artist_can_change_is_ours_to_mend(
    video_server: VideoServer, remote: RemoteBackend, status: int, body: Any, match: str
) -> None:
    video_server.replies["order"] = [says(status, body)]

    fails(remote, EngineError, match)
    assert len(video_server.told("POST", "/videos")) == 1


def test_token_that_the_server_does_not_know_is_found_out_at_the_start(video_server: VideoServer) -> None:
    video_server.replies["models"] = [says(401, {"error": {"message": "No.", "code": "token_revoked"}})]

    with pytest.raises(EngineError, match="401 token_revoked") as fault:
        RemoteBackend(video_server.url, TOKEN, limits=SHORT)
    assert not isinstance(fault.value, Transient)


@pytest.mark.parametrize(
    ("error", "family", "code"),
    [
        ({"code": "moderation_blocked", "message": "Not shown"}, SpecRejected, "moderation_blocked"),
        ({"code": "prompt_too_long", "message": "At most 77 words"}, SpecRejected, "prompt_too_long"),
        ({"code": 400, "message": "num_frames must be 4k + 1"}, SpecRejected, "refused_by_server"),
        ({"code": 500, "message": "CUDA out of memory"}, Transient, None),
        ({"code": "worker_lost", "message": "A worker was lost"}, Transient, None),
        ({"code": "cancelled", "message": "Stopped"}, Transient, None),
        (None, Transient, None),
        ("broken", Transient, None),
    ],
)
def test_failed_job_is_the_artists_or_worth_another_try(
    video_server: VideoServer, remote: RemoteBackend, error: Any, family: type[EngineError], code: str | None
) -> None:
    video_server.replies["read"] = [says(200, {"id": "video_gen_0", "status": "failed", "error": error})]

    with pytest.raises(family) as fault:
        render(remote)

    assert getattr(fault.value, "code", None) == code
    if isinstance(error, dict):
        assert error["message"] in fault.value.sentence


def test_token_never_reaches_a_log_or_a_representation(
    video_server: VideoServer, remote: RemoteBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    video_server.replies["content"] = [
        redirects(f"{video_server.url}/signed?signature=pv_signed"),
        sends(FILM),
    ]

    render(remote)

    assert TOKEN not in caplog.text + repr(vars(remote)) + repr(vars(vars(remote)["_server"]))
    assert "pv_signed" not in caplog.text
