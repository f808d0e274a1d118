"""Fixtures that must stand where pytest-django's of the same name can be seen. The rest is in tests/rig."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import TransactionTestCase
from pytest_django import DjangoDbBlocker

from embedded.postgres import SUPERUSER, Postgres
from tests.rig import environment
from tests.rig.reset import Baseline


@pytest.fixture(scope="session")
def django_db_setup(
    postgres: Postgres, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Migrate a database on the run's own server, and teach tests that commit how to tidy up."""
    baseline = Baseline(postgres.url(role=SUPERUSER, database=environment.TEST_DATABASE))

    def tidy_up(case: TransactionTestCase) -> None:
        baseline.restore()
        environment.empty_folders()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", tidy_up)
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings_xdist_suffix() -> None:
    """Each process of a parallel run has a server of its own, so that the database needs no name of its own."""


@pytest.fixture
def mail_folder() -> Path:
    """Where the web process and the workers leave their mails, one file each connection."""
    return environment.folder / "mail"
