"""Takes of one request, clips from clips, and what the artist thinks of them, as programs ask for it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.caller import Caller
from generation.models import ModelVariant, Reference, Rendition, Stage, Video
from generation.services import files
from generation.states import VideoState
from programme.queries import quota_today
from tests.factories.api import Api
from tests.factories.generation import PROMPT, completed_video, video_at
from tests.factories.looks import filmed, picture, unchanged

pytestmark = pytest.mark.django_db
Of = Callable[[Caller], Api]


@pytest.fixture(autouse=True)
def _variants(artist: Caller) -> None:
    ModelVariant.objects.filter(slug="turbo-1").update(images=True)
    ModelVariant.objects.filter(slug="full-1").update(stage=Stage.FINAL, images=True)


def upload(body: bytes, name: str = "file.bin") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, body)


@pytest.mark.parametrize("way", ["json", "form"])
def test_n_takes_are_one_request_with_different_seeds(api: Of, artist: Caller, way: str) -> None:
    client = api(artist)
    body = {"prompt": PROMPT, "n": "3", "seed": "7", "seconds": "2"}

    made = (client.post("/videos", form=body) if way == "form" else client.post("/videos", body)).ok()

    listed = client.get(f"/requests/{made['request']['id']}").ok()["data"]
    assert [row["id"] for row in listed] == made["takes"]
    assert [row["seed"] for row in listed] == [7, 8, 9]
    assert [row["request"]["take"] for row in listed] == [1, 2, 3]


@pytest.mark.parametrize("n", ["0", "17", "many", "1.5"])
def test_a_number_of_takes_that_cannot_be_names_its_field(api: Of, artist: Caller, n: str) -> None:
    client = api(artist)
    with unchanged():
        body = client.post("/videos", {"prompt": PROMPT, "n": n}).refused(400, "invalid_request")
    assert set(body["fields"]) == {"n"}


def test_stopping_a_request_stops_what_has_not_ended_and_gives_the_quota_back(
    api: Of, artist: Caller, now: datetime
) -> None:
    assert artist.membership is not None
    client, before = api(artist), quota_today(artist.membership.id, now).left
    made = client.post("/videos", {"prompt": PROMPT, "n": 3}).ok()

    stopped = client.post(f"/requests/{made['request']['id']}/cancel").ok()["data"]

    assert [row["error"]["code"] for row in stopped] == ["cancelled"] * 3
    assert quota_today(artist.membership.id, now).left == before
    client.post(f"/requests/{made['request']['id']}/cancel").refused(409, "already_ended")


def test_a_remix_keeps_the_seed_and_tells_its_source(api: Of, artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now, seed=11)

    made = api(artist).post(f"/videos/{video}/remix", {"prompt": "a blue boat at night"}).ok()

    assert (made["seed"], made["prompt"], made["remixed_from_video_id"]) == (
        11,
        "a blue boat at night",
        video,
    )
    assert made["source"] == {"id": video, "relation": "remix"}


def test_an_edit_is_a_remix_of_the_clip_that_the_body_names(api: Of, artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now)
    client = api(artist)

    made = client.post("/videos/edits", {"prompt": "a blue boat", "video": {"id": video}}).ok()

    assert made["remixed_from_video_id"] == video


def test_a_clip_is_known_by_the_file_that_was_downloaded(api: Of, artist: Caller, now: datetime) -> None:
    video = filmed(artist, now)
    client = api(artist)
    mp4 = client.get(f"/videos/{video}/content").body

    edited = client.post("/videos/edits", form={"prompt": "a blue boat", "video": upload(mp4)}).ok()
    extended = client.post(
        "/videos/extensions", form={"prompt": PROMPT, "seconds": "2", "video": upload(mp4)}
    ).ok()

    assert edited["remixed_from_video_id"] == video
    assert extended["source"] == {"id": video, "relation": "extend"}
    with unchanged():
        foreign = client.post("/videos/edits", form={"prompt": "a boat", "video": upload(b"not a clip")})
    foreign.refused(404, "not_your_clip")


def test_an_extension_starts_from_the_last_picture(api: Of, artist: Caller, now: datetime) -> None:
    video = filmed(artist, now)

    made = api(artist).post("/videos/extensions", {"seconds": 4, "video": {"id": video}}).ok()

    reference = Reference.objects.get(public_id=made["input_reference"])
    assert (reference.source and reference.source.public_id, reference.frame) == (video, 15)
    assert (made["prompt"], made["seconds"]) == (PROMPT, "4")


def test_a_final_has_the_seed_and_the_words_of_its_take(api: Of, artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now, seed=5)

    made = api(artist).post(f"/videos/{video}/final", {"size": "640x360"}).ok()

    assert (made["model"], made["seed"], made["prompt"], made["size"]) == ("full-1", 5, PROMPT, "640x360")
    assert made["source"] == {"id": video, "relation": "final"}


def test_frames_a_second_are_chosen_for_an_order_and_for_a_final(
    api: Of, artist: Caller, now: datetime
) -> None:
    ModelVariant.objects.update(rates=[24, 30])
    client, video = api(artist), completed_video(artist, now)

    order = {"prompt": PROMPT, "fps": "30", "num_inference_steps": "8", "guidance_scale": "2.0"}
    assert client.post("/videos", form=order).ok()["fps"] == 30
    assert client.post(f"/videos/{video}/final", {"fps": 30}).ok()["fps"] == 30
    with unchanged():
        refusal = client.post(f"/videos/{video}/final", {"fps": 25}).refused(400, "invalid_request")
    assert refusal["fields"] == {"fps": "Full makes 24 or 30 frames a second, not 25."}


def test_rendering_again_asks_for_the_very_same(api: Of, artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now, seed=5)
    client = api(artist)

    made = client.post(f"/videos/{video}/again").ok()

    same = ("prompt", "seed", "model", "size", "seconds")
    first = client.get(f"/videos/{video}").ok()
    assert {name: made[name] for name in same} == {name: first[name] for name in same}


def test_choices_are_kept_and_counted(api: Of, artist: Caller, now: datetime) -> None:
    client = api(artist)
    starred, discarded = completed_video(artist, now), completed_video(artist, now)

    assert client.post(f"/videos/{starred}/choice", {"choice": "star"}).ok()["choice"] == "starred"
    assert client.post(f"/videos/{discarded}/choice", {"choice": "discard"}).ok()["choice"] == "discarded"

    rates = client.get("/hit-rates").ok()
    assert rates["models"] == [{"model": "turbo-1", "kept": 1, "made": 2}]
    assert client.post(f"/videos/{starred}/choice", {"choice": "unstar"}).ok()["choice"] is None
    refused = client.post(f"/videos/{starred}/choice", {"choice": "love"}).refused(400, "invalid_request")
    assert set(refused["fields"]) == {"choice"}


def test_the_lineage_shows_what_came_from_what(api: Of, artist: Caller, now: datetime) -> None:
    root = completed_video(artist, now)
    client = api(artist)
    child = client.post(f"/videos/{root}/remix", {"prompt": "a blue boat"}).ok()["id"]
    grandchild = client.post(f"/videos/{child}/remix", {"prompt": "a green boat"}).ok()["id"]

    tree = client.get(f"/videos/{child}/lineage").ok()

    assert tree["whole"] is True
    assert [(row["id"], row["depth"], row["asked"]) for row in tree["data"]] == [
        (root, 0, False),
        (child, 1, True),
        (grandchild, 2, False),
    ]


def test_the_settings_say_what_it_takes_to_make_it_once_more(api: Of, artist: Caller, now: datetime) -> None:
    video = completed_video(artist, now, seed=21)

    settings = api(artist).get(f"/videos/{video}/settings").ok()

    assert settings["prompt"] == PROMPT
    assert settings["seed"] == 21


def test_a_picture_that_comes_along_is_what_the_clip_starts_from(
    api: Of, artist: Caller, now: datetime
) -> None:
    client = api(artist)
    form = {"prompt": PROMPT, "input_reference": upload(picture(), "start.png")}

    made = client.post("/videos", form=form).ok()
    again = client.post(
        "/videos", {"prompt": PROMPT, "input_reference": {"file_id": made["input_reference"]}}
    )

    assert again.ok()["input_reference"] == made["input_reference"]
    assert client.get(f"/references/{made['input_reference']}").ok()["size"] == "96x64"


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        (upload(b"no picture", "start.png"), "picture_unreadable"),
        ('{"image_url": "https://example.org/picture.png"}', "invalid_request"),
        ('{"file_id": "ref_of_somebody"}', "unknown_reference"),
        ("start.png", "invalid_request"),
    ],
)
def test_a_picture_that_cannot_be_used_leaves_nothing(
    api: Of, artist: Caller, reference: Any, code: str
) -> None:
    client = api(artist)
    with unchanged():
        body = client.post("/videos", form={"prompt": PROMPT, "input_reference": reference})
    refused = body.refused(400, code)
    assert set(refused["fields"]) == {"input_reference"}


def test_a_refused_order_does_not_keep_the_picture_that_came_along(api: Of, artist: Caller) -> None:
    form = {"prompt": PROMPT, "seconds": "2", "n": "16", "input_reference": upload(picture(seed=3))}
    client = api(artist)
    client.post("/videos", form=form | {"input_reference": upload(picture(seed=4))}).ok()
    client.post("/videos", form=form | {"input_reference": upload(picture(seed=4))}).ok()
    client.post("/videos", form=form | {"input_reference": upload(picture(seed=4))}).ok()
    with unchanged_but_for_removed():
        client.post("/videos", form=form).refused(429, "quota_exhausted")


class unchanged_but_for_removed:  # noqa: N801 - reads as a statement
    """No live picture and no video more than before; a picture that was taken back leaves its row, without a file."""

    def __enter__(self) -> None:
        self.before = self._count()

    def __exit__(self, *_: object) -> None:
        assert self._count() == self.before

    @staticmethod
    def _count() -> tuple[int, int]:
        return Reference.objects.filter(removed_at=None).count(), Video.objects.count()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/videos/{}/remix", {"prompt": "a boat"}),
        ("POST", "/videos/{}/final", {}),
        ("POST", "/videos/{}/again", {}),
        ("POST", "/videos/{}/choice", {"choice": "star"}),
        ("GET", "/videos/{}/settings", None),
        ("GET", "/videos/{}/lineage", None),
    ],
)
def test_nothing_is_done_with_somebody_elses_clip(
    api: Of, artist: Caller, other_artist: Caller, now: datetime, method: str, path: str, body: Any
) -> None:
    video = completed_video(other_artist, now)
    client = api(artist)
    with unchanged():
        sent = client.get(path.format(video)) if method == "GET" else client.post(path.format(video), body)
    sent.refused(404, "not_found")


@pytest.mark.parametrize("state", [s for s in VideoState if s != VideoState.COMPLETED])
def test_what_has_not_rendered_cannot_be_finished_or_gone_on_from(
    api: Of, artist: Caller, now: datetime, state: VideoState
) -> None:
    video = video_at(state, artist, now)
    client = api(artist)
    with unchanged():
        client.post(f"/videos/{video}/final").refused(409, "not_completed")
        client.post("/videos/extensions", {"video": {"id": video}}).refused(409, "not_completed")


@pytest.mark.parametrize(
    ("variant", "kind"),
    [("spritesheet", "sprite"), ("spritesheet.vtt", "vtt"), ("contact_sheet", "sheet")],
)
def test_every_picture_of_a_clip_can_be_downloaded(
    api: Of, artist: Caller, now: datetime, variant: str, kind: str
) -> None:
    video = completed_video(artist, now)
    stored = Rendition.objects.get(master__video__public_id=video, kind=kind)

    body = api(artist).get(f"/videos/{video}/content?variant={variant}").body

    assert body == files.store().path(stored.storage_key).read_bytes()


def test_the_native_frames_are_never_handed_out(api: Of, artist: Caller, now: datetime) -> None:
    video = filmed(artist, now)
    api(artist).get(f"/videos/{video}/content?variant=source").refused(400, "invalid_request")


def test_listing_takes_costs_the_same_however_many_there_are(api: Of, artist: Caller) -> None:
    client = api(artist)

    def statements(n: int) -> int:
        request = client.post("/videos", {"prompt": PROMPT, "n": n, "seconds": 2}).ok()["request"]["id"]
        with CaptureQueriesContext(connection) as seen:
            client.get(f"/requests/{request}").ok()
        return len(seen)

    statements(1)
    assert statements(2) == statements(9)
