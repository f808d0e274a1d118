"""One page of a list that is read by keyset: what is shown, and where the next page begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from core.errors import Invalid

T = TypeVar("T")
SIZE = 50


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next_after` is the cursor of the following page, None on the last one."""

    entries: Sequence[T]
    next_after: str | None
    is_later: bool


def page(
    read: Callable[[int, str | None], Sequence[T]], *, key: Callable[[T], str], after: str | None
) -> Page[T]:
    """Read one more than is shown: whether there is a next page costs no count. `read` takes a limit and a cursor."""
    found = read(SIZE + 1, after)
    shown = found[:SIZE]
    return Page(shown, key(shown[-1]) if len(found) > SIZE else None, is_later=after is not None)


def number(cursor: str | None) -> int | None:
    """A cursor that is a row's number. Raises Invalid when it is anything else."""
    if cursor is None:
        return None
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise Invalid("bad_cursor", "That cursor is not from this list.")
    return int(cursor)
