"""One server's `/v1/videos`: each call is one request and its answer, or one of three kinds of fault."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import httpx

from generation.backends.remote import answers
from generation.backends.remote.address import Address, same_server
from generation.backends.remote.answers import Job, Model, Unwell
from generation.backends.remote.guard import PublicTransport
from generation.backends.remote.limits import Limits
from generation.errors import EngineError, RenderCancelled, Transient
from generation.spec import Cancelled

_LONGEST_ANSWER = 1 << 20  # bytes
_HOPS = 5
_GLANCE = 0.2  # seconds between two looks at whether a download is still wanted
_AGENT = "private-view"
_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp"}

for _name in ("httpx", "httpcore"):  # they would write signed addresses into the log
    logging.getLogger(_name).setLevel(logging.WARNING)


class Server:
    """Thread-safe. Answers are JSON of at most a megabyte; the token goes to this server alone."""

    def __init__(self, address: Address, limits: Limits, away: httpx.BaseTransport | None = None) -> None:
        self._address = address
        self._limits = limits
        self._away = away
        self._timeout = httpx.Timeout(limits.silence, connect=limits.connect)
        bearer = {"authorization": f"Bearer {address.token}"} if address.token else {}
        self._home = httpx.Client(
            headers={"user-agent": _AGENT, "accept": "application/json"} | bearer,
            timeout=self._timeout,
            follow_redirects=False,
        )

    def close(self) -> None:
        self._home.close()

    def model(self) -> Model:
        """What it says of its model; an empty answer from one that lists none."""
        status, _, body = self._ask("GET", "/models")
        if status in (401, 403):
            raise answers.refused(status, body)
        return answers.model(body, self._address.model) if status == httpx.codes.OK else Model()

    def order(self, fields: dict[str, str], image: Path | None) -> Job:
        """Ask for a render. Raises SpecRejected with the server's words, EngineError, or Unwell.

        As a form, which is what vLLM-Omni reads and every other server reads too; the picture as a file in it.
        """
        parts: list[tuple[str, Any]] = [(name, (None, value)) for name, value in fields.items()]
        if image:
            kind = _TYPES.get(image.suffix.lower(), "application/octet-stream")
            parts.append(("input_reference", (f"reference{image.suffix.lower()}", image.read_bytes(), kind)))
        status, headers, body = self._ask("POST", "/videos", files=parts)
        if status >= httpx.codes.BAD_REQUEST:
            raise answers.refused(status, body)
        return answers.job(body, headers)

    def read(self, job: Job) -> Job:
        """The job as it stands now. Raises Transient when the server has forgotten it, EngineError, or Unwell."""
        status, headers, body = self._ask("GET", f"/videos/{job.id}")
        if status in (httpx.codes.NOT_FOUND, httpx.codes.GONE):
            raise Transient("The server has forgotten the job.")
        if status >= httpx.codes.BAD_REQUEST:
            raise EngineError(f"The server answers {status} where a job should be read.")
        found = answers.job(body, headers)
        if found.id != job.id:
            raise EngineError("The server answers with another job.")
        return found

    def dismiss(self, job: Job, *, stop: bool) -> None:
        """Have a job and its file removed, and stopped before; as far as the server cares to."""
        calls = (("POST", f"/videos/{job.id}/cancel"), ("DELETE", f"/videos/{job.id}"))
        for method, path in calls if stop else calls[1:]:
            with suppress(EngineError):
                self._ask(method, path, longest=self._limits.goodbye)

    def download(self, job: Job, cancelled: Cancelled) -> int:
        """The finished clip as a file without a name: its descriptor, which is the caller's to close.

        Redirects are followed on the server itself, and to public addresses over https without any credentials.
        Raises Transient for anything that is no whole film, EngineError for what would never be one.
        """
        url = httpx.URL(f"{self._address.url}/videos/{job.id}/content")
        at_home, deadline = True, time.monotonic() + self._limits.download
        for _ in range(_HOPS):
            at_home = at_home and same_server(url, httpx.URL(self._address.url))
            with self._client(at_home) as client:
                found = self._fetch(client, url, cancelled, deadline, at_home=at_home)
            if isinstance(found, int):
                return found
            url = found
        raise EngineError("The server sends us from one address to the next for a file.")

    def _client(self, at_home: bool) -> AbstractContextManager[httpx.Client]:
        """The lasting client, which stays open, or one that knows no token, for a single answer."""
        if at_home:
            return nullcontext(self._home)
        transport = self._away or PublicTransport()
        return httpx.Client(
            transport=transport, headers={"user-agent": _AGENT}, timeout=self._timeout, follow_redirects=False
        )

    def _fetch(
        self, client: httpx.Client, url: httpx.URL, cancelled: Cancelled, deadline: float, *, at_home: bool
    ) -> int | httpx.URL:
        """One hop: a descriptor, or where to go on."""
        wanted = {"accept": "video/*, application/octet-stream;q=0.9", "accept-encoding": "identity"}
        try:
            with client.stream("GET", url, headers=wanted) as response:
                if response.next_request:
                    return response.next_request.url
                _check_is_film(response, at_home=at_home)
                return self._save(response, cancelled, deadline)
        except httpx.RequestError as fault:
            raise _unwell(fault) from None

    def _save(self, response: httpx.Response, cancelled: Cancelled, deadline: float) -> int:
        most = self._limits.file_bytes
        if int(response.headers.get("content-length") or 0) > most:
            raise EngineError(f"The server's file is larger than {most} bytes.")
        size, looked = 0, time.monotonic()
        with tempfile.TemporaryFile() as file:
            for piece in response.iter_raw():
                size, now = size + len(piece), time.monotonic()
                if size > most:
                    raise EngineError(f"The server's file is larger than {most} bytes.")
                if now > deadline:
                    raise Transient("The server's file does not arrive in time.")
                if now - looked > _GLANCE:
                    looked = now
                    if cancelled():
                        raise RenderCancelled
                file.write(piece)
            file.flush()
            return os.dup(file.fileno())

    def _ask(
        self, method: str, path: str, *, longest: float | None = None, **body: Any
    ) -> tuple[int, httpx.Headers, object]:
        """Status below 500, headers and the JSON of a whole answer."""
        longest = longest or self._limits.answer
        deadline = time.monotonic() + longest
        timeout = httpx.Timeout(min(longest, self._limits.silence), connect=self._limits.connect)
        url = f"{self._address.url}{path}"
        try:
            with self._home.stream(method, url, timeout=timeout, **body) as response:
                text = _whole(response, deadline)
        except httpx.RequestError as fault:
            raise _unwell(fault) from None
        if self._address.token:  # some servers repeat it in what they say about it
            text = text.replace(self._address.token.encode(), b"...")
        return response.status_code, response.headers, _judged(response, text)


def _whole(response: httpx.Response, deadline: float) -> bytes:
    text = bytearray()
    for piece in response.iter_bytes():
        text += piece
        if len(text) > _LONGEST_ANSWER:
            raise EngineError("The server's answer has no end.")
        if time.monotonic() > deadline:
            raise Unwell("The server does not come to the end of its answer.")
    return bytes(text)


def _judged(response: httpx.Response, text: bytes) -> object:
    """The body of an answer that is one."""
    status = response.status_code
    try:
        body: object = json.loads(text)
    except (ValueError, RecursionError):
        body = None
        if status < httpx.codes.MULTIPLE_CHOICES:
            raise Unwell(f"The server answers {status} with what is no JSON.") from None
    if httpx.codes.MULTIPLE_CHOICES <= status < httpx.codes.BAD_REQUEST:
        raise EngineError(f"The server answers {status}: its address is another one.")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR or status in (408, 425, 429):
        words, busy = answers.sentence(body), status in (429, 503)
        fault = f"The server answers {status}. {words}".strip()
        if response.headers.get("x-should-retry") == "false":
            raise Transient(fault)
        raise Unwell(fault, wait=answers.wait_of(response.headers), untaken=busy)
    return body


def _check_is_film(response: httpx.Response, *, at_home: bool) -> None:
    status = response.status_code
    if status in (401, 403) and at_home:
        raise EngineError(f"The server does not let us have the file ({status}).")
    if status != httpx.codes.OK:
        raise Unwell(
            f"The server answers {status} where a file should be.", wait=answers.wait_of(response.headers)
        )
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if (
        kind
        and not kind.startswith("video/")
        and kind not in ("application/octet-stream", "binary/octet-stream")
    ):
        raise Transient(f"The server sends {answers.plain(kind, 40)} where a film should be.")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise Transient("The server sends the film packed, which we did not ask for.")


def _unwell(fault: httpx.RequestError) -> Unwell:
    untaken = isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout)
    if isinstance(fault, httpx.TimeoutException):
        return Unwell("The server does not answer in time.", untaken=untaken)
    return Unwell(
        f"The server cannot be reached, or breaks off: {answers.plain(str(fault), 200)}", untaken=untaken
    )
