"""What people call themselves and their things, as it is shown beside what others are called."""

from __future__ import annotations

import unicodedata
from typing import Final

# Control, format (it can turn the line around it), surrogate, private and unassigned characters; line breaks.
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_EMPTY_LETTERS: Final = frozenset(
    "\u115f\u1160\u2800\u3164\uffa0"
)  # letters and signs by category, and drawn as nothing


def unseen(text: str) -> bool:
    """Whether something in it cannot be seen where it stands, and may change how the rest reads."""
    return any(unicodedata.category(letter) in _UNSEEN for letter in text)


def blank(text: str) -> bool:
    """Whether nothing of it would be seen."""
    return all(unicodedata.category(letter)[0] in "ZCM" or letter in _EMPTY_LETTERS for letter in text)


def tidy(text: str) -> str:
    """NFC, with single spaces and none around it."""
    return " ".join(unicodedata.normalize("NFC", text).split())
