"""What Prometheus reads: queues and workers, for who has the token."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from access.caller import Caller
from generation.models import Master
from generation.services import workers
from tests.factories.copies import waiting
from tests.factories.generation import LANE, claim, completed_video, queued_video

pytestmark = pytest.mark.django_db
HELD = {
    "checkpoint": "builtin", "digest": "ab" * 32, "kind": "a GPU", "hardware": "NVIDIA L4", "dtype": "bfloat16",
    "rung": "tiling", "memory": 3 << 30, "load_seconds": 1.5, "warm_seconds": 0.5, "at_once": 2,
}  # fmt: skip


@pytest.fixture(autouse=True)
def token(settings: Settings, stopped_clock: time_machine.Traveller) -> None:
    settings.METRICS_TOKEN = "only Prometheus knows it"


def scraped(client: Client) -> dict[str, list[tuple[dict[str, str], float]]]:
    response = client.get("/metrics", headers={"Authorization": "Bearer only Prometheus knows it"})
    assert response.status_code == 200
    assert response["Cache-Control"] == "no-store"
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def test_tells_what_waits_and_who_renders(client: Client, artist: Caller, now: datetime) -> None:
    for _ in range(3):
        queued_video(artist, now - timedelta(seconds=90))
    claim(now)
    workers.report(name="gpu-1/7", lanes=[LANE], held=[HELD], now=now)
    workers.seen(name="gpu-1/7", video="video_1", finished=5, failed=1, held=[HELD], now=now)

    found = scraped(client)

    assert ({"queue": LANE}, 2.0) in found["private_view_queue_waiting"]
    assert ({"queue": LANE}, 1.0) in found["private_view_queue_running"]
    assert ({"queue": LANE}, 1.0) in found["private_view_queue_workers"]
    waits = {labels["queue"]: value for labels, value in found["private_view_queue_oldest_wait_seconds"]}
    assert waits[LANE] >= 90
    assert found["private_view_worker_up"] == [({"worker": "gpu-1/7", "kind": "a GPU"}, 1.0)]
    assert found["private_view_worker_renders_total"] == [
        ({"worker": "gpu-1/7", "result": "finished"}, 5.0),
        ({"worker": "gpu-1/7", "result": "failed"}, 1.0),
    ]
    [(labels, memory)] = found["private_view_checkpoint_memory_bytes"]
    assert memory == 3 << 30
    assert (labels["hardware"], labels["dtype"], labels["rung"]) == ("NVIDIA L4", "bfloat16", "tiling")
    assert found["private_view_checkpoint_load_seconds"][0][1] == 1.5
    assert found["private_view_checkpoint_takes_at_once"][0][1] == 2


def test_tells_how_long_copies_and_traces_wait(client: Client, artist: Caller, now: datetime) -> None:
    master = Master.objects.get(video__public_id=completed_video(artist, now))
    for seconds in (90, 30):
        waiting(master, f"user:{seconds}", now - timedelta(seconds=seconds))

    found = scraped(client)

    assert found["private_view_work_waiting"] == [({"work": "copies"}, 2.0), ({"work": "tracing"}, 0.0)]
    assert found["private_view_work_running"] == [({"work": "copies"}, 0.0), ({"work": "tracing"}, 0.0)]
    waits = {labels["work"]: value for labels, value in found["private_view_work_oldest_wait_seconds"]}
    assert 90 <= waits["copies"] < 100
    assert waits["tracing"] == 0


def test_a_worker_that_is_not_seen_any_more_is_down_and_holds_nothing(client: Client, now: datetime) -> None:
    workers.report(name="gpu-1/7", lanes=[LANE], held=[HELD], now=now - timedelta(minutes=10))

    found = scraped(client)

    assert found["private_view_worker_up"] == [({"worker": "gpu-1/7", "kind": "a GPU"}, 0.0)]
    assert "private_view_checkpoint_memory_bytes" not in found


def test_a_scrape_takes_five_statements(client: Client, artist: Caller, now: datetime) -> None:
    queued_video(artist, now)
    workers.report(name="gpu-1/7", lanes=[LANE], held=[HELD], now=now)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        scraped(client)
    assert len(asked) == 5


@pytest.mark.parametrize("given", ["", "Bearer another", "Basic only Prometheus knows it", "Bearer é"])
def test_refuses_who_has_not_the_token(client: Client, given: str) -> None:
    with CaptureQueriesContext(connection) as asked:
        response = client.get("/metrics", headers={"Authorization": given})

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert b"private_view_" not in response.content
    assert not asked


def test_there_is_no_such_page_without_a_token(client: Client, settings: Settings) -> None:
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
