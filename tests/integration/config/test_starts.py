"""What a process does before it takes anything: the web process, and the worker of copies."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from embedded.commands import ROOT
from generation.services import copies
from generation.worker import copies as copying
from generation.worker import startup
from tests.rig import environment


def test_the_web_process_removes_what_one_that_was_killed_had_been_sent(tmp_path: Path) -> None:
    left, sockets = tmp_path / "private-view-scratch-left", tmp_path / "private-view-0-1c9de78b9173"
    for folder in (left, sockets):
        folder.mkdir()
        (folder / "file").touch()
    path = os.pathsep.join((str(ROOT), str(ROOT / "platform")))
    env = environment.for_web() | {"PYTHONPATH": path, "TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import config.asgi"], env=env, cwd=ROOT, check=True, timeout=60)
    assert (left.exists(), sockets.exists()) == (False, True)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("queue", "renews"), [("copies", True), ("tracing", False)])
def test_the_worker_of_copies_renews_spares_before_its_first_message(
    monkeypatch: pytest.MonkeyPatch, queue: str, renews: bool
) -> None:
    renewed = Mock()
    monkeypatch.setattr(copying, "renew_spares", renewed)
    consumed = [copies.queue_name().replace("copies", queue)]
    startup._refuse_or_take(
        SimpleNamespace(
            app=SimpleNamespace(amqp=SimpleNamespace(queues=SimpleNamespace(consume_from=consumed)))
        )
    )
    assert renewed.called is renews
