"""Every copy has a number of its own in its frames, and a file leads back to the copy that it descends from."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from access.caller import Caller
from audit.models import AuditEvent
from embedded.commands import ROOT
from generation import keys
from generation.forensic.child import trace_apart
from generation.forensic.code import code_of, words_of
from generation.forensic.frames import sampled
from generation.forensic.residual import residuals
from generation.forensic.search import Search
from generation.forensic.trace import FINDING, Issued
from generation.forensic.views import Material
from generation.models import Mark, ModelVariant, Rendition
from generation.queries import marks as queries
from generation.services import files, marks
from generation.worker import run, startup
from tests.factories.generation import queued_video
from tests.rig import environment
from tests.rig.marked import X264, treated

pytestmark = pytest.mark.django_db(transaction=True)  # leases are kept by a thread of its own


@pytest.fixture
def rendered(artist: Caller, now: datetime) -> list[str]:
    """Two clips, rendered by the worker's own loop."""
    videos = [queued_video(artist, now, seconds=2, size="1280x720", seed=seed) for seed in (1, 2)]
    assert run.drain("turbo") == 2
    return videos


def stored(video: str, kind: str = "mp4") -> Path:
    return files.store().path(Rendition.objects.get(master__video__public_id=video, kind=kind).storage_key)


def test_each_clip_gets_a_number_of_its_own_that_all_its_files_carry(
    artist: Caller, rendered: list[str], now: datetime
) -> None:
    first, second = (Mark.objects.get(master__video__public_id=video) for video in rendered)
    assert first.number != second.number
    assert first.recipient == str(artist.actor)
    assert (first.purpose, first.key_epoch) == ("master", f"{first.made_at:%Y-%m}.m1")
    assert len(bytes(first.codeword)) == 8
    assert set(first.renditions.values_list("kind", flat=True)) == {"mp4", "poster", "sprite", "vtt", "sheet"}


def test_a_treated_copy_leads_back_to_its_clip(rendered: list[str], tmp_path: Path) -> None:
    posted = treated(stored(rendered[1]), tmp_path / "posted.mkv", "-vf", "scale=854:-2", *X264, "28")
    out = StringIO()
    call_command("trace", str(posted), "--json", "--evidence", str(tmp_path / "evidence"), stdout=out)
    answer = json.loads(out.getvalue().splitlines()[-1])
    assert [copy["video"] for copy in answer["copies"]] == [rendered[1]]
    assert {path.name for path in (tmp_path / "evidence").iterdir()} == {"residual.png", "peak.png"}
    event = AuditEvent.objects.latest("seq")
    assert (event.action, event.target) == ("file.traced", f"sha256:{answer['sha256']}")
    assert [named["video"] for named in event.data["named"]] == [rendered[1]]


def test_the_poster_leads_back_too_and_the_words_name_no_person(
    artist: Caller, rendered: list[str], now: datetime
) -> None:
    out = StringIO()
    call_command("trace", str(stored(rendered[0], "poster")), stdout=out)
    said = out.getvalue()
    assert rendered[0] in said
    assert "probability below 1e-" in said
    assert "not who passed it on" in said
    assert artist.email not in said
    assert str(artist.actor) not in said


def test_a_file_that_nobody_marked_gets_no_reading_and_is_never_called_unmarked(
    rendered: list[str], tmp_path: Path
) -> None:
    grey = ("-vf", "trim=end_frame=2,boxblur=60,scale=256:144", *X264, "40")
    out = StringIO()
    call_command("trace", str(treated(stored(rendered[0]), tmp_path / "grey.mkv", *grey)), stdout=out)
    assert out.getvalue().startswith("No reading.")
    assert "does not say that the file is unmarked" in out.getvalue()


def test_a_stolen_database_without_the_key_traces_nothing(
    rendered: list[str], settings: Any, tmp_path: Path
) -> None:
    """Numbers and codewords are all there; under a key that the thief made up, they say nothing."""
    stolen = [
        Issued(
            epoch, bytes(32), np.array([row.number for row in rows]), words_of(row.codeword for row in rows)
        )
        for epoch, rows in queries.issued().items()
    ]
    found = trace_apart(stored(rendered[0]), stolen)
    assert found.named == ()
    assert found.best_z < 7.5
    settings.MARK_KEYS = ""
    with pytest.raises(CommandError, match="PRIVATE_VIEW_MARK_KEYS is not set"):
        call_command("trace", str(stored(rendered[0])))


def test_a_file_that_cannot_be_read_is_refused_with_a_sentence_and_noted(
    rendered: list[str], tmp_path: Path
) -> None:
    (tmp_path / "no.mp4").write_text("nothing")
    with pytest.raises(CommandError, match="cannot be read as a video or a picture"):
        call_command("trace", str(tmp_path / "no.mp4"))
    assert AuditEvent.objects.latest("seq").data == {"refused": "file_unreadable"}


@pytest.mark.parametrize(
    ("size", "stage"),
    [
        ("1280x720", "sheet of pictures"),
        ("512x512", "sheet of pictures"),
        ("720x1280", "as it is"),  # of a portrait clip a picture that was cut out of the sheet
    ],
)
def test_a_contact_sheet_leads_back_to_its_clip(
    artist: Caller, now: datetime, size: str, stage: str, tmp_path: Path
) -> None:
    """The last stage of a search: to come to it takes a minute, so that it is asked alone."""
    ModelVariant.objects.update(sizes=[size])
    video = queued_video(artist, now, seconds=2, size=size)
    assert run.drain("turbo") == 1
    mark = Mark.objects.get(master__video__public_id=video)
    code = code_of(keys.ring().key_of(mark.key_epoch))
    sheet = stored(video, "sheet")
    if stage == "as it is":
        sheet = treated(sheet, tmp_path / "one.png", "-vf", "crop=270:480:4:4", "-frames:v", "1")
    heard = Search(Material(residuals(sampled(sheet))), code).stages()[stage]()
    words = words_of([bytes(mark.codeword)])
    assert max(float(signal.table(code).z(words)[0]) for signals in heard for signal in signals) > FINDING


def test_numbers_are_never_given_twice(
    rendered: list[str], monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    taken = list(Mark.objects.values_list("number", flat=True))
    drawn = iter([*taken, 4711])
    monkeypatch.setattr("generation.services.marks.secrets.randbelow", lambda _most: next(drawn))
    assert marks.issue(now=now).forensic.number == 4711


def test_a_mark_is_never_changed_or_removed(rendered: list[str]) -> None:
    mark = Mark.objects.first()
    assert mark is not None
    for change in (
        "UPDATE generation_mark SET recipient = 'user:somebody'",
        "UPDATE generation_mark SET number = 5",
        "DELETE FROM generation_mark",
    ):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change)


def test_the_epoch_changes_with_the_month_and_with_a_new_key(tmp_path: Path, settings: Any) -> None:
    file = tmp_path / "keys"
    call_command("make_mark_key", str(file))
    assert file.stat().st_mode & 0o077 == 0
    settings.MARK_KEYS = str(file)
    november = datetime.fromisoformat("2026-11-30T23:59:59+00:00")
    before = keys.ring().epoch_at(november)
    key = keys.ring().key_of(before)
    assert keys.ring().epoch_at(november + timedelta(seconds=1)) == before.replace("2026-11", "2026-12")
    file.write_bytes(file.read_bytes().rstrip(b"\n"))  # as some editors leave it
    call_command("make_mark_key", str(file), "--add")
    after = keys.ring().epoch_at(november)
    assert after not in (before, "2026-11.")
    assert keys.ring().key_of(before) == key, "what was marked before can still be traced"
    assert keys.ring().key_of(after) != key
    with pytest.raises(CommandError, match="there already"):
        call_command("make_mark_key", str(file))
    with pytest.raises(keys.NoKey, match=r"2026-11\.m9"):
        keys.ring().key_of("2026-11.m9")


def test_no_two_keys_get_one_name(tmp_path: Path, settings: Any) -> None:
    """Neither two files that were begun apart, nor a key and one that was taken out."""
    names = []
    for file in (tmp_path / "one", tmp_path / "two"):
        call_command("make_mark_key", str(file))
        call_command("make_mark_key", str(file), "--add")
        settings.MARK_KEYS = str(file)
        names += list(keys.ring().masters)
    assert len(set(names)) == 4


def test_another_key_of_the_same_name_is_refused_and_not_used(
    rendered: list[str], settings: Any, tmp_path: Path, now: datetime
) -> None:
    """Nothing that was marked would be found under it, nor what is marked under it under the right one."""
    assert startup.key_faults(signs=False) == []
    (tmp_path / "keys").write_text(keys.line("m1", bytes(32)))
    settings.MARK_KEYS = str(tmp_path / "keys")
    with pytest.raises(CommandError, match="not the one that its marks were made under"):
        call_command("trace", str(stored(rendered[0])))
    mark = Mark.objects.first()
    assert mark is not None
    with pytest.raises(keys.NoKey, match="not the one"):
        marks.issued_as(mark)
    (fault,) = startup.key_faults(signs=False)
    assert "not the one" in fault


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "holds none"), ("m1 !!!!", "not base64"), ("m1 AAAA", "3 bytes"), ("one two three", "no new name")],
)
def test_a_spoilt_file_of_keys_is_refused_with_its_line(
    tmp_path: Path, settings: Any, text: str, says: str
) -> None:
    (tmp_path / "keys").write_text(text)
    settings.MARK_KEYS = str(tmp_path / "keys")
    with pytest.raises(keys.NoKey, match=says):
        keys.ring()


@pytest.mark.parametrize(
    "name", ["PRIVATE_VIEW_MARK_KEYS", "PRIVATE_VIEW_C2PA_KEY", "PRIVATE_VIEW_C2PA_SIGN"]
)
def test_the_web_process_refuses_to_start_with_a_key(name: str) -> None:
    env = environment.for_web() | {name: "/nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", "import config.wsgi"],
        env=env | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "platform")))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert f"{name} is set for the web process, which must not have" in done.stderr
