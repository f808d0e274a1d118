"""Who may import whom stands in pyproject.toml, under [tool.importlinter]."""

from __future__ import annotations

import sys

import pytest
from importlinter import cli

from tests.architecture.sources import ROOT

HOUSE = [
    "config",
    "api",
    "portal",
    "gallery",
    "delivery",
    "review",
    "generation",
    "access",
    "programme",
    "roles",
    "accounts",
    "audit",
    "core",
]


def test_every_import_keeps_the_contracts(capsys: pytest.CaptureFixture[str]) -> None:
    status = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)

    assert status == cli.EXIT_STATUS_SUCCESS, capsys.readouterr().out


def test_the_standard_library_keeps_its_platform() -> None:
    """The folder `platform` stands beside the root of the path; an __init__.py in it would hide the module."""
    import platform

    assert platform.system()
    assert platform.__file__ is not None
    assert platform.__file__.startswith(sys.base_prefix)


@pytest.mark.parametrize("name", HOUSE)
def test_a_part_is_a_package_with_its_place_in_the_layers(name: str) -> None:
    places = [ROOT / name, ROOT / "platform" / name]

    assert sum((place / "__init__.py").is_file() for place in places) == 1
