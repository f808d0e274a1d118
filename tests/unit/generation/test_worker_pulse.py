"""The thread that watches over a render does not outlast it."""

from __future__ import annotations

import faulthandler
import threading
import time
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from generation.services.queueing import Claim
from generation.worker.pulse import Pulse


def test_a_render_that_ends_while_its_hard_limit_is_being_set_leaves_none_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done: list[str] = []
    setting = threading.Event()

    def arm(*_: Any, **__: Any) -> None:
        setting.set()
        time.sleep(0.2)
        done.append("set")

    monkeypatch.setattr(faulthandler, "dump_traceback_later", arm)
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", lambda: done.append("lifted"))
    pulse = Pulse()
    pulse.name = "host/1"
    monkeypatch.setattr(pulse, "start", lambda: None)
    claim = cast("Claim", SimpleNamespace(lease=uuid4(), soft_limit=60, hard_limit=90))
    tick = threading.Thread(target=pulse._tick)

    with pulse.holding([claim]):
        tick.start()
        assert setting.wait(5)
    tick.join(5)

    assert done == ["set", "lifted"]
