"""What becomes of a render when the server is busy, broken, silent, or talks nonsense."""

from __future__ import annotations

import time
from contextlib import closing

import pytest

from generation.backends.remote.backend import RemoteBackend
from generation.errors import EngineError, RenderCancelled, Transient
from tests.rig.remote import SHORT, SPEC, fails, redirects, render, says
from tests.rig.video_server import Exchange, VideoServer, clip_of

FILM = clip_of({"seed": b"3", "size": b"320x180", "seconds": b"1"})


def test_busy_server_is_asked_again_when_it_says(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["order"] = [says(429, {"error": {"message": "Busy."}}, retry_after_ms="300"), None]
    began = time.monotonic()

    assert render(remote).count == 8
    assert time.monotonic() - began >= 0.3
    assert len(video_server.told("POST", "/videos")) == 2


def test_busy_server_that_asks_for_an_hour_is_left_to_another_attempt(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["order"] = [says(429, {"error": {"message": "Busy."}}, retry_after="3600")]

    fails(remote, Transient, "429. Busy")
    assert len(video_server.told("POST", "/videos")) == 1


def test_busy_server_that_never_frees_itself_is_given_up(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["order"] = [says(429, retry_after="0")]

    fails(remote, Transient, "429")
    assert 3 <= len(video_server.told("POST", "/videos")) <= 60


def test_used_up_quota_is_not_asked_for_again_at_once(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["order"] = [
        says(429, {"error": {"message": "No seconds left today."}}, x_should_retry="false", retry_after="0")
    ]

    fails(remote, Transient, "No seconds left today")
    assert len(video_server.told("POST", "/videos")) == 1


@pytest.mark.parametrize("status", [500, 502, 504])
def test_order_that_a_broken_server_may_have_taken_is_not_sent_twice(
    video_server: VideoServer, remote: RemoteBackend, status: int
) -> None:
    video_server.replies["order"] = [says(status, b"<html>Bad gateway</html>", content_type="text/html")]

    fails(remote, Transient, str(status))
    assert len(video_server.told("POST", "/videos")) == 1


def test_unavailable_server_is_asked_again(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["order"] = [says(503), says(503), None]

    assert render(remote).count == 8


def test_questions_about_a_job_outlive_a_short_outage(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["read"] = [says(500), says(502), says(200, b"no JSON"), Exchange.hang, None]

    assert render(remote).count == 8


def test_job_of_a_server_that_stays_broken_is_given_up(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["read"] = [says(500)]

    fails(remote, Transient, "500")
    assert video_server.jobs == {}


def test_server_that_is_not_there_is_a_fault_that_may_pass() -> None:
    with pytest.raises(Transient, match="cannot be reached"):
        RemoteBackend("http://127.0.0.1:1/v1", limits=SHORT)


def test_server_that_stops_is_a_fault_that_may_pass() -> None:
    with VideoServer().running() as server:
        backend = RemoteBackend(server.url, limits=SHORT)

    with closing(backend):
        fails(backend, Transient, "cannot be reached|in time")


@pytest.mark.parametrize("kind", ["order", "read", "content"])
def test_server_that_says_nothing_is_given_up(
    video_server: VideoServer, remote: RemoteBackend, kind: str
) -> None:
    video_server.replies[kind] = [Exchange.hang]

    fails(remote, Transient, "does not answer in time")


def test_answer_that_comes_letter_by_letter_is_given_up(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    def drip(exchange: Exchange) -> None:
        exchange.begin(200, {"content-type": "application/json", "content-length": "9999"})
        while not exchange.server.house.ended.wait(0.05):
            exchange.wfile.write(b" ")

    video_server.replies["order"] = [drip]

    fails(remote, Transient, "end of its answer")


def test_job_that_never_ends_is_given_up_and_stopped(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["read"] = [says(200, {"id": "video_gen_0", "status": "in_progress", "progress": 99})]

    fails(remote, Transient, "does not come to the end of this render")
    assert video_server.told("POST", "/cancel")
    assert video_server.jobs == {}


def test_stop_is_heard_while_the_server_is_busy(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["order"] = [says(429, retry_after_ms="700")]
    began = time.monotonic()

    with pytest.raises(RenderCancelled):
        remote.render([SPEC], progress=lambda *_: None, cancelled=lambda: time.monotonic() > began + 0.1)
    assert time.monotonic() - began < 0.6


def test_stop_is_heard_while_a_file_arrives(video_server: VideoServer, remote: RemoteBackend) -> None:
    arriving: list[float] = []

    def slow(exchange: Exchange) -> None:
        exchange.begin(200, {"content-type": "video/mp4", "content-length": str(len(FILM))})
        arriving.append(time.monotonic())
        for at in range(len(FILM)):
            exchange.wfile.write(FILM[at : at + 1])
            if exchange.server.house.ended.wait(0.05):
                return

    video_server.replies["content"] = [slow]

    with pytest.raises(RenderCancelled):
        remote.render([SPEC], progress=lambda *_: None, cancelled=lambda: bool(arriving))
    assert time.monotonic() - arriving[0] < 0.8
    assert video_server.jobs == {}


@pytest.mark.parametrize("status", ["baked", "", None, 7, ["completed"]])
def test_state_that_nobody_knows_is_our_fault_to_mend(
    video_server: VideoServer, remote: RemoteBackend, status: object
) -> None:
    video_server.replies["read"] = [says(200, {"id": "video_gen_0", "status": status})]

    fails(remote, EngineError, "no state that we know")
    assert video_server.jobs == {}


@pytest.mark.parametrize("number", ["../../admin", "..", "a/b", "a?b", "", None, 7, "x" * 500])
def test_job_whose_id_would_lead_elsewhere_is_not_followed(
    video_server: VideoServer, remote: RemoteBackend, number: object
) -> None:
    video_server.replies["order"] = [says(200, {"id": number, "status": "queued"})]

    fails(remote, EngineError, "names no job")
    assert len(video_server.seen) == 2


def test_answer_about_another_job_is_not_taken(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["read"] = [says(200, {"id": "video_gen_7", "status": "completed"})]

    fails(remote, EngineError, "another job")


def test_job_that_the_server_forgot_is_tried_anew(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["read"] = [says(404, {"error": {"message": "Video not found"}})]

    fails(remote, Transient, "forgotten")


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"", b"[" * 100_000, b'{"id": "video', b"\xff\xfe", b"1" * 5000],
    ids=["page", "nothing", "nested", "half", "no UTF-8", "endless number"],
)
def test_answer_that_is_no_json_is_a_fault_that_may_pass(
    video_server: VideoServer, remote: RemoteBackend, body: bytes
) -> None:
    video_server.replies["order"] = [says(200, body)]

    fails(remote, Transient, "no JSON")


def test_answer_without_end_is_not_read_to_its_end(video_server: VideoServer, remote: RemoteBackend) -> None:
    video_server.replies["order"] = [says(200, b" " * (3 << 20))]

    fails(remote, EngineError, "has no end")


def test_address_that_only_redirects_is_ours_to_mend(
    video_server: VideoServer, remote: RemoteBackend
) -> None:
    video_server.replies["order"] = [redirects(f"{video_server.url}/elsewhere")]

    fails(remote, EngineError, "another one")
    assert len(video_server.seen) == 2
