"""A client of `/v1` inside the test's process: the whole chain of middleware, no network."""

from __future__ import annotations

import json
from typing import Any

from django.http.response import HttpResponseBase
from django.test import Client

from access.caller import Caller
from access.kinds import TokenKind
from roles.roles import Role

PROBLEM = "application/problem+json"


class Api:
    """Paths are given without `/v1`. A dictionary goes out as JSON; `form=` as multipart."""

    def __init__(self, token: str | None) -> None:
        self.token = token
        self._client = Client(enforce_csrf_checks=True, raise_request_exception=False)

    @staticmethod
    def kind_of(caller: Caller) -> TokenKind:
        if caller.membership is not None:
            return TokenKind.ARTIST
        return TokenKind.OPERATOR if Role.OPERATOR in caller.roles else TokenKind.REVIEWER

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, headers=headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.send("DELETE", path, headers=headers)

    def post(
        self,
        path: str,
        body: dict[str, Any] | None = None,
        *,
        form: dict[str, Any] | None = None,
        **headers: str,
    ) -> Answer:
        if form is not None:
            return self._answer(self._client.post(f"/v1{path}", form, headers=self._headers(headers)))
        return self.send("POST", path, json.dumps(body or {}).encode(), "application/json", headers=headers)

    def send(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        content_type: str = "application/octet-stream",
        *,
        headers: dict[str, str] | None = None,
        **extra: Any,
    ) -> Answer:
        """Whatever it is, as it is."""
        sent = self._client.generic(
            method, f"/v1{path}", body, content_type, headers=self._headers(headers or {}), **extra
        )
        return self._answer(sent)

    def _headers(self, headers: dict[str, str]) -> dict[str, str]:
        bearer = {"authorization": f"Bearer {self.token}"} if self.token else {}
        return bearer | {name.replace("_", "-"): value for name, value in headers.items()}

    @staticmethod
    def _answer(response: HttpResponseBase) -> Answer:
        return Answer(response)


class Answer:
    """`json` is the body; for files, `body`."""

    def __init__(self, response: Any) -> None:
        self.status: int = response.status_code
        self.headers = response.headers
        self.body: bytes = b"".join(response.streaming_content) if response.streaming else response.content

    @property
    def json(self) -> dict[str, Any]:
        decoded: dict[str, Any] = json.loads(self.body)
        return decoded

    def refused(self, status: int, code: str) -> dict[str, Any]:
        """The body of a refusal, after looking that it is one, whole, of that status and code."""
        assert self.status == status, (self.status, self.body[:300])
        assert self.headers["Content-Type"] == PROBLEM
        assert self.headers["x-request-id"]
        body = self.json
        assert (body["status"], body["code"]) == (status, code), body
        assert body["detail"]
        assert body["title"]
        assert body["type"].endswith(f"/v1/problems/{code}")
        assert body["instance"] == f"urn:request:{self.headers['x-request-id']}"
        error = body["error"]
        assert (error["message"], error["code"]) == (body["detail"], code)
        assert set(error) == {"message", "type", "param", "code"}
        return body

    def ok(self) -> dict[str, Any]:
        assert self.status == 200, (self.status, self.body[:500])
        assert self.headers["x-request-id"]
        return self.json
