"""Completes prompts for a checkpoint that knows a small world only, from the `vocabulary.json` in its folder.

Such a model draws mixtures where a prompt leaves something open. So what the prompt names is read from it, what it
leaves open is filled from the seed, and the sentence that is rendered always names everything, in one order.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
# Attributes are chosen in this order: a colour that a scene would swallow is not drawn for it.
_ORDER: Final = ("scene", "subject", "colour", "motion", "size", "place")
# Words that say nothing about the picture; whatever else is neither read nor one of these is reported.
_FILLERS: Final = frozenset(
    re.findall(
        r"\w+",
        "a an the one this that it they its his her their some there is are be being and or then while as of in on "
        "at to by from with into over under above across through near please show make create draw video clip film "
        "picture image animation poster scene",
    )
)


@dataclass(frozen=True, slots=True)
class Completed:
    """The sentence that is rendered, and the words of the prompt that this world has no meaning for, in order."""

    prompt: str
    ignored: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Mention:
    """A wording found in a prompt: where (first word, words), what it means, how it will be written."""

    start: int
    length: int
    attribute: str
    value: str
    wording: str


class SmallWorld:
    """The values of the attributes, and the words that mean them."""

    def __init__(self, vocabulary: Path) -> None:
        entries = json.loads(vocabulary.read_text(encoding="utf-8"))
        self._says: dict[str, dict[str, list[str]]] = {
            attribute: {value: entry["says"] for value, entry in values.items()}
            for attribute, values in entries["attributes"].items()
        }
        self._unlikely: dict[str, list[str]] = entries["unlikely"]
        self._readings: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
        for attribute, values in entries["attributes"].items():
            for value, entry in values.items():
                for phrase in entry["says"]:
                    self._learn(phrase, attribute, value, phrase)
                for phrase in entry["means"]:
                    self._learn(phrase, attribute, value, entry["says"][0])
        self._longest = max(map(len, self._readings))

    def complete(self, prompt: str, seed: int, earlier: str = "") -> Completed:
        """A sentence that names every attribute; the same words and seed give the same one.

        What the prompt leaves open is as in `earlier`, where that names it. Of the rest each attribute has its own
        draw: naming one does not change what the seed chooses for the others.
        """
        mentions, ignored = self._mentions(_words(prompt))
        found = _chosen(self._mentions(_words(earlier))[0]) | _chosen(mentions)
        values = {attribute: mention.value for attribute, mention in found.items()}
        said = {attribute: mention.wording for attribute, mention in found.items()}
        for attribute in _ORDER:
            if attribute in said or attribute not in self._says:
                continue
            values[attribute] = self._draw(
                attribute, seed, avoid=self._unlikely.get(values.get("scene", ""), [])
            )
            said[attribute] = self._says[attribute][values[attribute]][0]
        return Completed(_sentence(said), ignored)

    def _learn(self, phrase: str, attribute: str, value: str, wording: str) -> None:
        self._readings.setdefault(tuple(phrase.split()), []).append((attribute, value, wording))

    def _draw(self, attribute: str, seed: int, avoid: list[str]) -> str:
        values = list(self._says[attribute])
        if attribute == "colour":
            values = [value for value in values if value not in avoid]
        return random.Random(f"{seed}:{attribute}").choice(values)  # noqa: S311 (a picture, not a secret)

    def _mentions(self, words: list[str]) -> tuple[list[_Mention], tuple[str, ...]]:
        """Longest wordings first, left to right, none overlapping: "under the stars" is a scene, not a star.

        The second part are the words that have no meaning here, each once.
        """
        start = 0
        taken: set[str] = set()
        mentions, unknown = list[_Mention](), dict[str, None]()
        while start < len(words):
            length = self._longest
            while length and tuple(words[start : start + length]) not in self._readings:
                length -= 1
            for attribute, value, wording in self._readings.get(tuple(words[start : start + length]), []):
                if attribute not in taken or attribute == "colour":
                    taken.add(attribute)
                    mentions.append(_Mention(start, length, attribute, value, wording))
                    break
            if not length and words[start] not in _FILLERS:
                unknown[words[start]] = None
            start += max(length, 1)
        return mentions, tuple(unknown)


def _chosen(mentions: Iterable[_Mention]) -> dict[str, _Mention]:
    """The first mention of each attribute, but the colour right before the subject: "over a blue lake a red boat"."""
    mentions = list(mentions)
    found: dict[str, _Mention] = {}
    for mention in mentions:
        found.setdefault(mention.attribute, mention)
    if "subject" in found:
        before = found["subject"].start
        for mention in mentions:
            if mention.attribute == "colour" and mention.start + mention.length == before:
                found["colour"] = mention
    return found


def _sentence(said: dict[str, str]) -> str:
    who = " ".join(said[name] for name in ("size", "colour", "subject") if name in said)
    article = "an" if who[0] in "aeiou" else "a"
    if "place" not in said:
        return f"{article} {who} {said['motion']} {said['scene']}"
    return f"{article} {who} {said['motion']}, {said['place']}, {said['scene']}"


def _words(prompt: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", prompt).lower())
