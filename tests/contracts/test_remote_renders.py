"""The remote backend and a server that does what it should: what goes out, what comes in, what is left behind."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pictures

from generation.backends import registry
from generation.backends.remote.backend import RemoteBackend
from generation.backends.remote.limits import Limits
from generation.errors import EngineError, RenderCancelled, SpecRejected
from generation.spec import Frames, RenderSpec
from tests.rig.video_server import VideoServer

SPEC = RenderSpec(
    prompt=" a red boat ", seed=11, width=320, height=180, seconds=1, fps=24, steps=6, guidance=2.5
)
QUICK = Limits(first_pause=0.01)
Opens = Callable[..., RemoteBackend]


@pytest.fixture
def opens(video_server: VideoServer) -> Iterator[Opens]:
    """Backends of the server, closed after the test."""
    opened: list[RemoteBackend] = []

    def open_one(token: str = "", model: str = "wan", limits: Limits = QUICK) -> RemoteBackend:
        opened.append(RemoteBackend(video_server.url, token, model, limits=limits))
        return opened[-1]

    yield open_one
    for backend in opened:
        backend.close()


def render(backend: RemoteBackend, spec: RenderSpec = SPEC) -> Frames:
    return backend.render([spec], progress=lambda *_: None, cancelled=lambda: False)[0]


def test_order_is_a_form_with_the_fields_of_openai_and_of_vllm_omni(
    video_server: VideoServer, opens: Opens
) -> None:
    render(opens(), replace(SPEC, negative_prompt="fog"))

    (order,) = video_server.told("POST", "/videos")
    assert order.headers["content-type"].startswith("multipart/form-data")
    assert order.fields == {
        "model": b"wan",
        "prompt": b"a red boat",
        "negative_prompt": b"fog",
        "seconds": b"1",
        "size": b"320x180",
        "fps": b"24",
        "seed": b"11",
        "num_inference_steps": b"6",
        "guidance_scale": b"2.5",
    }


def test_picture_goes_along_as_a_file(video_server: VideoServer, opens: Opens, tmp_path: Path) -> None:
    picture = tmp_path / "first.png"
    Pictures.new("RGB", (64, 64), (200, 120, 40)).save(picture)

    render(opens(), replace(SPEC, image=picture))

    assert video_server.told("POST", "/videos")[0].fields["input_reference"] == picture.read_bytes()


def test_token_goes_along_with_every_request(video_server: VideoServer, opens: Opens) -> None:
    render(opens("pv_secret"))

    assert len(video_server.seen) >= 5
    assert {seen.headers.get("authorization") for seen in video_server.seen} == {"Bearer pv_secret"}


def test_each_step_is_told_once_however_often_the_server_is_asked(opens: Opens) -> None:
    reports: list[tuple[int, int]] = []

    opens().render([SPEC], progress=lambda *told: reports.append(told), cancelled=lambda: False)

    assert reports == [(done, 6) for done in range(7)]


def test_progress_never_goes_back(video_server: VideoServer, opens: Opens) -> None:
    reports: list[int] = []
    ahead = {"id": "video_gen_0", "status": "in_progress"}
    video_server.replies["read"] = [
        lambda exchange: exchange.say(200, ahead | {"progress": 67}),
        lambda exchange: exchange.say(200, ahead | {"progress": 10}),
        None,
    ]

    opens().render([SPEC], progress=lambda done, _: reports.append(done), cancelled=lambda: False)

    assert reports == list(range(7))


def test_nothing_is_left_at_the_server_after_a_render(video_server: VideoServer, opens: Opens) -> None:
    render(opens())

    assert video_server.jobs == {}


def test_a_stop_ends_the_job_at_the_server_too(video_server: VideoServer, opens: Opens) -> None:
    reports: list[int] = []

    with pytest.raises(RenderCancelled):
        opens().render(
            [SPEC], progress=lambda done, _: reports.append(done), cancelled=lambda: reports[-1:] == [2]
        )

    assert [seen.path for seen in video_server.told("POST", "/cancel")] == ["/videos/video_gen_0/cancel"]
    assert video_server.jobs == {}
    assert not video_server.told("GET", "/content")


def test_a_stop_does_not_wait_for_the_next_question(video_server: VideoServer, opens: Opens) -> None:
    video_server.replies["order"] = [
        lambda exchange: exchange.say(
            200, {"id": "video_gen_9", "status": "queued"}, openai_poll_after_ms="9000"
        )
    ]
    reports: list[int] = []
    began = time.monotonic()

    with pytest.raises(RenderCancelled):
        opens().render(
            [SPEC],
            progress=lambda done, _: reports.append(done),
            cancelled=lambda: time.monotonic() > began + 0.2,
        )

    assert time.monotonic() - began < 3
    assert not video_server.told("GET", "/videos/video_gen_9")


def test_asks_as_seldom_as_the_server_wishes(video_server: VideoServer, opens: Opens) -> None:
    video_server.replies["order"] = [
        lambda exchange: exchange.say(
            200, {"id": "video_gen_9", "status": "queued"}, openai_poll_after_ms="600"
        )
    ]
    video_server.replies["read"] = [
        lambda exchange: exchange.say(200, {"id": "video_gen_9", "status": "failed"})
    ]
    began = time.monotonic()

    with pytest.raises(EngineError):
        render(opens())

    assert time.monotonic() - began >= 0.6


def test_prompt_that_the_server_completed_comes_back(video_server: VideoServer, opens: Opens) -> None:
    told = {"id": "video_gen_0", "status": "completed", "progress": 100}
    words = {"completed_prompt": "a red boat\u202e drifts\n by night", "ignored_words": ["quick", 7]}
    video_server.replies["read"] = [lambda exchange: exchange.say(200, told | words)]

    frames = render(opens())

    assert frames.completed_prompt == "a red boat drifts by night"
    assert frames.ignored_words == ("quick",)


def test_frames_can_be_gone_through_twice_and_one_is_in_memory_at_a_time(opens: Opens) -> None:
    frames = render(opens())
    first, second = iter(frames.images), iter(frames.images)

    assert (frames.count, frames.width, frames.height) == (8, 320, 180)
    assert (next(first) == next(second)).all()
    assert len(list(first)) == len(list(second)) == 7
    assert not isinstance(frames.images, list | tuple)


def test_server_that_tells_its_sizes_and_lengths_is_not_asked_for_others(
    video_server: VideoServer, opens: Opens
) -> None:
    video_server.models[0] |= {"sizes": ["640x360", "1280x720"], "seconds": ["4", "8"], "images": False}
    backend = opens()
    wrong: list[tuple[str, str, dict[str, Any]]] = [
        ("unsupported_size", "640 × 360", {"seconds": 4}),
        ("unsupported_length", "8 s", {"width": 640, "height": 360, "seconds": 9}),
    ]

    for code, nearest, changes in wrong:
        with pytest.raises(SpecRejected, match=nearest) as refusal:
            render(backend, replace(SPEC, **changes))
        assert refusal.value.code == code
    assert not backend.capability().images
    assert not video_server.told("POST")


def test_digest_names_address_model_and_what_the_server_says_of_it(
    video_server: VideoServer, opens: Opens
) -> None:
    before = opens().checkpoint
    video_server.models[0]["created"] = 1800000000

    assert opens().checkpoint == before
    video_server.models[0]["root"] = "Wan-AI/Wan2.3"
    assert opens().checkpoint != before
    assert opens(model="other").checkpoint not in {before, opens().checkpoint}


def test_server_without_a_list_of_models_renders_too(video_server: VideoServer, opens: Opens) -> None:
    video_server.replies["models"] = [lambda exchange: exchange.say(404, {"detail": "Not Found"})]

    assert render(opens(model="")).count == 8
    assert "model" not in video_server.told("POST", "/videos")[0].fields


def test_warming_orders_nothing(video_server: VideoServer, opens: Opens) -> None:
    opens().warm()

    assert not video_server.told("POST")


def test_registry_opens_a_server_with_the_token_of_its_name(
    video_server: VideoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRIVATE_VIEW_REMOTE_TOKEN_LAB", f"{video_server.url} pv_secret")
    checkpoint = video_server.url.replace("http://", "http://lab@") + "#wan"

    backend = registry.load("remote", checkpoint)

    assert isinstance(backend, RemoteBackend)
    assert registry.load("remote", checkpoint) is backend
    assert video_server.seen[0].headers["authorization"] == "Bearer pv_secret"
    backend.close()
