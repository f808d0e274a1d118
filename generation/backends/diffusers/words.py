"""Takes a prompt apart: its words and symbols, where its clauses end, and what denies what comes after it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_BREAKS: Final = ".,;:!?()\n\u2026\u2013\u2014-"
# A word ("isn't" is one), what ends a clause, or other signs: of those, symbols count as words ("boat" may be drawn).
_TOKEN: Final = re.compile(
    r"[^\W_]+?n't\b|[^\W_]+|[.,;:!?()\n\u2026\u2013\u2014]|(?<=\s)-(?=\s)|[^\w\s.,;:!?()\u2026\u2013\u2014-]+"
)


def word_set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ARTICLES: Final = word_set("a an the one this that it they its his her their some there")
PREPOSITIONS: Final = word_set("as of in on at to by from with into over under above across through near")
# Words that say nothing about the picture; whatever else is neither read nor one of these is reported.
FILLERS: Final = (
    ARTICLES
    | PREPOSITIONS
    | word_set(
        "is are be being do does and or but only just then while please show make create draw video clip film"
    )
    | word_set("picture image animation poster scene s nothing")
)
TURNS: Final = word_set("but while then only just")  # after them something else is said

_DENIALS: Final = word_set(
    "no not never nor neither none nothing without except excluding excepting cannot instead avoid minus lacking sans "
    "forget skip dont doesnt isnt arent wont cant non"
)
_IN_TWO_WORDS: Final = frozenset(
    {
        ("never", "mind"),
        ("other", "than"),
        ("rather", "than"),
        ("apart", "from"),
        ("aside", "from"),
        ("free", "of"),
    }
)
_ALL: Final = word_set("any anything all everything every anywhere everywhere")


def words_of(prompt: str) -> tuple[list[str], set[int]]:
    """The words and symbols, in small letters, and before which of them a clause ended."""
    words, breaks = list[str](), set[int]()
    plain = unicodedata.normalize("NFKC", prompt).lower().replace("\u2019", "'")
    for found in _TOKEN.findall(plain):
        if found[0].isalnum() or _is_symbol(found):
            words.append(found)
        elif found in _BREAKS:
            breaks.add(len(words))
    return words, breaks


def denial_at(words: Sequence[str], start: int) -> int:
    """Words of the expression that begins there and denies what comes after it; 0 where none does.

    "Anything but red" leaves red out, and so does "any colour but red"; "nothing but red" asks for it.
    """
    word, after = words[start], tuple(words[start + 1 : start + 3])
    if (word, *after[:1]) in _IN_TWO_WORDS:
        return 2
    if word in _ALL and "but" in after:
        return after.index("but") + 2
    if word == "nothing" and after[:1] == ("but",):
        return 0
    return int(word in _DENIALS or word.endswith("n't"))


def _is_symbol(token: str) -> bool:
    """Pictures and signs; what every keyboard has beside letters says nothing."""
    return any(not sign.isascii() and unicodedata.category(sign).startswith("S") for sign in token)
