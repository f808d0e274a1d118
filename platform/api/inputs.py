"""What bodies and queries may hold. Strings are taken for numbers and switches, for multipart knows nothing else.

Faults of form are found here and faults of sense in the domains; both name the field.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict

from core.errors import Invalid

_LARGEST = 10**18
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_SWITCH = {
    "true": True,
    "1": True,
    "yes": True,
    "on": True,
    "false": False,
    "0": False,
    "no": False,
    "off": False,
}
_SHOWN = 40  # characters of a bad value that a sentence repeats
_MOST_UNKNOWN = 8  # names that an answer repeats


class Fields:
    """Reads fields one by one and collects what is wrong with them; `check()` raises for all of them at once.

    What has been read by then is what an address takes. Every other field is refused by name: whoever sends it
    believes that it does something.
    """

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._data = data
        self._taken: dict[str, None] = {}  # names that were read, in that order
        self._objects: set[str] = set()
        self._members: set[str] = set()  # what was read of objects and lists, as a form writes it
        self._refused: set[str] = set()
        self.faults: dict[str, str] = {}

    def text(self, name: str, *, needed: str | None = None) -> str | None:
        """A string; None when it is not there or null. `needed` is the sentence for when it must be."""
        value = self._take(name)
        if value is None:
            if needed:
                self.faults[name] = needed
            return None
        if not isinstance(value, str):
            self.faults[name] = f"“{name}” must be a string."
            return None
        if not _is_text(value):
            self.faults[name] = f"“{name}” has control characters in it. Paste it as plain text."
            return None
        return value

    def whole(self, name: str) -> int | None:
        """A whole number, or its digits in a string."""
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and abs(value) < _LARGEST:
            return value
        if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
            return int(value)
        self.faults[name] = (
            f"“{name}” is a whole number of at most 18 digits."
            if _is_whole(value)
            else f"“{name}” must be a whole number, not {_show(value)}."
        )
        return None

    def switch(self, name: str) -> bool:
        """true or false; false when it is not there."""
        value = self._take(name)
        if value is None:
            return False
        if isinstance(value, bool):
            return value
        if isinstance(value, str) and value.strip().lower() in _SWITCH:
            return _SWITCH[value.strip().lower()]
        self.faults[name] = f"“{name}” must be true or false, not {_show(value)}."
        return False

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of strings; a form sends it as one string with commas, or as `name[]`."""
        self._members.add(f"{name}[]")
        value = self._take(name)
        if value is None:
            value = self._data.get(f"{name}[]")
        if value is None:
            return ()
        if isinstance(value, str) and _is_text(value):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, list) and all(isinstance(part, str) and _is_text(part) for part in value):
            return tuple(value)
        self.faults[name] = f"“{name}” must be a list of strings."
        return ()

    def file(self, name: str) -> UploadedFile[Any] | None:
        """A file of a form; None when it is not there."""
        value = self._take(name)
        return value if isinstance(value, UploadedFile) else None

    def member(self, name: str, key: str) -> str | None:
        """`key` of the object `name`; a form sends it as `name[key]`, or the object as JSON in a string."""
        self._objects.add(name)
        self._members.add(f"{name}[{key}]")
        whole = _object(self._take(name))
        found = self._data.get(f"{name}[{key}]") if whole is None else whole.get(key)
        if found is None:
            return None
        if not isinstance(found, str) or not _is_text(found):
            self.faults[name] = f"“{name}” takes “{key}” as a string."
            return None
        return found

    def given(self, name: str) -> bool:
        """Whether the field is there at all, in any of the ways that it can be."""
        return self._data.get(name) is not None or any(key.startswith(f"{name}[") for key in self._data)

    def number(self, name: str) -> float | None:
        """A number, or its digits in a string."""
        value = self._take(name)
        if value is None:
            return None
        if isinstance(value, (int, float, str)) and not isinstance(value, bool):
            try:
                found = float(value)
            except (ValueError, OverflowError):
                found = math.nan
            if math.isfinite(found):
                return found
        self.faults[name] = f"“{name}” must be a number, not {_show(value)}."
        return None

    def refuse(self, name: str, sentence: str) -> None:
        """Note a fault when the field is there at all: for one that people may expect, with what to do instead."""
        self._refused.add(name)
        if self.given(name):
            self.faults[name] = sentence

    def refuse_unknown(self) -> None:
        """Note a fault for each field that was not read."""
        takes = ", ".join(self._taken) or "none"
        sentence = "“{}” is no field of this address, which takes " + takes + "."
        for name in islice(self._unknown(), _MOST_UNKNOWN):
            shown = name[:_SHOWN].encode("utf-8", "backslashreplace").decode()
            self.faults[shown] = sentence.format(shown)
            sentence = "“{}” is none either."

    def check(self) -> None:
        self.refuse_unknown()
        if self.faults:
            raise Invalid("invalid_request", " ".join(self.faults.values()), fields=self.faults)

    def _take(self, name: str) -> Any:
        self._taken[name] = None
        return self._data.get(name)

    def _unknown(self) -> Iterator[str]:
        for name, value in self._data.items():
            base = name.partition("[")[0]
            if base in self._refused or base in self.faults:
                continue
            if name not in self._taken and name not in self._members:
                yield name
            for key in (_object(value) or ()) if name in self._objects else ():
                if f"{name}[{key}]" not in self._members:
                    yield f"{name}[{key}]"


@dataclass(frozen=True, slots=True)
class Page:
    after: str | None
    limit: int
    ascending: bool


LONGEST_PAGE = 100
USUAL_PAGE = 20


def page(query: QueryDict, *others: str) -> Page:
    """`after`, `limit` (1 to 100) and `order` of a list, beside the names of `others` that it takes."""
    fields = Fields(flat(query))
    for name in others:
        fields.text(name)
    after = fields.text("after")
    limit = fields.whole("limit")
    order = fields.text("order") or "desc"
    if limit is not None and not 1 <= limit <= LONGEST_PAGE:
        fields.faults["limit"] = f"“limit” is a number from 1 to {LONGEST_PAGE}."
    if order not in {"asc", "desc"}:
        fields.faults["order"] = "“order” is asc or desc."
    fields.check()
    return Page(after=after or None, limit=USUAL_PAGE if limit is None else limit, ascending=order == "asc")


def flat(query: QueryDict) -> dict[str, str]:
    """A query with each name once. Raises Invalid for names that stand there twice or are not UTF-8."""
    found: dict[str, str] = {}
    faults: dict[str, str] = {}
    for name, values in query.lists():
        if len(values) != 1:
            faults[name[:_SHOWN]] = f"“{name[:_SHOWN]}” is there more than once."
        elif "\ufffd" in values[0]:
            faults[name[:_SHOWN]] = f"“{name[:_SHOWN]}” is not UTF-8."
        else:
            found[name] = values[0]
    if faults:
        raise Invalid("invalid_request", " ".join(faults.values()), fields=faults)
    return found


def _object(value: object) -> dict[str, Any] | None:
    """An object, which a form may send as JSON in a string."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _is_text(value: str) -> bool:
    """PostgreSQL stores no NUL, and half a surrogate pair cannot even be written back."""
    return "\0" not in value and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _is_whole(value: object) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.strip().removeprefix("-").isdigit()
    return isinstance(value, int) and not isinstance(value, bool)


def _show(value: object) -> str:
    if isinstance(value, str):
        return f"“{value[:_SHOWN]}”"
    if value is True or value is False:
        return "true" if value else "false"
    return str(value)[:_SHOWN] if isinstance(value, float) else "this"
