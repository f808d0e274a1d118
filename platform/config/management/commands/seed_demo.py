from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.demo import story
from config.demo.seed import Seeded, seed
from core.errors import DomainError

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Command(BaseCommand):
    help = "Put one believable programme in place, for a first look. Safe to run again; its passwords are public."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one line of JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if urlsplit(settings.BASE_URL).hostname not in _LOOPBACK:
            raise CommandError(
                f"{settings.BASE_URL} can be reached by others, and the demo's passwords are public. "
                "Use `manage.py create_operator` there."
            )
        try:
            seeded = seed()
        except DomainError as refusal:
            raise CommandError(refusal.sentence) from None
        found = _summary(seeded)
        self.stdout.write(json.dumps(found, ensure_ascii=False) if options["json"] else _text(found))


def _summary(seeded: Seeded) -> dict[str, Any]:
    url = settings.BASE_URL
    return {
        "programme": seeded.programme.name,
        "addresses": {
            "gallery": f"{url}/",
            "studio": f"{url}/studio",
            "desk": f"{url}/desk",
            "office": f"{url}/office",
            "api": f"{url}/v1",
        },
        "logins": [
            {"role": guest.role, "name": guest.name, "email": guest.email, "password": guest.password}
            for guest in (*story.ARTISTS, *story.STAFF)
        ],
        "token": seeded.token,
        "model": story.TURBO.slug,
        "curl": f"curl {url}/v1/videos -H 'Authorization: Bearer {seeded.token}'",
    }


def _text(found: dict[str, Any]) -> str:
    lines = [found["programme"], ""]
    lines += [f"  {name:<8} {address}" for name, address in found["addresses"].items()]
    lines.append("")
    lines += [f"  {who['role']:<9} {who['email']:<24} {who['password']}" for who in found["logins"]]
    return "\n".join([*lines, "", found["curl"]])
