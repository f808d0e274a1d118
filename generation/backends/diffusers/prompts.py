"""Completes prompts for a checkpoint that knows a small world only, from the `vocabulary.json` in its folder.

Such a model draws mixtures where a prompt leaves something open. So what the prompt names is read from it, what it
leaves open is filled from the seed, and the sentence that is rendered always names everything, in one order.
"""

from __future__ import annotations

import json
import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_WORD: Final = re.compile(r"[^\W_]+")
# Attributes are chosen in this order: a colour that a scene would swallow is not drawn for it.
_ORDER: Final = ("scene", "subject", "colour", "motion")


@dataclass(frozen=True, slots=True)
class _Mention:
    """A wording found in a prompt: where (first word, words), what it means, how it will be written."""

    start: int
    length: int
    attribute: str
    value: str
    wording: str


class SmallWorld:
    """The values of the four attributes, and the words that mean them."""

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

    def complete(self, prompt: str, seed: int) -> str:
        """One sentence that names subject, colour, motion and scene; the same prompt and seed give the same one.

        Each attribute has its own draw: naming one does not change what the seed chooses for the others.
        """
        found = self._read(prompt)
        said = {attribute: found[attribute].wording for attribute in found}
        scene = found["scene"].value if "scene" in found else None
        for attribute in _ORDER:
            if attribute in said:
                continue
            value = self._draw(attribute, seed, avoid=self._unlikely.get(scene or "", []))
            said[attribute] = self._says[attribute][value][0]
            scene = value if attribute == "scene" else scene
        article = "an" if said["colour"][0] in "aeiou" else "a"
        return f"{article} {said['colour']} {said['subject']} {said['motion']} {said['scene']}"

    def _learn(self, phrase: str, attribute: str, value: str, wording: str) -> None:
        self._readings.setdefault(tuple(phrase.split()), []).append((attribute, value, wording))

    def _draw(self, attribute: str, seed: int, avoid: list[str]) -> str:
        values = list(self._says[attribute])
        if attribute == "colour":
            values = [value for value in values if value not in avoid]
        return random.Random(f"{seed}:{attribute}").choice(values)  # noqa: S311 (a picture, not a secret)

    def _read(self, prompt: str) -> dict[str, _Mention]:
        mentions = list(self._mentions(_words(prompt)))
        found: dict[str, _Mention] = {}
        for mention in mentions:
            found.setdefault(mention.attribute, mention)
        if "subject" in found:
            before = found["subject"].start
            for mention in mentions:
                if mention.attribute == "colour" and mention.start + mention.length == before:
                    found["colour"] = mention  # "over a blue lake a red boat": the boat is red
        return found

    def _mentions(self, words: list[str]) -> Iterator[_Mention]:
        """Longest wordings first, left to right, none overlapping: "under the stars" is a scene, not a star."""
        start = 0
        taken: set[str] = set()
        while start < len(words):
            length = self._longest
            while length and tuple(words[start : start + length]) not in self._readings:
                length -= 1
            for attribute, value, wording in self._readings.get(tuple(words[start : start + length]), []):
                if attribute not in taken or attribute == "colour":
                    taken.add(attribute)
                    yield _Mention(start, length, attribute, value, wording)
                    break
            start += max(length, 1)


def _words(prompt: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", prompt).lower())
