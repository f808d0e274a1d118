"""The web image has fewer packages than the machine that this runs on: what it starts must be content with them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
from packaging.requirements import Requirement

from tests.architecture.sources import ROOT
from tests.rig import environment

_IMPORTED = {
    "web": "import config.wsgi, config.asgi",
    "worker, beat": "import config.celery; config.celery.app.loader.import_default_modules()",
    "migrate": "import django; django.setup(); from django.core import checks; checks.run_checks()",
}


def _direct() -> list[str]:
    """What `docker/web.Dockerfile` has pip install."""
    (chosen,) = re.findall(r"dependencies\.py ([\w -]+) >", (ROOT / "docker/web.Dockerfile").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [*project["dependencies"], *chosen.split()]


def _installed(wanted: list[str]) -> set[str]:
    """Names of the distributions that come with these."""
    found: set[tuple[str, str]] = set()
    open_ends = [(line, "") for line in wanted]
    while open_ends:
        line, extra = open_ends.pop()
        needed = Requirement(line)
        if needed.marker and not needed.marker.evaluate({"extra": extra}):
            continue
        for its in ("", *needed.extras):
            name = re.sub(r"[-_.]+", "-", needed.name).lower()
            if (name, its) not in found:
                found.add((name, its))
                open_ends += [(line, its) for line in metadata.requires(needed.name) or []]
    return {name for name, _ in found}


def _absent() -> list[str]:
    """Modules that are installed here and not there."""
    there = _installed(_direct())
    return sorted(
        module
        for module, owners in metadata.packages_distributions().items()
        if not any(re.sub(r"[-_.]+", "-", owner).lower() in there for owner in owners)
        and module.isidentifier()
        and not module.startswith("_")
        and not (ROOT / module).exists()
        and not (ROOT / "platform" / module).exists()
    )


def test_the_list_is_what_a_web_image_has() -> None:
    there = _installed(_direct())
    assert {"django", "celery", "redis", "kombu", "psycopg-pool", "pillow", "c2pa-python"} <= there
    assert not {"torch", "diffusers", "opencv-python-headless", "pynacl", "pytest"} & there


@pytest.mark.parametrize("process", _IMPORTED)
def test_starts_with_what_the_web_image_has(process: str) -> None:
    blocked = f"import sys; sys.modules.update(dict.fromkeys({_absent()!r}))"
    done = subprocess.run(
        [sys.executable, "-c", f"{blocked}; {_IMPORTED[process]}"],
        env=environment.for_web() | {"PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "platform")))},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
