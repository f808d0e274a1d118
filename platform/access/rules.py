"""What a token may be called, hold, and how long it may live."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from access.kinds import KINDS, TokenKind
from access.models import NAME_LENGTH
from access.scopes import Scope
from core.errors import Invalid

LONGEST_DAYS = 365


def token_name(text: str) -> str:
    """`text` without the space around it. Raises Invalid when it is empty, long or unprintable."""
    name = text.strip()
    if not 1 <= len(name) <= NAME_LENGTH or any(
        unicodedata.category(letter).startswith("C") for letter in name
    ):
        sentence = f"Name the token after where it will be used, with 1 to {NAME_LENGTH} characters."
        raise Invalid("bad_name", sentence, fields={"name": sentence})
    return name


def token_scopes(kind: TokenKind, asked: Iterable[str]) -> list[str]:
    """The scopes, sorted, each once. Raises Invalid unless there is one and the kind may hold all of them."""
    allowed = KINDS[kind].scopes
    wanted = set(asked)
    foreign = sorted(wanted - set(allowed))
    if foreign or not wanted:
        can = ", ".join(sorted(allowed))
        sentence = f"Choose at least one scope; this kind of token can have {can}."
        raise Invalid("bad_scopes", sentence, fields={"scopes": sentence})
    return sorted(Scope(scope).value for scope in wanted)


def check_token_days(days: int) -> None:
    if not 1 <= days <= LONGEST_DAYS:
        sentence = f"A token lives 1 to {LONGEST_DAYS} days."
        raise Invalid("bad_days", sentence, fields={"days": sentence})
