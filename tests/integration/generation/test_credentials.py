"""Every file that leaves carries Content Credentials, and what stands in the table is the signed file."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from access.caller import Caller
from core import clock
from core.version import VERSION
from embedded.commands import ROOT
from generation import keys
from generation.credentials.claims import Claims, IngredientClaim
from generation.credentials.keys import local_key
from generation.credentials.reader import read
from generation.errors import EngineError
from generation.models import Attempt, Mark, ModelVariant, Rendition, Video
from generation.queries import settings as settings_of
from generation.rules import Order, told_checkpoint
from generation.services import copies, credentials, files, lineage, references, requests
from generation.services.marks import Issued
from generation.spec import ForensicMark
from generation.states import EVERYBODY, Purpose, VideoState
from generation.worker import copies as copying
from generation.worker import run, signing
from programme.services import memberships
from tests.factories.generation import queued_video
from tests.factories.looks import member_of
from tests.rig import environment
from tests.rig.clips import boxes_of

pytestmark = pytest.mark.django_db(transaction=True)  # leases are kept by a thread of its own
SIGNED = ("mp4", "poster", "sprite", "sheet")


def rendered(artist: Caller, now: datetime) -> str:
    video = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 1
    return video


def stored(video: str, kind: str = "mp4") -> Path:
    return files.store().path(Rendition.objects.get(master__video__public_id=video, kind=kind).storage_key)


def claims_of(video: str, kind: str = "mp4") -> Claims:
    found = read(stored(video, kind), (environment.folder / "root.pem").read_bytes())
    assert found.state == "trusted", found.failures
    assert found.claims is not None
    return found.claims


def test_every_file_of_a_clip_is_signed_and_named_by_the_digest_of_what_was_signed(
    artist: Caller, now: datetime
) -> None:
    video = rendered(artist, now)
    for kind in SIGNED:
        made = Rendition.objects.get(master__video__public_id=video, kind=kind)
        assert hashlib.sha256(stored(video, kind).read_bytes()).hexdigest() == made.sha256
        told = claims_of(video, kind)
        assert told.source_type is not None
        assert told.source_type.endswith("trainedAlgorithmicMedia")
        assert told.generator == f"Private View {VERSION}"
        assert not told.author
        assert bool(told.soft_bindings) is (kind != "sprite"), "in so small pictures no mark can be read"
    assert read(stored(video), None).state == "valid", "our root is on nobody else's list"


def test_a_signed_clip_can_still_be_played_before_it_is_there_whole(artist: Caller, now: datetime) -> None:
    boxes = boxes_of(stored(rendered(artist, now)))
    assert boxes.index("uuid") < boxes.index("moov") < boxes.index("mdat")


def test_the_soft_binding_is_a_digest_that_only_the_key_can_check(artist: Caller, now: datetime) -> None:
    video = rendered(artist, now)
    mark = Mark.objects.get(master__video__public_id=video)
    key = keys.ring().key_of(mark.key_epoch)
    issued = Issued(ForensicMark(mark.number, key), bytes(mark.codeword), mark.key_epoch)
    (value,) = claims_of(video).soft_bindings
    assert base64.b64decode(value) == credentials.digest(issued)
    other = Issued(ForensicMark(mark.number, bytes(32)), bytes(mark.codeword), mark.key_epoch)
    assert credentials.digest(other) != credentials.digest(issued)


def test_a_remix_and_an_extension_name_what_they_come_from(artist: Caller, now: datetime) -> None:
    source = rendered(artist, now)
    code = Video.objects.get(public_id=source).code
    remix = lineage.remix(caller=artist, video=source, prompt="a blue boat", now=now)
    assert run.drain("turbo") == 1
    (told,) = claims_of(_id(remix)).ingredients
    assert (told.title, told.relationship) == (f"Clip {code}", "inputTo")
    ModelVariant.objects.update(images=True)
    extension = lineage.extend(caller=artist, video=source, prompt="a red boat", now=now)
    assert run.drain("turbo") == 1
    (told,) = claims_of(_id(extension)).ingredients
    assert (told.title, told.relationship) == (f"Clip {code}", "parentOf")


def test_a_clip_that_begins_with_a_frame_names_it_before_anybody_has_taken_it_out(
    artist: Caller, now: datetime
) -> None:
    ModelVariant.objects.update(images=True)
    frame = references.from_clip(caller=artist, video=rendered(artist, now), second=1, now=now)
    order = Order(prompt="a red boat", seconds=2, size="640x360", reference=frame)
    (video,) = requests.submit(caller=artist, order=order, now=now)
    assert run.drain("turbo") == 1
    told = [IngredientClaim("Picture to start from", "inputTo", "none")]
    assert list(claims_of(video).ingredients) == told
    assert frame.encode() in stored(video).read_bytes()
    assert list(public_claims(video, now).ingredients) == told


def test_a_copy_names_the_model_that_made_the_clip_and_no_folder(artist: Caller, now: datetime) -> None:
    video = rendered(artist, now)
    was = claims_of(video)
    ModelVariant.objects.update(checkpoint="/srv/secret/v2", name="Another")
    told = public_claims(video, now)
    assert (told.model, told.variant) == (was.model, was.variant) == ("builtin", "Turbo")
    assert told_settings(video, artist) == "builtin"


@pytest.mark.parametrize(
    ("backend", "checkpoint", "told"),
    [
        ("diffusers", "/srv/secret/wan-1.3b/", "wan-1.3b"),
        ("diffusers", "./models/wan", "wan"),
        ("diffusers", "~/wan", "wan"),
        ("diffusers", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers@main", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers@main"),
        ("remote", "https://lab@gpu.example.org/v1#Wan-AI/Wan2.2", "Wan-AI/Wan2.2"),
        ("remote", "http://lab@vllm:8091/v1", "remote"),
    ],
)
def test_of_a_checkpoint_no_folder_and_no_address_is_told(backend: str, checkpoint: str, told: str) -> None:
    assert told_checkpoint(backend, checkpoint) == told


def told_settings(video: str, artist: Caller) -> str:
    found = settings_of(video, member_of(artist).id)
    assert found is not None
    return str(found["checkpoint"]["name"])


def public_claims(video: str, now: datetime) -> Claims:
    """Of the public copy, made for this."""
    master = Rendition.objects.filter(master__video__public_id=video).values_list("master", flat=True)[0]
    copies.order(master=master, purpose=Purpose.PUBLIC, recipient=EVERYBODY, now=now)
    assert copying.drain() == 1
    copy = Rendition.objects.get(master=master, kind="mp4", mark__purpose=Purpose.PUBLIC)
    found = read(files.store().path(copy.storage_key), (environment.folder / "root.pem").read_bytes())
    assert found.claims is not None
    return found.claims


def _id(made: Any) -> str:
    return made if isinstance(made, str) else str(made[0])


def test_no_prompt_and_nobodys_name_is_in_the_file(artist: Caller, now: datetime) -> None:
    video = rendered(artist, now)
    whole = stored(video).read_bytes()
    for private in (Video.objects.get(public_id=video).prompt, artist.email, str(artist.actor)):
        assert private.encode() not in whole


def test_without_a_chain_there_is_a_sentence_and_nothing_is_rendered_that_could_not_be_signed(
    artist: Caller, now: datetime, settings: Any
) -> None:
    signing.forget()
    settings.C2PA_CHAIN = ""
    with pytest.raises(EngineError, match="make_c2pa_chain"):
        credentials.signer()
    video = queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 0
    assert not Attempt.objects.exists()
    assert Video.objects.get(public_id=video).state == VideoState.QUEUED


def test_a_worker_that_outlives_its_certificate_takes_nothing_up(
    artist: Caller, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    queued_video(artist, now, seconds=2, size="640x360")
    signing.forget()
    with monkeypatch.context() as later:
        later.setattr(clock, "now", lambda: datetime.now(UTC) + timedelta(days=36_500))
        assert run.drain("turbo") == copying.drain() == 0
    assert run.drain("turbo") == 1


asked: list[bytes] = []


def sign_elsewhere(data: bytes) -> bytes:
    """As a key service does: called with what is to be signed, and away the first and the third time."""
    asked.append(data)
    if len(asked) in (1, 3):
        raise ConnectionError("no answer")
    return local_key((environment.folder / "key.pem").read_bytes())(data)


def test_a_function_may_sign_instead_of_a_file_and_is_asked_again_where_it_was_away(
    settings: Any, artist: Caller, now: datetime
) -> None:
    asked.clear()
    settings.C2PA_KEY, settings.C2PA_SIGN = "", f"{__name__}.sign_elsewhere"
    signing.forget()
    queued_video(artist, now, seconds=2, size="640x360")
    assert run.drain("turbo") == 0, "nothing is taken up while it is away"
    assert run.drain("turbo") == 1
    (video,) = Video.objects.values_list("public_id", flat=True)
    assert [claims_of(video, kind).title for kind in SIGNED] == [claims_of(video).title] * len(SIGNED)
    assert len(asked) == 2 + 1 + len(SIGNED), "looked at twice, away once more, and each file"


def test_a_function_that_is_not_there_is_said_to_be_that(settings: Any) -> None:
    settings.C2PA_KEY, settings.C2PA_SIGN = "", f"{__name__}.sign_nowhere"
    with pytest.raises(EngineError, match="cannot be signed"):
        credentials.signer()


def test_the_release_is_said_once() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["version"] == VERSION


def test_an_artist_is_named_in_files_once_they_wish_it(artist: Caller, now: datetime) -> None:
    assert artist.membership is not None
    before = rendered(artist, now)
    assert claims_of(before).author == ""

    memberships.credit(membership_id=artist.membership.id, credited=True, by=artist.actor, now=now)
    after = rendered(artist, now)
    assert artist.public_name
    assert [claims_of(after, kind).author for kind in SIGNED] == [artist.public_name] * len(SIGNED)
    assert claims_of(before).author == "", "what was there stays as it is"

    assert public_claims(after, now).author == artist.public_name
