from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from tests.rig.workers import CeleryWorker


@pytest.mark.django_db
def test_says_healthy_when_database_and_broker_answer(client: Client) -> None:
    response = client.get("/health")

    assert response.status_code == 200
    assert response.json() == {"healthy": True, "parts": {"database": "ok", "broker": "ok"}}
    assert response["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_says_unhealthy_without_details_when_the_broker_is_away(client: Client, settings: Settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "unix:///nowhere.sock",
        }
    }

    response = client.get("/health")

    assert response.status_code == 503
    assert response.json()["parts"] == {"database": "ok", "broker": "failing"}


def test_the_command_sends_a_task_round(
    celery_worker_process: CeleryWorker, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("healthcheck", "--wait", "20")

    assert "healthy: database, broker, worker" in capsys.readouterr().out


@pytest.mark.django_db(transaction=True)
def test_the_command_fails_when_no_worker_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    from config import health
    from config.celery import app

    monkeypatch.setitem(app.conf, "task_default_queue", "pv-tests.nobody")
    monkeypatch.setattr(health.worker, "__defaults__", (0.5,))

    with pytest.raises(CommandError, match="worker"):
        call_command("healthcheck")
