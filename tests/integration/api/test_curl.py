"""The README's curl lines, as they stand, against the running site."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from access.kinds import TokenKind
from api import urls
from core import clock
from generation.models import ModelVariant, Stage
from roles.roles import Role
from tests.factories import people
from tests.factories.generation import put_variants
from tests.factories.looks import filmed, picture
from tests.factories.review import on_view, put_policy
from tests.rig.site import LiveSite

README = Path(__file__).resolve().parents[3] / "platform" / "api" / "README.md"
SHELL = "/bin/sh"
LEARNT = {"style": "STYLE", "reference": "REFERENCE", "video.character": "CHARACTER"}


def lines() -> list[str]:
    (block,) = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    return [line for line in block.splitlines() if line.startswith("curl ")]


class Shell:
    """Runs lines with what earlier ones taught it."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self.folder, self.env = folder, env

    def run(self, line: str) -> dict[str, Any]:
        command = line.replace("curl -sS", "curl -sS --fail-with-body --max-time 30", 1)
        done = subprocess.run(
            [SHELL, "-euc", command],
            env=self.env,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        return json.loads(done.stdout) if done.stdout else {}


def test_every_address_has_a_line_and_every_line_an_address() -> None:
    shown = "\n".join(lines())
    for pattern in urls.urlpatterns:
        route = str(pattern.pattern)
        if not route:
            continue
        address = re.escape(f"$PV/{route}")
        assert re.search(
            re.sub(r"<id:[a-z]+>", r"[$A-Za-z0-9_-]+", address.replace(r"<id:", "<id:")), shown
        ), route


def test_the_lines_do_what_they_say(live_site: LiveSite, tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.fail("The README's lines need curl. Debian, Ubuntu: apt-get install curl")
    shell = Shell(tmp_path, {"PATH": "/usr/bin:/bin:/usr/local/bin"} | _stage(live_site, clock.now()))
    (tmp_path / "start.png").write_bytes(picture())
    for line in lines():
        said = shell.run(line)
        if said.get("object") == "video" and said["status"] == "queued":
            shell.env |= {"OTHER": said["id"], "REQUEST": said["request"]["id"]}
        if said.get("object") in LEARNT:
            shell.env[LEARNT[said["object"]]] = said["id"]
        if said.get("object") == "review.claim":
            shell.env |= {"LEASE": said["lease"]["lease_token"], "CASE": said["lease"]["case"]}
        if said.get("object") == "list" and said["data"] and said["data"][0]["object"] == "share":
            shell.env["SHARE"] = said["data"][0]["id"]
    assert (tmp_path / "clip.mp4").read_bytes().startswith(b"mp4 of")
    assert (tmp_path / "case.mp4").read_bytes() == (tmp_path / "clip.mp4").read_bytes()
    assert (tmp_path / "reference.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "sprite.jpg").read_bytes().startswith(b"sprite of")
    assert (tmp_path / "sheet.jpg").read_bytes().startswith(b"sheet of")
    assert (tmp_path / "poster.jpg").read_bytes().startswith(b"poster of")


def _stage(site: LiveSite, now: datetime) -> dict[str, str]:
    """A finished clip to share, another that is on view, and the three tokens."""
    programme = people.programme(now)
    put_variants(programme.id, now)
    put_policy(programme.id, now)
    ModelVariant.objects.filter(slug="turbo-1").update(images=True)
    ModelVariant.objects.filter(slug="full-1").update(stage=Stage.FINAL)
    artist = people.artist(people.cohort(programme.id, now), now, name="Oda Venn")
    reviewer = people.holder(Role.REVIEWER, now, name="Mirre Halloran")
    operator = people.holder(Role.OPERATOR, now, name="Sanne Duif")
    video = filmed(artist, now)
    second, _ = on_view(artist, reviewer, now)
    return {
        "PV": f"{site.url}/v1",
        "TOKEN": people.token(artist, now).secret,
        "REVIEWER": people.token(reviewer, now, kind=TokenKind.REVIEWER).secret,
        "OPERATOR": people.token(operator, now, kind=TokenKind.OPERATOR).secret,
        "VIDEO": video,
        "SECOND": second.video,
        "CASE": "",
        "LEASE": "",
    }
