"""Services name tasks and never see the app: it must be the current one in any thread of any process."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from celery import current_app

from config.celery import app


def test_a_thread_of_a_web_process_sends_to_our_broker() -> None:
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: current_app.main).result() == app.main


def test_django_alone_makes_it_current() -> None:
    import subprocess
    import sys

    from tests.rig import environment

    asks = "import django; django.setup(); from celery import current_app; print(current_app.main)"
    found = subprocess.run(
        [sys.executable, "-c", asks],
        env=environment.for_children(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == app.main
