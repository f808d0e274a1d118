"""The form of a final, on the sheet of its takes and on the take's own page."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client

from access.caller import Caller
from generation.models import ModelVariant, Video
from generation.services import styles
from generation.services.styles import StyleSpec
from generation.states import Relation, VideoState
from tests.factories.generation import PROMPT, completed_video, queued_video, video_at

SignIn = Callable[[Caller], Client]
pytestmark = pytest.mark.django_db


@pytest.fixture
def client(artist: Caller, sign_in: SignIn) -> Client:
    return sign_in(artist)


def _chosen(page: str, name: str) -> str:
    """What the select `name` of the final stands at."""
    (select,) = re.findall(rf'<select id="final_{name}".*?</select>', page, re.DOTALL)
    found = re.search(r'<option(?: value="([^"]*)")? selected>([^<]*)', select)
    assert found is not None
    return found[1] or found[2]


def _pages(client: Client, video: str) -> list[str]:
    order = Video.objects.get(public_id=video).request
    return [
        client.get(path).content.decode() for path in (f"/studio/clips/{video}", f"/studio/takes/{order}")
    ]


@pytest.mark.parametrize(
    ("lengths", "take", "final"),
    [
        ([4, 2, 10, 12, 20], 2, "10"),
        ([4, 2, 10, 12, 20], 12, "12"),
        ([4, 2, 6, 8], 2, "2"),
        ([4, 8], 2, "4"),
    ],
)
def test_a_final_is_ten_seconds_by_itself_and_the_largest_picture(
    artist: Caller, client: Client, now: datetime, lengths: list[int], take: int, final: str
) -> None:
    video = completed_video(artist, now, seconds=take, size="640x360")
    ModelVariant.objects.filter(slug="full-1").update(lengths=lengths)

    for page in _pages(client, video):
        assert (_chosen(page, "seconds"), _chosen(page, "size")) == (final, "1280x720")


def test_a_final_is_made_in_the_takes_style_unless_another_is_chosen(
    artist: Caller, client: Client, now: datetime
) -> None:
    snow = styles.create(caller=artist, spec=StyleSpec("Snow", template="{prompt}, in the snow"), now=now)
    night = styles.create(caller=artist, spec=StyleSpec("Night", template="{prompt}, at night"), now=now)
    video = completed_video(artist, now, style=snow)
    for page in _pages(client, video):
        assert '<option value="">Snow, as the take</option>' in page
        assert f'<option value="{night}">Night</option>' in page
        assert f'value="{snow}"' not in page

    for chosen in ("", night):
        client.post(f"/studio/clips/{video}/make/final", {"style": chosen, "seconds": "2"})

    made = Video.objects.filter(relation=Relation.FINAL).order_by("id")
    assert [row.styled_prompt for row in made] == [f"{PROMPT}, in the snow", f"{PROMPT}, at night"]


def test_frames_a_second_are_offered_where_there_is_a_choice(
    artist: Caller, client: Client, now: datetime
) -> None:
    video = completed_video(artist, now)
    assert not any("Frames a second</label>" in page for page in _pages(client, video))
    assert "Frames a second</label>" not in client.get("/studio").content.decode()
    ModelVariant.objects.update(rates=[24, 30])

    assert all(_chosen(page, "fps") == "24" for page in _pages(client, video))
    assert 'data-rates="24 30"' in client.get("/studio").content.decode()
    client.post(f"/studio/clips/{video}/make/final", {"fps": "30"})
    client.post("/studio", {"prompt": PROMPT, "takes": "1", "fps": "30"})
    client.post("/studio", {"prompt": PROMPT, "takes": "1", "fps": "60"})

    assert list(Video.objects.exclude(public_id=video).values_list("fps", flat=True)) == [30, 30]


def test_a_refused_final_stands_as_it_was_sent(artist: Caller, client: Client, now: datetime) -> None:
    ModelVariant.objects.update(rates=[24, 30])
    night = styles.create(caller=artist, spec=StyleSpec("Night", template="{prompt}, at night"), now=now)
    video = completed_video(artist, now)
    styles.retire(caller=artist, style=night, now=now)
    other = styles.create(caller=artist, spec=StyleSpec("Snow"), now=now)
    sent = {"size": "640x360", "seconds": "12", "fps": "30", "variant": "full-1", "style": other}

    answer = client.post(f"/studio/clips/{video}/make/final", sent | {"style": night})
    assert "was retired" in answer.content.decode()
    ModelVariant.objects.filter(slug="full-1").update(lengths=[4])
    page = client.post(f"/studio/clips/{video}/make/final", sent).content.decode()

    assert {name: _chosen(page, name) for name in ("size", "fps", "variant", "style")} == {
        name: sent[name] for name in ("size", "fps", "variant", "style")
    }
    assert not Video.objects.filter(relation=Relation.FINAL).exists()


@pytest.mark.parametrize(
    ("state", "button"),
    [
        (VideoState.COMPLETED, "Render again"),
        (VideoState.CANCELLED, "Render it after all"),
        (VideoState.FAILED, ""),
    ],
)
def test_a_clips_page_offers_again_only_where_it_can_work(
    artist: Caller, client: Client, now: datetime, state: VideoState, button: str
) -> None:
    path = f"/studio/clips/{video_at(state, artist, now)}"

    page = client.get(path).content.decode()
    assert ("/make/again" in page) == bool(button)
    assert button in page
    ModelVariant.objects.filter(slug="turbo-1").update(enabled=False)
    page = client.get(path).content.decode()

    assert "/make/again" not in page
    assert "Turbo is not open to you any more" in page
    assert Video.objects.count() == 1


def test_a_remix_brings_its_rate_into_the_form(artist: Caller, client: Client, now: datetime) -> None:
    ModelVariant.objects.update(rates=[24, 30])
    video = queued_video(artist, now, fps=30)

    assert "<option selected>30</option>" in client.get(f"/studio?remix={video}").content.decode()
