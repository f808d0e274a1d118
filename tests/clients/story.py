# mypy: disable-error-code="import-not-found"
"""The programme's story, played with the unmodified `openai` client of the environment that runs this.

    python story.py BASE_URL ARTIST_TOKEN REVIEWER_TOKEN OPERATOR_TOKEN

Stands on the client and the standard library alone. Says what it saw as one line of JSON; ends with an
AssertionError at the first thing that is not as it should be.
"""

from __future__ import annotations

import json
import sys
import time
import urllib.error
import urllib.request
import warnings
from typing import Any

import openai
from openai import OpenAI

warnings.simplefilter(
    "ignore", DeprecationWarning
)  # the vendor's own API is gone; the client still speaks it

PROMPT = "a red boat drifting left over the sea"


def client(base_url: str, token: str) -> OpenAI:
    return OpenAI(base_url=f"{base_url}/v1", api_key=token, timeout=60)


def post(who: OpenAI, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the client has no method for goes through its own door for such things."""
    answer: Any = who.post(path, body=body or {}, cast_to=object)
    assert isinstance(answer, dict)
    return answer


def status_of(url: str, headers: dict[str, str] | None = None) -> int:
    try:
        request = urllib.request.Request(url, headers=headers or {})  # noqa: S310 - the site under test
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def render(artist: OpenAI) -> str:
    video = artist.videos.create_and_poll(
        prompt=PROMPT,
        seconds="4",
        size="640x360",
        model="turbo-1",
        extra_body={"seed": 7},
        poll_interval_ms=200,
    )
    assert video.status == "completed", video
    assert video.progress == 100
    assert (video.seconds, video.size, video.model, video.error) == ("4", "640x360", "turbo-1", None)
    extra = video.model_extra or {}
    assert extra["seed"] == 7
    assert extra["quota"]["charged"] > 0
    assert extra["share"]["state"] == "private"
    assert artist.videos.retrieve(video.id).completed_at == video.completed_at
    return str(video.id)


def download(artist: OpenAI, video: str) -> int:
    clip = artist.videos.download_content(video).read()
    assert clip[4:8] == b"ftyp", clip[:16]
    poster = artist.videos.download_content(video, variant="thumbnail").read()
    assert poster[:2] == b"\xff\xd8", poster[:16]
    sprite = artist.videos.download_content(video, variant="spritesheet").read()
    assert sprite[:2] == b"\xff\xd8", sprite[:16]
    other: Any = "source"
    refused = refusal(lambda: artist.videos.download_content(video, variant=other))
    assert (refused.status_code, refused.param) == (400, "variant")
    return len(clip)


def refusal(call: Any) -> openai.APIStatusError:
    error = caught(call)
    assert error is not None, "this should have been refused"
    assert error.request_id
    assert error.response.headers["x-should-retry"] == "false"
    return error


def caught(call: Any) -> openai.APIStatusError | None:
    try:
        call()
    except openai.APIStatusError as error:
        return error
    return None


def errors(base_url: str, artist: OpenAI) -> None:
    bad = refusal(lambda: artist.videos.create(prompt=PROMPT, seconds="0"))
    assert isinstance(bad, openai.BadRequestError)
    assert (bad.code, bad.param, bad.type) == ("invalid_request", "seconds", "invalid_request_error")
    unknown = refusal(lambda: artist.videos.create(prompt=PROMPT, model="sora-2"))
    assert unknown.code == "unknown_model"
    picture = ("start.png", b"\x89PNG\r\n\x1a\n", "image/png")
    reference = refusal(lambda: artist.videos.create(prompt=PROMPT, input_reference=picture))
    assert (reference.status_code, reference.code) == (400, "picture_unreadable")
    assert reference.param == "input_reference"
    foreign = refusal(lambda: artist.videos.retrieve("video_of_somebody_else"))
    assert isinstance(foreign, openai.NotFoundError)
    stranger = client(base_url, "pv_art_0000000000_nobody")
    assert isinstance(refusal(lambda: stranger.videos.list()), openai.AuthenticationError)


def take_by_take(artist: OpenAI) -> None:
    """Eight takes of a prompt, one chosen, its final in a style, and how it goes on."""
    style = post(artist, "/styles", {"name": "Night", "template": "{prompt}, at night"})
    first = artist.videos.create(
        prompt=PROMPT,
        seconds="2",
        size="640x360",
        model="turbo-1",
        extra_body={"n": 8, "seed": 100, "style": "Night"},
    )
    told = first.model_extra or {}
    assert len(told["takes"]) == 8
    seeds = {
        (artist.videos.poll(take, poll_interval_ms=200).model_extra or {})["seed"] for take in told["takes"]
    }
    assert seeds == set(range(100, 108))
    chosen = told["takes"][3]
    assert post(artist, f"/videos/{chosen}/choice", {"choice": "star"})["choice"] == "starred"
    final = post(artist, f"/videos/{chosen}/final", {"seconds": 10, "size": "1280x720"})
    assert (final["seed"], final["style"]["id"]) == (103, style["id"])
    assert final["source"] == {"id": chosen, "relation": "final"}
    done = artist.videos.poll(final["id"], poll_interval_ms=200)
    assert done.status == "completed", done
    clip = artist.videos.download_content(final["id"]).read()
    more = extend(artist, clip)
    assert more["source"] == {"id": final["id"], "relation": "extend"}
    assert artist.videos.poll(more["id"], poll_interval_ms=200).status == "completed"
    remixed = artist.videos.remix(chosen, prompt="a blue boat drifting left over the sea")
    assert remixed.remixed_from_video_id == chosen
    assert artist.videos.poll(remixed.id, poll_interval_ms=200).status == "completed"
    tree: Any = artist.get(f"/videos/{more['id']}/lineage", cast_to=object)
    assert {kin["id"] for kin in tree["data"]} == {chosen, final["id"], more["id"], remixed.id}
    rates: Any = artist.get("/hit-rates", cast_to=object)
    assert {"style": style["id"], "name": "Night", "kept": 1} == {
        key: value for key, value in rates["styles"][0].items() if key != "made"
    }


def extend(artist: OpenAI, clip: bytes) -> dict[str, Any]:
    """By the client's own method where it has one (it sends the file), else as its documentation has the call."""
    if hasattr(artist.videos, "extend"):
        made: Any = artist.videos.extend(prompt=PROMPT, seconds="2", video=("clip.mp4", clip, "video/mp4"))
        return dict(made.model_dump())
    newest = artist.videos.list(limit=1).data[0].id
    return post(artist, "/videos/extensions", {"prompt": PROMPT, "seconds": "2", "video": {"id": newest}})


def stop(artist: OpenAI) -> None:
    """Stopped, it reads as failed: another word would end the client's polling before it knew."""
    video = artist.videos.create(prompt=PROMPT, model="full-1", seconds="4")
    assert video.status == "queued"
    assert (video.model_extra or {})["queue"]["position"] == 1
    stopped = post(artist, f"/videos/{video.id}/cancel")
    assert (stopped["status"], stopped["error"]["code"]) == ("failed", "cancelled")
    again = artist.videos.poll(video.id, poll_interval_ms=200)
    assert again.status == "failed"
    assert again.error is not None
    assert again.error.code == "cancelled"
    assert (again.model_extra or {})["quota"]["charged"] == 0


def approve(artist: OpenAI, reviewer: OpenAI, video: str) -> dict[str, Any]:
    """From the wish to share to the share."""
    wish = {"title": "Red boat", "note": "A draft.", "show_prompt": True}
    asked = post(artist, f"/videos/{video}/share", wish)
    assert asked["state"] == "in_review"
    twice = refusal(lambda: post(artist, f"/videos/{video}/share", wish))
    assert twice.status_code == 409
    lease = post(reviewer, "/review/claim")["lease"]
    case: Any = reviewer.get(f"/review/cases/{lease['case']}", cast_to=object)
    assert case["title"] == "Red boat"
    made = decide(reviewer, lease)
    assert made["outcome"] == "approve"
    shown = artist.videos.retrieve(video).model_extra
    assert shown is not None
    assert shown["share"]["state"] == "on_view"
    assert status_of(shown["share"]["url"]) == 200
    share: dict[str, Any] = shown["share"]
    return share


def decide(reviewer: OpenAI, lease: dict[str, Any]) -> dict[str, Any]:
    """Approves, once the copy that will be shown has been made."""
    approval = {"lease_token": lease["lease_token"], "outcome": "approve"}
    deadline = time.monotonic() + 60
    while True:
        try:
            return post(reviewer, f"/review/cases/{lease['case']}/decide", approval)
        except openai.ConflictError as error:
            if error.code != "copy_not_ready" or time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def lists(artist: OpenAI, expected: set[str]) -> None:
    page = artist.videos.list(limit=1)
    assert page.has_more
    assert {video.id for video in page} == expected  # the client asks for the next pages by itself
    newest = [video.id for video in artist.videos.list(limit=100).data]
    assert [video.id for video in artist.videos.list(order="asc", limit=100).data] == newest[::-1]


def main(base_url: str, tokens: list[str]) -> dict[str, Any]:
    artist, reviewer, operator = (client(base_url, token) for token in tokens)
    errors(base_url, artist)
    first = render(artist)
    size = download(artist, first)
    stop(artist)
    share = approve(artist, reviewer, first)
    post(artist, f"/shares/{share['id']}/revoke")
    assert status_of(share["url"]) == 410
    second = render(artist)
    share = approve(artist, reviewer, second)
    assert refusal(lambda: post(operator, f"/shares/{share['id']}/revoke")).param == "reason"
    post(operator, f"/shares/{share['id']}/revoke", {"reason": "Shown by mistake: the wrong take."})
    assert status_of(share["url"]) == 410
    assert (artist.videos.retrieve(second).model_extra or {})["share"]["revoked_by"] == "operator"
    assert artist.videos.download_content(second).read()[4:8] == b"ftyp"
    take_by_take(artist)
    known = {video.id for video in artist.videos.list()}
    lists(artist, known)
    gone = artist.videos.delete(first)
    assert (gone.id, gone.deleted, gone.object) == (first, True, "video.deleted")
    assert isinstance(refusal(lambda: artist.videos.retrieve(first)), openai.NotFoundError)
    return {"openai": openai.__version__, "bytes": size, "videos": len(known)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1], sys.argv[2:5])) + "\n")
