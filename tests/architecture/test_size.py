"""Codebases without a limit grow two or three monsters. There is no list of exceptions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, files

LONGEST_SOURCE = 300
LONGEST_TEST = 400


def limit(path: Path) -> int:
    return LONGEST_TEST if path.parts[0] == "tests" else LONGEST_SOURCE


PYTHON = [path for path in files() if path.suffix == ".py" and "migrations" not in path.parts]
PAGES = [path for path in files() if path.suffix in {".html", ".js"} and "vendor" not in path.parts]


@pytest.mark.parametrize("path", PYTHON + PAGES, ids=str)
def test_a_file_is_short_enough_to_read_in_one_go(path: Path) -> None:
    lines = (ROOT / path).read_text(encoding="utf-8").count("\n")

    assert lines <= limit(path), f"{path} has {lines} lines; split it"
