"""What a trace answers, and to whom: a second person confirms for whom the copy was."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from access.caller import Caller
from audit import outbox
from audit.models import AuditEvent
from core import clock
from generation import keys
from generation.forensic.code import Code
from generation.forensic.reed_solomon import completed
from generation.models import Copy, Mark, Master, Rendition, Trace
from generation.queries import marks
from generation.services import copies, files, traces
from generation.states import Purpose, TraceState
from generation.worker import copies as copying
from generation.worker import tracing as looking
from roles.roles import ROLE_PERMISSIONS, Permission, Role
from tests.factories import people
from tests.integration.portal_office.traces.conftest import (
    SignIn,
    content,
    operator_elsewhere,
    page,
    sent,
    suspects,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_names_the_copy_and_for_whom_it_was_once_a_second_person_has_confirmed(
    artist: Caller, operator: Caller, second_operator: Caller, video: str, sign_in: SignIn, now: datetime
) -> None:
    first, second = sign_in(operator), sign_in(second_operator)
    address = sent(first, content(video), name="leak.mp4", note="on a forum")
    assert "It begins as soon as" in page(first, address)
    assert suspects() == 1

    assert looking.drain() == 1

    shown = page(first, address)
    assert "The file carries mark number" in shown
    assert "the artist&#x27;s own copy" in shown
    assert "probability below 1e-" in shown
    assert '<dl class="facts"><dt class="code">' not in shown, "nobody is named"
    assert "told once somebody else" in shown
    assert artist.public_name not in shown
    assert f"/office/clips/{video}" not in shown, "its page names the artist"
    assert "Confirm the answer" not in shown
    assert first.post(f"{address}/confirm").status_code == 403
    for name in ("residual", "peak"):
        answer = first.get(f"{address}/{name}.png")
        body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert Image.open(io.BytesIO(body)).format == "PNG"
        assert answer["Cache-Control"] == "private, no-store"

    assert "Confirm the answer" in page(second, address)
    assert second.post(f"{address}/confirm").status_code == 302

    for browser in (first, second):
        shown = page(browser, address)
        assert artist.public_name in shown
        assert f"/office/clips/{video}" in shown
        assert "Confirmed by Ife Adebayo" in shown
    outbox.deliver_due(now=clock.now())
    assert suspects() == 0
    seen = set(AuditEvent.objects.values_list("action", "actor"))
    assert ("trace.asked", str(operator.actor)) in seen
    assert ("file.traced", str(operator.actor)) in seen
    assert ("trace.confirmed", str(second_operator.actor)) in seen
    assert "leak.mp4" in page(first, "/office/traces")


def test_names_the_token_or_the_reviewer_that_a_copy_was_made_for(
    artist: Caller, operator: Caller, second_operator: Caller, video: str, sign_in: SignIn, now: datetime
) -> None:
    token = people.token(artist, now).public_id
    master = Rendition.objects.filter(master__video__public_id=video)[0].master_id
    copies.order(master=master, purpose=Purpose.TOKEN, recipient=f"token:{token}", now=now)
    copying.drain()
    address = sent(sign_in(operator), content(video, "token", "poster"), name="still.jpg")
    looking.drain()
    assert "a program&#x27;s download" in page(sign_in(operator), address)
    sign_in(second_operator).post(f"{address}/confirm")
    assert "the token “laptop” of Oda Venn" in page(sign_in(operator), address)


def test_nothing_is_said_of_a_file_without_a_reading_and_no_score(
    operator: Caller, second_operator: Caller, video: str, sign_in: SignIn
) -> None:
    grey = io.BytesIO()
    Image.effect_noise((640, 360), 30).save(grey, "PNG")
    browser = sign_in(operator)
    address = sent(browser, grey.getvalue(), name="noise.png")
    looking.drain()
    shown = page(browser, address)
    assert "No reading." in shown
    assert "does not say that the file is unmarked" in shown
    trace = Trace.objects.get()
    assert trace.numbers == []
    assert not {"z", "best_z"} & set(trace.reading)
    refused = sign_in(second_operator).post(f"{address}/confirm")
    assert refused.status_code == 409


@pytest.mark.parametrize(
    ("body", "sentence"),
    [(b"not a video at all", "cannot be read as a video or a picture"), (b"", "This file is empty.")],
)
def test_a_file_that_cannot_be_read_gets_a_sentence(
    operator: Caller, video: str, sign_in: SignIn, body: bytes, sentence: str
) -> None:
    browser = sign_in(operator)
    answer = browser.post("/office/traces", {"file": SimpleUploadedFile("x.mp4", body)})
    if answer.status_code == 302:
        looking.drain()
        shown = page(browser, answer["Location"])
        assert Trace.objects.get().state == TraceState.REFUSED
    else:
        shown = answer.content.decode()
    assert sentence in shown


def test_asks_for_a_file_and_refuses_one_that_is_too_large(
    operator: Caller, video: str, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = sign_in(operator)
    answer = browser.post("/office/traces", {"note": "<b>"})
    assert (answer.status_code, "Choose a video" in answer.content.decode()) == (422, True)
    assert "&lt;b&gt;" in answer.content.decode()
    monkeypatch.setattr(traces, "MOST_BYTES", 10)
    answer = browser.post("/office/traces", {"file": SimpleUploadedFile("x.mp4", b"x" * 11)})
    assert "has at most" in answer.content.decode()
    assert not Trace.objects.exists()
    assert suspects() == 0


def test_who_may_not_trace_finds_nothing(
    artist: Caller, reviewer: Caller, operator: Caller, video: str, sign_in: SignIn, now: datetime
) -> None:
    address = sent(sign_in(operator), content(video))
    looking.drain()
    other = operator_elsewhere(now)
    for caller, status in ((artist, 403), (reviewer, 403), (other, 404)):
        browser = sign_in(caller)
        for path in ("", "/answer", "/residual.png"):
            assert browser.get(address + path).status_code == status, (caller.public_name, path)
        for path in ("/cancel", "/confirm"):
            assert browser.post(address + path).status_code == status
    assert Client().get(address).status_code == 302
    assert Trace.objects.get().confirmed_by is None


def test_who_may_trace_need_not_run_the_programme(
    reviewer: Caller, video: str, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A permission of its own: some role may have it without the office's others."""
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.REVIEWER, frozenset({Permission.TRACE_MARKS}))
    browser = sign_in(reviewer)
    address = sent(browser, content(video))
    assert "It begins as soon as" in page(browser, address)
    assert browser.get("/office/shares").status_code == 403


def test_of_a_copy_of_another_programme_nothing_is_told_but_that(
    operator: Caller, video: str, sign_in: SignIn, now: datetime
) -> None:
    """What another programme's artists made is none of this one's to know."""
    other = operator_elsewhere(now)
    browser = sign_in(other)
    address = sent(browser, content(video))
    looking.drain()
    shown = page(browser, address)
    assert "a copy of another programme" in shown
    assert "No reading." not in shown
    trace = Trace.objects.get()
    mark = Rendition.objects.filter(master__video__public_id=video)[0].mark
    assert mark is not None
    code = mark.master.video.code
    for secret in (video, code, f"{mark.number:08x}"):
        assert secret not in shown + json.dumps(trace.reading)
    (event,) = AuditEvent.objects.filter(action="file.traced")
    assert (event.data["named"], event.data["elsewhere"]) == ([], 1)
    assert (trace.numbers, trace.pictures) == ([], {})
    assert sign_in(people.holder(Role.OPERATOR, now)).post(f"{address}/confirm").status_code == 404
    assert "another programme" in page(browser, "/office/traces")


def test_a_copy_that_leaked_before_anybody_was_given_it_is_nobodys(
    operator: Caller, second_operator: Caller, video: str, sign_in: SignIn
) -> None:
    master = Master.objects.get(video__public_id=video)
    copies.prepare(master=master.pk, now=clock.now())
    assert copying.drain() == 1
    address = sent(sign_in(operator), content(video, "spare"))
    looking.drain()
    second = sign_in(second_operator)
    assert second.post(f"{address}/confirm").status_code == 302
    assert "Nobody yet: it was made ahead" in page(second, address)

    copies.order(master=master.pk, purpose=Purpose.SCREENING, recipient=str(operator.actor), now=clock.now())
    assert Copy.objects.filter(purpose=Purpose.SPARE).exists(), "it is handed to nobody afterwards"
    assert "Nobody yet: it was made ahead" in page(second, address)


def test_a_copy_that_was_made_ahead_says_when_it_was_handed_out(
    operator: Caller, video: str, sign_in: SignIn
) -> None:
    master = Master.objects.get(video__public_id=video)
    copies.prepare(master=master.pk, now=clock.now())
    assert copying.drain() == 1
    copies.order(master=master.pk, purpose=Purpose.SCREENING, recipient="user:one", now=clock.now())
    browser = sign_in(operator)
    address = sent(browser, content(video, "screening"))
    looking.drain()
    assert "ahead of anybody&#x27;s asking, and handed out on" in page(browser, address)


def test_evidence_that_is_gone_is_not_found(operator: Caller, video: str, sign_in: SignIn) -> None:
    browser = sign_in(operator)
    address = sent(browser, content(video))
    looking.drain()
    shown = browser.get(f"{address}/peak.png")
    shown.close()
    assert shown.status_code == 200
    for key in Trace.objects.get().pictures.values():
        files.store().delete(key)
    assert browser.get(f"{address}/peak.png").status_code == 404


def test_a_worker_that_lacks_a_key_says_which(
    operator: Caller, video: str, sign_in: SignIn, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "keys").write_text(keys.line("later", bytes(32)))
    settings.MARK_KEYS = str(tmp_path / "keys")
    browser = sign_in(operator)
    address = sent(browser, content(video))
    looking.drain()
    shown = page(browser, address)
    assert ".m1 is not in the file of keys. Give the tracing worker" in shown


def test_relatives_of_a_number_that_is_not_on_record_are_not_named(
    operator: Caller, video: str, sign_in: SignIn, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A house that was restored from a backup knows its keys, and not the copies that were made since."""
    row = Rendition.objects.filter(master__video__public_id=video)[0]
    suspect = content(video)
    mark = row.mark
    assert mark is not None
    code = Code(keys.ring().key_of(mark.key_epoch))
    for other in range(1, 40):
        data = np.frombuffer(bytes(mark.codeword), np.uint8)[:4].copy()
        data[other % 4] = (int(data[other % 4]) + other) % 256
        near = completed(data)
        Mark.objects.create(
            master=row.master,
            number=code.number(near),
            codeword=near.tobytes(),
            purpose=Purpose.SCREENING,
            recipient=f"user:usr_{other:022d}",
            key_epoch=mark.key_epoch,
            made_at=now,
        )
    on_record = {
        epoch: [row for row in rows if row[0] != mark.number] for epoch, rows in marks.issued().items()
    }
    monkeypatch.setattr(marks, "issued", lambda: on_record)  # the database would not let the row go
    browser = sign_in(operator)
    address = sent(browser, suspect)
    looking.drain()
    assert "not on record here" in page(browser, address)
    assert Trace.objects.get().numbers == []
    assert "not on record" in page(browser, "/office/traces")
