"""Reads CBOR (RFC 8949) as signatures are written in it: each length is told, no name comes twice, nothing follows.

A general reader takes one of two equal names and says nothing: whoever signs could show it another certificate than
the one that was checked. So this one is our own, and refuses whatever is not plain.
"""

from __future__ import annotations

from typing import Any, Final

_DEEPEST: Final = 8
_SIMPLE: Final = {20: False, 21: True, 22: None}
_LENGTHS: Final = {24: 1, 25: 2, 26: 4, 27: 8}  # bytes of a number that does not fit beside its type


def loads(data: bytes) -> Any:
    """Raises ValueError for everything that is not whole and plain."""
    value, end = _item(data, 0, _DEEPEST)
    if end != len(data):
        raise ValueError("something follows the item")
    return value


def _item(data: bytes, at: int, depth: int) -> tuple[Any, int]:
    kind, number, at = _head(data, at)
    if not depth:
        raise ValueError("too deep")
    match kind:
        case 2 | 3:
            text = _cut(data, at, number)
            return text if kind == 2 else text.decode(), at + number
        case 4:
            return _items(data, at, number, depth - 1)
        case 5:
            return _map(data, at, number, depth - 1)
        case 6:  # a tag says what the next item is
            return _item(data, at, depth - 1)
    return _single(kind, number), at


def _single(kind: int, number: int) -> int | bool | None:
    if kind == 0:
        return number
    if kind == 1:
        return -1 - number
    if number not in _SIMPLE:
        raise ValueError("what nobody knows")
    return _SIMPLE[number]


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Type, number, and where it goes on."""
    kind, number = divmod(_cut(data, at, 1)[0], 32)
    at += 1
    if number >= 24:
        if kind == 7 or number not in _LENGTHS:
            raise ValueError("a number with a fraction, or a length that is not told")
        length = _LENGTHS[number]
        number, at = int.from_bytes(_cut(data, at, length)), at + length
    return kind, number, at


def _items(data: bytes, at: int, count: int, depth: int) -> tuple[list[Any], int]:
    if count > len(data) - at:
        raise ValueError("more items than bytes")
    found = []
    for _ in range(count):
        value, at = _item(data, at, depth)
        found.append(value)
    return found, at


def _map(data: bytes, at: int, count: int, depth: int) -> tuple[dict[Any, Any], int]:
    found, at = _items(data, at, 2 * count, depth)
    names = found[::2]
    if not all(isinstance(name, int | str) for name in names) or len(set(names)) < count:
        raise ValueError("a name twice, or none")
    return dict(zip(names, found[1::2], strict=True)), at


def _cut(data: bytes, at: int, length: int) -> bytes:
    if length > len(data) - at:
        raise ValueError("it ends too soon")
    return data[at : at + length]
