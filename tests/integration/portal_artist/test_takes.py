"""Takes: asked for together, looked at on one sheet, starred, discarded, stopped, compared."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from urllib.parse import quote

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from access.caller import Caller
from core.actors import system
from generation.backends.diffusers.checkpoints import locate
from generation.backends.diffusers.prompts import SmallWorld
from generation.models import Reference, Video
from generation.queries import worlds
from generation.services import styles, variants
from generation.services.styles import StyleSpec
from generation.services.variants import VariantSpec
from generation.states import VideoState
from programme.queries import ProgrammeView
from tests.factories.generation import TURBO, claim, finish, queued_takes

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db
ORDER = {"prompt": "a red boat", "variant": "turbo-1", "seconds": "2", "size": "640x360", "seed": "7"}


@pytest.fixture
def client(artist: Caller, sign_in: SignIn) -> Client:
    return sign_in(artist)


def _three(artist: Caller, now: datetime) -> list[Video]:
    """Two takes that are done and one that waits."""
    queued_takes(artist, now, takes=3, seconds=2)
    for _ in range(2):
        finish(claim(now), now)
    return list(Video.objects.order_by("take"))


def _sheet(takes: list[Video]) -> str:
    return f"/studio/takes/{takes[0].request}"


def _may_start_from_pictures(programme: ProgrammeView, now: datetime) -> None:
    spec = VariantSpec(**{name: getattr(TURBO, name) for name in TURBO.__slots__} | {"images": True})
    variants.put(
        programme_id=programme.id, programme=programme.public_id, spec=spec, by=system("test"), now=now
    )


def test_an_order_of_takes_leads_to_their_sheet_and_charges_for_all(client: Client) -> None:
    answer = client.post("/studio", {**ORDER, "takes": "3"})

    takes = list(Video.objects.order_by("take"))
    assert answer["Location"] == _sheet(takes)
    assert [(take.take, take.seed) for take in takes] == [(1, 7), (2, 8), (3, 9)]
    page = client.get(_sheet(takes)).content.decode()
    assert "114 s of 120 s left" in page
    assert all(f"seed {take.seed}" in page for take in takes)


@pytest.mark.parametrize(("field", "value"), [("takes", "17"), ("takes", "many"), ("style", "style_nothing")])
def test_a_refused_order_of_takes_queues_none(client: Client, field: str, value: str) -> None:
    answer = client.post("/studio", {**ORDER, "takes": "3", field: value})

    assert answer.status_code == 422
    assert 'class="err"' in answer.content.decode()
    assert not Video.objects.exists()


def test_the_form_offers_own_styles_and_renders_in_the_one_that_is_chosen(
    artist: Caller, client: Client, now: datetime
) -> None:
    style = styles.create(
        caller=artist, spec=StyleSpec("Snow light", template="{prompt}, in the snow"), now=now
    )
    assert f'value="{style}"' in client.get("/studio").content.decode()

    client.post("/studio", {**ORDER, "style": style})

    assert Video.objects.get().styled_prompt == "a red boat, in the snow"


def test_a_picture_that_was_sent_is_kept_though_the_order_is_refused(
    programme: ProgrammeView, client: Client, now: datetime
) -> None:
    _may_start_from_pictures(programme, now)
    drawn = BytesIO()
    Image.new("RGB", (128, 72), "teal").save(drawn, "PNG")
    picture = SimpleUploadedFile("start.png", drawn.getvalue(), "image/png")

    refused = client.post("/studio", {**ORDER, "seconds": "3", "picture": picture})
    kept = Reference.objects.get()
    page = refused.content.decode()
    client.post("/studio", {**ORDER, "start": f"reference:{kept.public_id}"})

    assert refused.status_code == 422
    assert f'value="reference:{kept.public_id}" checked' in page
    assert Video.objects.get().reference_id == kept.pk
    assert client.get(f"/studio/pictures/{kept.public_id}.png").getvalue()[:4] == b"\x89PNG"


def test_a_file_that_is_no_picture_is_refused_beside_its_field(
    programme: ProgrammeView, client: Client, now: datetime
) -> None:
    _may_start_from_pictures(programme, now)

    answer = client.post("/studio", {**ORDER, "picture": SimpleUploadedFile("a.mov", b"moov" * 40)})

    assert answer.status_code == 422
    assert 'aria-describedby="hint_picture err_picture"' in answer.content.decode()
    assert not Video.objects.exists()
    assert not Reference.objects.exists()


def test_a_take_is_starred_and_discarded_from_the_sheet(
    artist: Caller, client: Client, now: datetime
) -> None:
    first, second, _ = takes = _three(artist, now)
    path = f"/studio/clips/{first.public_id}/choice"

    answer = client.post(path, {"choice": "star", "to": "sheet"})
    assert answer["Location"] == _sheet(takes)
    assert "Take 1, starred" in client.get(_sheet(takes)).content.decode()
    piece = client.post(path, {"choice": "discard"}, headers={"HX-Request": "true"}).content.decode()

    assert piece.lstrip().startswith("<li")
    assert "Take 1, discarded" in piece
    first.refresh_from_db()
    assert first.starred_at is None
    assert first.discarded_at is not None
    wall = client.get("/studio").content.decode()
    assert first.public_id not in wall
    assert second.public_id in wall
    assert first.public_id in client.get("/studio?show=discarded").content.decode()


def test_what_waits_cannot_be_starred_and_nothing_changes(
    artist: Caller, client: Client, now: datetime
) -> None:
    waiting = _three(artist, now)[2]

    answer = client.post(f"/studio/clips/{waiting.public_id}/choice", {"choice": "star"})

    assert answer.status_code == 409
    assert client.post(f"/studio/clips/{waiting.public_id}/choice", {"choice": "frame"}).status_code == 422
    waiting.refresh_from_db()
    assert waiting.starred_at is None


def test_all_takes_that_have_not_ended_are_stopped_at_once(
    artist: Caller, client: Client, now: datetime
) -> None:
    takes = _three(artist, now)

    client.post(f"{_sheet(takes)}/stop")
    client.post(f"{_sheet(takes)}/stop")

    states = list(Video.objects.order_by("take").values_list("state", flat=True))
    assert states == [VideoState.COMPLETED, VideoState.COMPLETED, VideoState.CANCELLED]


def test_two_takes_that_are_done_are_compared(artist: Caller, client: Client, now: datetime) -> None:
    takes = _three(artist, now)
    first, second, third = (f"compare={take.public_id}" for take in takes)

    both = client.get(f"{_sheet(takes)}?{first}&{second}").content.decode()

    assert both.count("<video") == 2
    assert "<video" not in client.get(f"{_sheet(takes)}?{first}&{third}").content.decode()
    assert "Tick two takes" in client.get(f"{_sheet(takes)}?{first}").content.decode()


def test_nobody_sees_or_stops_the_takes_of_somebody_else(
    artist: Caller, other_artist: Caller, sign_in: SignIn, now: datetime
) -> None:
    takes = _three(artist, now)
    stranger = sign_in(other_artist)

    for path in (_sheet(takes), f"{_sheet(takes)}/stack"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"{_sheet(takes)}/stop").status_code == 404
    assert Client().get(_sheet(takes)).status_code == 404
    assert stranger.post(f"/studio/clips/{takes[0].public_id}/choice", {"choice": "star"}).status_code == 404
    assert not Video.objects.filter(starred_at__isnull=False).exists()
    assert Video.objects.filter(state=VideoState.QUEUED).count() == 1


def test_a_tile_on_the_sheet_waits_for_itself_until_it_is_done(
    artist: Caller, client: Client, now: datetime
) -> None:
    done, _, waiting = _three(artist, now)

    assert "data-open" in client.get(f"/studio/clips/{waiting.public_id}/tile?on=sheet").content.decode()
    assert "data-open" not in client.get(f"/studio/clips/{done.public_id}/tile?on=sheet").content.decode()


def test_a_page_of_the_wall_ends_between_requests(artist: Caller, client: Client, now: datetime) -> None:
    from portal.artist.studio import PAGE

    for _ in range(PAGE + 1):
        queued_takes(artist, now, takes=2, seconds=2)
    requests = list(dict.fromkeys(Video.objects.order_by("-id").values_list("request", flat=True)))

    newest = client.get("/studio").content.decode()
    later = client.get(f"/studio?after={requests[PAGE - 1]}").content.decode()

    assert f"?after={requests[PAGE - 1]}" in newest
    assert requests[PAGE] not in newest
    assert requests[PAGE] in later
    assert requests[PAGE - 1] not in later


def test_the_sheet_costs_the_same_for_three_takes_and_for_nine(
    artist: Caller, client: Client, now: datetime
) -> None:
    def cost(path: str) -> int:
        client.get(path)
        with CaptureQueriesContext(connection) as asked:
            assert client.get(path).status_code == 200
        return len(asked)

    three = cost(_sheet(_three(artist, now)))
    client.post(f"{_sheet(list(Video.objects.all()))}/stop")
    queued_takes(artist, now, takes=9, seconds=2)
    for _ in range(8):
        finish(claim(now), now)
    nine = cost(f"/studio/takes/{Video.objects.latest('id').request}")

    assert nine == three <= 13


def test_the_studio_says_what_the_built_in_model_draws_and_offers_prompts_that_it_knows(
    client: Client,
) -> None:
    from portal.artist.studio import BEGINNINGS

    page = client.get("/studio").content.decode()
    known = worlds.builtin()
    vocabulary = SmallWorld(locate("builtin") / "vocabulary.json")

    assert f"draws {len(known.subjects)} simple things" in page
    assert ", ".join(known.subjects) in page
    for prompt in BEGINNINGS:
        assert f"?prompt={quote(prompt)}" in page
        assert vocabulary.complete(prompt, 1).ignored == ()
