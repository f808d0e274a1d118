"""What is made before anybody asks: who gets it, and when nobody does any more."""

from __future__ import annotations

from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command

from access.caller import Caller
from audit import outbox
from core import clock
from generation import keys
from generation.credentials.reader import read
from generation.models import Copy, Master, Rendition
from generation.services import copies, files
from generation.states import EVERYBODY, CopyState, Purpose
from generation.worker import copies as copying
from programme.services import memberships
from tests.factories.copies import order
from tests.rig import environment

pytestmark = pytest.mark.django_db(transaction=True)


def wish(artist: Caller, credited: bool, now: datetime) -> None:
    assert artist.membership is not None
    memberships.credit(membership_id=artist.membership.id, credited=credited, by=artist.actor, now=now)


def author(copy: Copy) -> str:
    copy.refresh_from_db()
    (row,) = Rendition.objects.filter(mark=copy.mark, kind="mp4", removed_at=None)
    found = read(files.store().path(row.storage_key), (environment.folder / "root.pem").read_bytes())
    assert found.claims is not None
    return found.claims.author


def test_a_spare_that_names_its_artist_is_nobodys_once_they_do_not_wish_it(
    artist: Caller, master: Master, now: datetime
) -> None:
    wish(artist, True, now)
    copies.prepare(master=master.pk, now=now)
    assert copying.drain() == 1
    spare = Copy.objects.get()
    wish(artist, False, now)

    public = order(master, EVERYBODY, Purpose.PUBLIC)
    assert public.pk != spare.pk
    copies.prepare(master=master.pk, now=now)
    assert copying.drain() == 2, "another spare, too"
    assert (author(spare), author(public)) == (artist.public_name, "")
    assert order(master, "user:one").author == ""


def test_a_public_copy_is_made_anew_when_its_artist_has_changed_their_mind(
    artist: Caller, master: Master, now: datetime
) -> None:
    wish(artist, True, now)
    named = order(master, EVERYBODY, Purpose.PUBLIC)
    assert copying.drain() == 1
    assert author(named) == artist.public_name
    (row,) = Rendition.objects.filter(mark=named.mark, kind="mp4")
    wish(artist, False, now)

    public = order(master, EVERYBODY, Purpose.PUBLIC)
    assert order(master, EVERYBODY, Purpose.PUBLIC).pk == public.pk == named.pk
    assert copying.drain() == 1
    assert author(public) == ""
    outbox.deliver_due(now=clock.now())
    assert not files.store().exists(row.storage_key)
    row.refresh_from_db()
    assert row.removed_at is not None


def test_a_spare_that_was_found_somewhere_is_handed_to_nobody(master: Master, now: datetime) -> None:
    copies.prepare(master=master.pk, now=now)
    assert copying.drain() == 1
    spare = Copy.objects.get()
    assert spare.mark is not None
    (row,) = Rendition.objects.filter(mark=spare.mark, kind="mp4")
    call_command("trace", str(files.store().path(row.storage_key)), stdout=StringIO())
    assert order(master, "user:one").pk != spare.pk
    spare.refresh_from_db()
    assert (spare.purpose, spare.handed_at) == (Purpose.SPARE, None)


def test_spares_are_made_anew_under_a_new_key(
    master: Master, now: datetime, settings: Any, tmp_path: Any
) -> None:
    copies.prepare(master=master.pk, now=now)
    theirs = order(master, "user:one")
    copies.prepare(master=master.pk, now=now)
    assert copying.drain() == 2
    spare = Copy.objects.get(purpose=Purpose.SPARE)
    held = (environment.folder / "mark-keys").read_text()
    (tmp_path / "keys").write_text(held + keys.line("later", bytes(range(32, 64))))
    settings.MARK_KEYS = str(tmp_path / "keys")

    copying.renew_spares()  # as a worker does when it starts
    assert copying.drain() == 1
    new = Copy.objects.get(purpose=Purpose.SPARE)
    assert new.pk != spare.pk
    assert new.mark is not None
    assert new.mark.key_epoch.endswith(".later")
    theirs.refresh_from_db()
    assert theirs.state == CopyState.READY
    assert copying.drain() == 0
    settings.MARK_KEYS = str(environment.folder / "mark-keys")
    copying.renew_spares()  # a worker with the file of before
    assert Copy.objects.get(purpose=Purpose.SPARE).pk == new.pk


def test_a_spare_that_was_not_made_yet_is_not_called_one_that_lay_ready(
    master: Master, now: datetime
) -> None:
    """What leaks of it came from whom it was made for."""
    copies.prepare(master=master.pk, now=now)
    theirs = order(master, "user:one")
    assert theirs.handed_at is None
    copies.prepare(master=master.pk, now=now)
    assert copying.drain() == 2
    assert order(master, "user:two").handed_at is not None


def test_a_spare_that_rests_is_handed_to_nobody_and_made_again_later(master: Master) -> None:
    now = clock.now()
    copies.prepare(master=master.pk, now=now)
    spare = Copy.objects.get()
    rested = now + copies.PAUSE
    Copy.objects.update(state=CopyState.FAILED, retry_at=rested)
    theirs = order(master, "user:one")
    assert theirs.pk != spare.pk
    assert theirs.state == CopyState.WAITING
    for moment, state in ((now, CopyState.FAILED), (rested, CopyState.WAITING)):
        copies.prepare(master=master.pk, now=moment)
        spare.refresh_from_db()
        assert spare.state == state


def test_a_worker_that_lacks_a_key_leaves_the_copy_to_another(
    master: Master, now: datetime, settings: Any, tmp_path: Any
) -> None:
    """While a new key is handed round, some workers have it and some do not."""
    copy = order(master, "user:one")
    (tmp_path / "keys").write_text(keys.line("later", bytes(range(32, 64))))
    with_all, settings.MARK_KEYS = settings.MARK_KEYS, str(tmp_path / "keys")
    assert copying.drain() == 1, "the native frames lie sealed under the older key"
    copy.refresh_from_db()
    assert (copy.state, copy.retry_at is not None) == (CopyState.WAITING, True)
    settings.MARK_KEYS = with_all
