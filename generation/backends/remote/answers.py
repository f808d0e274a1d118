"""What a server says, read with suspicion: nothing of it reaches anybody before it was looked at.

The four states are those of OpenAI's videos; `progress` is a percentage. A fault is told in one of three shapes:
OpenAI's `{"error": {"code", "message", "param"}}`, a problem document's `detail`, FastAPI's list of `{"loc", "msg"}`.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any

from generation.errors import EngineError, SpecRejected, Transient

STATES = ("queued", "in_progress", "completed", "failed")
_SENTENCE = 300  # characters of a server's own words that are shown
_PROMPT = 8000
_WORDS = 50
# What an artist can change, by codes that another Private View uses too; all else that is refused has one code.
_STABLE = re.compile(r"prompt_too_long|invalid_seed|images_unsupported|unsupported_(size|length|steps)")
_MODERATION = re.compile(r"moderation|content_policy|content_filter|safety|nsfw")
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._:~-]{0,199}")


class Unwell(Transient):
    """The server did not answer as it should, and may in a moment. `wait`: the seconds that it asks for.

    `untaken` is true when the request has certainly changed nothing, so that it can be repeated.
    """

    def __init__(self, sentence: str, *, wait: float | None = None, untaken: bool = False) -> None:
        super().__init__(sentence)
        self.wait = wait
        self.untaken = untaken


@dataclass(frozen=True, slots=True)
class Job:
    """A render at the server. `fault` says why it failed; `pause` is how long it asks to be left alone, in seconds."""

    id: str
    state: str
    percent: int
    completed_prompt: str
    ignored_words: tuple[str, ...]
    fault: EngineError | None
    pause: float | None


def job(body: object, headers: Mapping[str, str]) -> Job:
    """A video object. Raises EngineError for one that no client could follow."""
    told = body if isinstance(body, dict) else {}
    number, state, percent = told.get("id"), told.get("status"), told.get("progress")
    if not isinstance(number, str) or not _ID.fullmatch(number):
        raise EngineError("The server's answer names no job.")
    if state not in STATES:
        raise EngineError(f"The server says “{plain(state, 40)}” of a job, which is no state that we know.")
    return Job(
        id=number,
        state=state,
        percent=percent if type(percent) is int and 0 <= percent <= 100 else 0,
        completed_prompt=plain(told.get("completed_prompt"), _PROMPT),
        ignored_words=_texts(told.get("ignored_words")),
        fault=failed(told.get("error")) if state == "failed" else None,
        pause=_milliseconds(headers.get("openai-poll-after-ms")),
    )


def failed(error: object) -> EngineError:
    """Why a job failed: the artist's to change, or worth another try."""
    told: dict[str, Any] = error if isinstance(error, dict) else {}
    code, words = str(told.get("code") or ""), sentence({"error": told})
    if _MODERATION.search(code):
        return SpecRejected("moderation_blocked", words or "The server does not render this.")
    if _STABLE.fullmatch(code):
        return SpecRejected(code, words or "The server cannot render this.")
    if code in ("400", "422"):  # vLLM-Omni names its failures by the status that they would have had
        return SpecRejected("refused_by_server", words or "The server cannot render this.")
    return Transient(
        f"The render failed at the server ({plain(code, 40) or 'no code'}): {words or 'no reason'}"
    )


def refused(status: int, body: object) -> EngineError:
    """What a status from 400 to 499 means that another try would not change."""
    told = _error_of(body)
    code, words = str(told.get("code") or ""), sentence(body)
    if _MODERATION.search(code):
        return SpecRejected("moderation_blocked", words or "The server does not render this.")
    if status in (401, 403):
        return EngineError(
            f"The server does not let us render ({status} {plain(code, 40)}).".replace(" )", ")")
        )
    if status not in (400, 413, 415, 422) or not words:
        return EngineError(f"The server answers {status} where it should take a job. {words}".strip())
    if "model" in code or told.get("param") == "model":
        return EngineError(f"The server does not have this model. {words}")
    return SpecRejected(code if _STABLE.fullmatch(code) else "refused_by_server", words)


def sentence(body: object) -> str:
    """A server's own words about a fault, shortened and without control characters; "" when there are none."""
    words: object = _error_of(body).get("message")
    if not words and isinstance(body, dict):
        words = body.get("detail") or body.get("message")
    if isinstance(words, list):
        words = "; ".join(_complaint(entry) for entry in words[:5])
    text = plain(words, _SENTENCE)
    return text if not text or text[-1] in ".!?…" else f"{text}."


def plain(text: object, longest: int) -> str:
    """Text without control and formatting characters, on one line, of at most so many characters; "" for no text."""
    if not isinstance(text, str):
        return ""
    kept = (
        " " if letter.isspace() else letter
        for letter in text[: 4 * longest]
        if letter.isspace() or unicodedata.category(letter)[0] != "C"
    )
    line = " ".join("".join(kept).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def wait_of(headers: Mapping[str, str]) -> float | None:
    """Seconds that a server asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as a date (RFC 9110)."""
    if (exact := _milliseconds(headers.get("retry-after-ms"))) is not None:
        return exact
    told = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", told):
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class Model:
    """What a server says of its model, where it does. Without a word of it, `images` is worth a try.

    `identity` holds what names the weights, and nothing that changes from day to day.
    """

    sizes: tuple[tuple[int, int], ...] = ()
    lengths: tuple[int, ...] = ()
    images: bool = True
    identity: tuple[tuple[str, str], ...] = ()


_IDENTITY = ("id", "owned_by", "root", "parent", "revision", "checkpoint", "steps", "fps")


def model(body: object, name: str) -> Model:
    """The entry of that name in a list of models; of the only one when `name` is empty."""
    rows = body.get("data") if isinstance(body, dict) else None
    found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    found = [row for row in found if row.get("id") == name] if name else found
    if len(found) != 1:
        return Model()
    told = found[0]
    return Model(
        sizes=tuple(size for text in _texts(told.get("sizes")) if (size := _size(text))),
        lengths=tuple(int(text) for text in _texts(told.get("seconds")) if re.fullmatch(r"[0-9]{1,4}", text)),
        images=told.get("images") is not False,
        identity=tuple((key, plain(str(told[key]), 200)) for key in _IDENTITY if key in told),
    )


def _error_of(body: object) -> dict[str, Any]:
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, dict) else {}


def _complaint(entry: object) -> str:
    told = entry if isinstance(entry, dict) else {}
    place = told.get("loc")
    name = str(place[-1]) if isinstance(place, list) and place else ""
    return f"{name}: {told.get('msg')}" if name else str(told.get("msg") or "")


def _texts(value: object) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else []
    return tuple(plain(entry, 80) for entry in listed[:_WORDS] if isinstance(entry, str))


def _size(text: str) -> tuple[int, int] | None:
    matched = re.fullmatch(r"([0-9]{1,5})x([0-9]{1,5})", text)
    return (int(matched[1]), int(matched[2])) if matched else None


def _milliseconds(text: str | None) -> float | None:
    return float(text) / 1000 if text and re.fullmatch(r"[0-9]{1,9}", text.strip()) else None
