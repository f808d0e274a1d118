"""Takes in a real browser, on real workers: eight of a prompt, a star, a final, and what comes next."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from access.caller import Caller
from config.demo.looks import put_looks
from core import clock
from core.actors import system
from generation.models import Video
from generation.services import variants
from generation.services.variants import VariantSpec
from tests.factories import generation, people
from tests.journeys.conftest import House, sign_in

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]
NewContext = Callable[..., BrowserContext]
RENDERED = 240_000  # milliseconds that eight takes may need on a busy machine


@pytest.fixture
def artist(house: House) -> Caller:
    """In a house whose drafts and finals are the built-in model's, with its LoRA styles."""
    now = clock.now()
    for spec in (generation.TURBO, generation.FULL):
        built_in = {name: getattr(spec, name) for name in spec.__slots__} | {
            "backend": "diffusers",
            "steps": 4,
            "sizes": ("640x360", "1920x1080"),
            "lengths": (2, 4, 10),
            "rates": (24, 30),
            "images": True,
            "adapters": True,
        }
        variants.put(
            programme_id=house.programme.id,
            programme=house.programme.public_id,
            spec=VariantSpec(**built_in),
            by=system("test"),
            now=now,
        )
    put_looks(house.programme, by=system("test"))
    return people.artist(people.cohort(house.programme.id, now), now, name="Oda Venn")


def _until(page: Page, script: str) -> None:
    """Asks from outside: a page that waits for a string of script would break its own policy."""
    deadline = time.monotonic() + 15
    while not page.evaluate(script):
        assert time.monotonic() < deadline, script
        page.wait_for_timeout(100)


def _ask_for(page: Page, takes: int) -> None:
    page.goto("/studio")
    page.get_by_label("What should we see?").fill("a red boat drifting left, with a gramophone")
    page.get_by_label("Takes").select_option(str(takes))
    page.get_by_label(re.compile("Two inks")).check()
    page.get_by_text("Settings").click()
    page.get_by_label("Length").select_option("2")
    page.get_by_label("Frame", exact=True).select_option("640x360")
    expect(page.get_by_text(f"Uses {2 * takes} s of your 120 s.")).to_be_visible()
    page.get_by_role("button", name=f"Render {takes} takes").click()
    page.wait_for_url("**/studio/takes/req_*")


def _choose(page: Page) -> None:
    """One click and one key; what is discarded leaves the wall."""
    expect(page.locator(".take video, .take img")).to_have_count(8, timeout=RENDERED)
    page.get_by_role("button", name="Star take 3").click()
    expect(page.get_by_role("link", name="Take 3, starred")).to_be_visible()
    page.get_by_role("link", name="Take 5", exact=True).focus()
    page.keyboard.press("d")
    expect(page.get_by_role("link", name="Take 5, discarded")).to_be_visible()


def _scrubs(page: Page) -> None:
    """Under the pointer a take shows its small frames: another one at the right than at the left."""
    frame = page.locator(".take .frame").first
    shown = ""
    for share in (0.1, 0.9):
        box = frame.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        small = frame.locator("img.frames")
        expect(small).to_be_visible()
        _until(page, f"document.querySelector('.take img.frames').style.translate !== '{shown}'")
        shown = small.evaluate("image => image.style.translate")


def _compare(page: Page) -> None:
    for take in (1, 3):
        page.get_by_label(f"Compare take {take}").check()
    page.get_by_role("button", name="Compare the two ticked").click()
    expect(page.locator("[data-pair] video")).to_have_count(2)
    for _ in range(3):
        page.get_by_role("button", name="+1 frame").click()
    at = "[...document.querySelectorAll('[data-pair] video')].every(v => Math.abs(v.currentTime - 3.5 / 24) < 0.05)"
    _until(page, at)


def _finished(page: Page) -> None:
    page.reload()
    expect(page.locator(".stage video")).to_be_visible(timeout=RENDERED)


def test_eight_takes_a_star_a_final_and_what_comes_next(
    house: House, workers: None, artist: Caller, new_browser_context: NewContext
) -> None:
    page = new_browser_context(viewport={"width": 1280, "height": 900}).new_page()
    sign_in(page, artist.email)

    _ask_for(page, 8)
    _choose(page)
    _scrubs(page)
    _compare(page)

    page.get_by_label("Length").select_option("2")
    page.get_by_role("button", name="Render final of take 3").click()
    page.wait_for_url("**/studio/clips/video_*")
    _finished(page)
    final = page.url
    expect(page.get_by_text(re.compile("2 s, 1920 × 1080, no sound. Full, Two inks"))).to_be_visible()
    expect(page.get_by_text(re.compile("Left unused: “gramophone”"))).to_be_visible()

    page.locator("summary", has_text="Go on from the end").click()
    page.get_by_label("What happens next").fill("the boat turns")
    page.get_by_role("button", name="Render what comes next").click()
    page.wait_for_url(lambda address: "/studio/clips/video_" in address and address != final)
    _finished(page)
    tree = page.get_by_role("region", name="What came from what")
    expect(tree.get_by_text("This clip")).to_be_visible()
    expect(tree.get_by_role("link", name=re.compile("^Final"))).to_be_visible()

    page.locator("summary", has_text="Take a frame").click()
    page.get_by_label("At, in seconds").fill("1.0")
    page.get_by_label("Use it").select_option("new")
    page.get_by_label("Name of a new character").fill("The boat")
    page.get_by_role("button", name="Take this frame").click()
    page.wait_for_url("**/studio/characters")
    expect(page.get_by_role("heading", name="The boat")).to_be_visible()
    page.get_by_role("link", name="Use in a prompt with The boat").click()
    expect(page.get_by_label("Variant")).to_have_value("turbo-1")
    expect(page.get_by_role("radio", name="The boat")).to_be_checked()

    page.goto("/studio?show=starred")
    expect(page.locator(".tile")).to_have_count(1)
    page.goto("/studio/styles")
    expect(page.get_by_text("1 of 10 kept.")).to_be_visible()


def _film(page: Page, folder: Path) -> tuple[int, int, float, float]:
    """Width, height, seconds and frames a second of the file that the clip's page lets its artist download."""
    with page.expect_download() as leaving:
        page.get_by_role("link", name=re.compile("^Download")).click()
    path = folder / "clip.mp4"
    leaving.value.save_as(path)
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        rate = stream.average_rate
        assert rate is not None
        return stream.width, stream.height, float(stream.frames / rate), float(rate)


def test_two_takes_in_a_lora_style_a_final_of_ten_seconds_in_1080p_and_how_it_goes_on(
    house: House, workers: None, artist: Caller, new_browser_context: NewContext, tmp_path: Path
) -> None:
    page = new_browser_context(viewport={"width": 1280, "height": 900}).new_page()
    sign_in(page, artist.email)

    _ask_for(page, 2)
    expect(page.locator(".take video, .take img")).to_have_count(2, timeout=RENDERED)
    page.get_by_role("button", name="Star take 2").click()
    expect(page.get_by_label("Style")).to_contain_text("Two inks, as the take")
    for label, value in (("Length", "10"), ("Frame", "1920x1080")):
        expect(page.get_by_label(label, exact=True)).to_have_value(value)
    page.get_by_label("Frames a second").select_option("30")
    page.get_by_role("button", name="Render final of take 2").click()
    page.wait_for_url("**/studio/clips/video_*")
    _finished(page)
    final = page.url
    expect(page.get_by_text(re.compile("10 s, 1920 × 1080, no sound. Full, Two inks"))).to_be_visible()
    assert _film(page, tmp_path) == (1920, 1080, 10, 30)

    page.locator("summary", has_text="Go on from the end").click()
    page.get_by_label("What happens next").fill("the boat turns")
    page.locator("details[open]").get_by_label("Length").select_option("2")
    page.get_by_role("button", name="Render what comes next").click()
    page.wait_for_url(lambda address: "/studio/clips/video_" in address and address != final)
    _finished(page)

    expect(page.get_by_text(re.compile("2 s, 1920 × 1080, no sound. Full, Two inks"))).to_be_visible()
    assert _film(page, tmp_path) == (1920, 1080, 2, 30)
    expect(page.get_by_text("Adapter", exact=True)).to_be_visible()
    tree = page.get_by_role("region", name="What came from what")
    expect(tree.get_by_role("link", name=re.compile("^Final"))).to_be_visible()
    made = Video.objects.order_by("id")
    assert [row.relation for row in made] == ["", "", "final", "extend"]
    assert len({row.adapter_id for row in made}) == 1
    assert (made[2].seed, made[3].source) == (made[1].seed, made[2])
    assert made[3].reference is not None
    assert made[3].reference.source == made[2]
