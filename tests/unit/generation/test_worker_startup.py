"""A render worker that is set up so that it would lose or hold up renders says what to change, and does not start."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from config.celery import app
from generation.queries.workers import LaneVariant
from generation.services import queueing
from generation.worker import startup

TURBO = LaneVariant("turbo-1", "turbo", "null", "builtin", 1500, 0, True)


def _worker(**changes: Any) -> Any:
    """Celery's worker as its command line made it, by our own settings unless changed."""
    conf = SimpleNamespace(
        task_acks_late=changes.pop("task_acks_late", app.conf.task_acks_late),
        broker_transport_options={
            "visibility_timeout": changes.pop(
                "visibility_timeout", app.conf.broker_transport_options["visibility_timeout"]
            )
        },
    )
    values = {
        "app": SimpleNamespace(conf=conf, tasks={}),
        "pool_cls": "solo",
        "concurrency": app.conf.worker_concurrency,
        "prefetch_multiplier": app.conf.worker_prefetch_multiplier,
        "time_limit": app.conf.task_time_limit,
        "soft_time_limit": app.conf.task_soft_time_limit,
    }
    return SimpleNamespace(**(values | changes))


def test_our_own_settings_are_right() -> None:
    assert startup.faults(_worker(), [TURBO], ["turbo"]) == []


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"pool_cls": "prefork"}, "--pool solo"),
        ({"pool_cls": "celery.concurrency.thread:TaskPool"}, "--pool solo"),
        ({"concurrency": 2}, "--concurrency 1"),
        ({"prefetch_multiplier": 4}, "Set it to 1"),
        ({"task_acks_late": False}, "Turn it on"),
        ({"time_limit": 1400}, "Leave it unset"),
        ({"soft_time_limit": 60}, "Leave it unset"),
        ({"visibility_timeout": 3600}, "Set it to more"),
    ],
    ids=str,
)
def test_a_setting_that_breaks_a_render_worker_is_named_with_what_to_do(
    change: dict[str, Any], advice: str
) -> None:
    (fault,) = startup.faults(_worker(**change), [TURBO], ["turbo"])

    assert advice in fault


def test_a_visibility_timeout_must_outlast_the_longest_render() -> None:
    """Sixteen takes in one forward have sixteen times the limit."""
    hours = LaneVariant("full-1", "full", "null", "builtin", 3600, 0, True)

    assert startup.faults(_worker(visibility_timeout=17 * 3600), [TURBO, hours], ["turbo", "full"]) == []
    assert startup.faults(_worker(visibility_timeout=17 * 3600 - 1), [TURBO, hours], ["turbo", "full"])


def test_only_the_queues_of_variants_count_as_lanes() -> None:
    assert startup.lanes_of(["private-view.default", queueing.queue_name("turbo")]) == ["turbo"]
