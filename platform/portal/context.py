"""What every page shows around its work. Nothing is asked of the database that the page does not use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from access.caller import Caller
from portal.gates import caller_of
from roles.roles import Role

THEMES = ("light", "dark")
THEME_COOKIE = "pv_theme"


@dataclass(frozen=True, slots=True)
class Way:
    words: str
    href: str
    here: bool


_VISITOR = (
    ("On view", "gallery:wall"),
    ("Check a clip", "gallery:check"),
    ("Policy", "gallery:policy"),
)
_ARTIST = (
    ("Studio", "portal:studio"),
    ("Shared", "portal:shared"),
    ("Styles", "portal:styles"),
    ("Characters", "portal:characters"),
    ("Tokens", "portal:tokens"),
    ("Terms", "portal:terms"),
)
_REVIEWER = (("Desk", "portal:desk:queue"), ("Decided", "portal:desk:decided"), ("Policy", "gallery:policy"))
_OPERATOR = (
    ("Today", "portal:office:today"),
    ("Cohorts", "portal:office:cohorts"),
    ("Invitations", "portal:office:invitations"),
    ("Members", "portal:office:members"),
    ("Shares", "portal:office:shares"),
    ("Tokens", "portal:office:tokens"),
    ("Traces", "portal:office:traces"),
    ("Rendering", "portal:office:rendering"),
    ("Styles", "portal:office:styles"),
    ("Log", "portal:office:log"),
)
ROOMS = {
    "/studio": ("Studio", _ARTIST),
    "/welcome": ("Studio", _ARTIST),
    "/desk": ("Desk", _REVIEWER),
    "/office": ("Office", _OPERATOR),
}


def page(request: HttpRequest) -> dict[str, Any]:
    path = request.path
    room, ways = next(
        (found for prefix, found in ROOMS.items() if path.startswith(prefix)), ("Gallery", _VISITOR)
    )
    theme = request.COOKIES.get(THEME_COOKIE, "")
    return {
        "room": room,
        "ways": _ways(ways, path),
        "theme": theme if theme in THEMES else "",
        "caller": getattr(request, "caller", None),
        "rooms": SimpleLazyObject(lambda: _rooms(caller_of(request), room)),
    }


def _ways(ways: tuple[tuple[str, str], ...], path: str) -> list[Way]:
    found = [(words, reverse(name)) for words, name in ways]
    longest = max(
        (href for _, href in found if path == href or path.startswith(f"{href}/")), key=len, default=None
    )
    return [Way(words, href, href == longest) for words, href in found]


def _rooms(caller: Caller | None, here: str) -> list[Way]:
    """The other rooms that the caller may enter."""
    if caller is None:
        return []
    rooms = []
    if caller.membership is not None:
        rooms.append(("Studio", "portal:studio"))
    if Role.REVIEWER in caller.roles:
        rooms.append(("Desk", "portal:desk:queue"))
    if Role.OPERATOR in caller.roles:
        rooms.append(("Office", "portal:office:today"))
    return [Way(words, reverse(name), False) for words, name in rooms if words != here]
