"""What the person at the terminal reads."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


def say(text: str) -> None:
    """Print; a terminal that has gone is no reason to stop in disorder."""
    try:
        print(text, flush=True)
    except OSError:
        sys.stdout = sys.stderr = open("/dev/null", "w")  # noqa: SIM115, PTH123 - for the rest of the process


def note(text: str) -> None:
    say(f"{time.strftime('%H:%M:%S')}  {text}")


def fail(text: str) -> None:
    say(f"\nPrivate View could not start.\n{text}")


@contextmanager
def step(name: str) -> Iterator[None]:
    started = time.monotonic()
    say(f"· {name}")
    yield
    say(f"  {time.monotonic() - started:.1f} s")


def welcome(*, url: str, seeded: dict[str, Any], state: Path) -> None:
    say(f"\nPrivate View is open: {url}\n")
    for place, address in seeded["addresses"].items():
        say(f"  {place:<10} {address}")
    say("")
    for login in seeded["logins"]:
        say(f"  {login['role']:<10} {login['email']:<24} {login['password']}")
    say(f"\nThe API, with an artist's token:\n\n{_curl(url, token=seeded['token'], model=seeded['model'])}")
    say(
        f"\nMails are in {state / 'mail'}, logs in {state / 'log'}.\nCtrl-C closes the house and keeps its data.\n"
    )


def _curl(url: str, *, token: str, model: str) -> str:
    return (
        f"  curl {url}/v1/videos -H 'Authorization: Bearer {token}'\n"
        f"  curl {url}/v1/videos -H 'Authorization: Bearer {token}' \\\n"
        f"    -F model={model} -F seconds=4 -F prompt='a red ball rising over a meadow'"
    )
