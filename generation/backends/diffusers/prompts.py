"""Completes prompts for a checkpoint that knows a small world only, from the `vocabulary.json` in its folder.

Such a model draws mixtures where a prompt leaves something open. So what the prompt names is read from it, what it
leaves open is filled from the seed, and the sentence that is rendered always names everything, in one order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from generation.backends.diffusers.words import ARTICLES, FILLERS, PREPOSITIONS, TURNS, denial_at, words_of

# Attributes are chosen in this order: a colour that a scene would swallow is not drawn for it.
_ORDER: Final = ("scene", "subject", "colour", "motion", "size", "place")
# Takes have seeds in a row, and each attribute walks through its values by a root of its own (a Kronecker sequence): so
# neighbours differ. With two attributes left open, six to eight of eight takes differ, and of the roots of small primes
# these were best at that; with one open there can be no more than it has values, and the seed's path tells takes apart.
_ONE: Final = 2**64
_ROOTS: Final = {
    name: math.isqrt(prime * _ONE**2) % _ONE
    for name, prime in zip(_ORDER, (2, 19, 29, 7, 17, 5), strict=True)
}


_REACH: Final = 6  # words after a denial that it speaks of at most


@dataclass(frozen=True, slots=True)
class Completed:
    """The sentence that is rendered, and what of the prompt is not in it, in order.

    That is: words without a meaning here, wordings that lost against an earlier one for the same attribute, and what
    the prompt denies. The model is told what is there, never what is not.
    """

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


@dataclass(slots=True)
class _Reading:
    """What a prompt says: wordings in order, values that it denies, and by their place words that mean nothing here."""

    words: list[str]
    mentions: list[_Mention] = field(default_factory=list)
    denied: set[tuple[str, str]] = field(default_factory=set)
    unread: dict[int, str] = field(default_factory=dict)

    def unused(self, chosen: dict[str, _Mention]) -> tuple[str, ...]:
        """What is not said with the chosen mentions, each once, in the prompt's order."""
        lost = {
            mention.start: " ".join(self.words[mention.start : mention.start + mention.length])
            for mention in self.mentions
            if mention.value != chosen[mention.attribute].value
        }
        return tuple(dict.fromkeys(phrase for _, phrase in sorted((self.unread | lost).items())))


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

    def complete(self, prompt: str, seed: int, earlier: str = "", negative: str = "") -> Completed:
        """A sentence that names every attribute; the same words and seed give the same one.

        What the prompt leaves open is as in `earlier`, where that names it. Of the rest each attribute has its own
        draw: naming one does not change what the seed chooses for the others. Neither brings what the prompt denies
        or the `negative` prompt names, unless that leaves an attribute nothing; what the prompt asks for it gets.
        """
        reading = self._read(prompt)
        chosen = _chosen(reading.mentions)
        unwanted = reading.denied | self._named(negative)
        kept = {
            attribute: mention
            for attribute, mention in _chosen(self._read(earlier).mentions).items()
            if (attribute, mention.value) not in unwanted
        }
        found = kept | chosen
        values = {attribute: mention.value for attribute, mention in found.items()}
        said = {attribute: mention.wording for attribute, mention in found.items()}
        for attribute in _ORDER:
            if attribute in said or attribute not in self._says:
                continue
            avoid = {value for denied, value in unwanted if denied == attribute}
            unlikely = self._unlikely.get(values.get("scene", ""), []) if attribute == "colour" else []
            values[attribute] = self._draw(attribute, seed, avoid, unlikely)
            said[attribute] = self._says[attribute][values[attribute]][0]
        return Completed(_sentence(said), reading.unused(chosen))

    def _learn(self, phrase: str, attribute: str, value: str, wording: str) -> None:
        self._readings.setdefault(tuple(phrase.split()), []).append((attribute, value, wording))

    def _named(self, negative: str) -> set[tuple[str, str]]:
        """What a negative prompt names, denied there once more or not."""
        reading = self._read(negative)
        spans = ((it.start, it.length) for it in reading.mentions)
        every = (self._readings[tuple(reading.words[start : start + length])] for start, length in spans)
        return reading.denied | {(attribute, value) for meanings in every for attribute, value, _ in meanings}

    def _draw(self, attribute: str, seed: int, avoid: Collection[str], unlikely: Collection[str]) -> str:
        every = list(self._says[attribute])
        wanted = [value for value in every if value not in avoid] or every
        values = [value for value in wanted if value not in unlikely] or wanted
        return values[seed * _ROOTS[attribute] % _ONE * len(values) // _ONE]

    def _read(self, prompt: str) -> _Reading:
        """Longest wordings first, left to right, none overlapping: "under the stars" is a scene, not a star."""
        words, breaks = words_of(prompt)
        reading, taken, start = _Reading(words), set[str](), 0
        while start < len(words):
            length = self._length_at(words, start)
            if length:
                meanings = self._readings[tuple(words[start : start + length])]
                # A wording of two attributes fills the one that is open.
                meaning = next((other for other in meanings if other[0] not in taken), meanings[0])
                taken.add(meaning[0])
                reading.mentions.append(_Mention(start, length, *meaning))
            elif denial_at(words, start):
                length = self._denial(words, breaks, start, reading)
            elif words[start] not in FILLERS:
                reading.unread[start] = words[start]
            start += max(length, 1)
        return reading

    def _denial(self, words: list[str], breaks: set[int], start: int, reading: _Reading) -> int:
        """Notes what the denial at `start` speaks of; how many words that is, itself counted.

        It ends with its clause, at another denial, and where after what is denied something else begins: "no boat over
        the sea", "no boat and a kite".
        """
        end = told = said = start + denial_at(words, start)
        while end < len(words) and end <= start + _REACH and end not in breaks:
            word, length = words[end], max(self._length_at(words, end), 1)
            meanings = self._readings.get(tuple(words[end : end + length]), [])
            begins = word in ARTICLES or (
                word in PREPOSITIONS and not any(attribute == "motion" for attribute, _, _ in meanings)
            )
            if (begins and told > said and words[end - 1] != "or") or word in TURNS or denial_at(words, end):
                break
            end += length
            reading.denied.update((attribute, value) for attribute, value, _ in meanings)
            if meanings or word not in FILLERS:
                told = end
            if words[start] == "non" and meanings:  # "a non-red boat"
                break
        reading.unread[start] = " ".join(words[start:told])
        return told - start

    def _length_at(self, words: list[str], start: int) -> int:
        """Words of the longest wording that begins there, or 0."""
        for length in range(min(self._longest, len(words) - start), 0, -1):
            if tuple(words[start : start + length]) in self._readings:
                return length
        return 0


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
