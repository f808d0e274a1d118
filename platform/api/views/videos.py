"""Renders: ask, list, read, stop, delete. Bodies and answers as OpenAI's `client.videos` sends and reads them."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from access import gate
from access.caller import Caller
from api import orders
from api import representations as shapes
from api.base import ApiView, answer
from api.orders import membership_of
from core.errors import Invalid, NotFound
from generation import progress, status
from generation.progress import Step
from generation.services import requests
from generation.states import VideoState
from generation.status import VideoStatus
from review import queries as review
from review.queries import ShareState
from review.services import shares

POLL_AFTER_MS = "2000"
"""OpenAI's clients read this once and keep to it, so it must suit the whole render and not the moment."""


class Videos(ApiView):
    largest_file = orders.LARGEST_PICTURE

    def get(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        page = self.page()
        rows = status.statuses(
            membership_of(self.caller), limit=page.limit + 1, after=page.after, ascending=page.ascending
        )
        if rows is None:
            sentence = "“after” is not one of your videos."
            raise Invalid("bad_cursor", sentence, fields={"after": sentence})
        return answer(shapes.listing(shown(self, rows[: page.limit]), has_more=len(rows) > page.limit))

    def post(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.RENDER)
        fields = self.fields()
        order, picture = orders.order_of(fields)
        orders.check(fields, self.caller, order)
        return asked(self, orders.submit(self.caller, order, picture, now=self.now))


class OneVideo(ApiView):
    def get(self, request: Request, video: str) -> Response:
        """What clients repeat until the end: one statement beside the token's, and one for its share once finished."""
        gate.check_may(self.caller, gate.Action.READ_OWN)
        row = own(self.caller, video)
        share = _shares(self, [row]).get(row.id, _PRIVATE)
        body = shapes.video(row, share=share, step=_steps([row]).get(video))
        return answer(body, headers={"openai-poll-after-ms": POLL_AFTER_MS})

    def delete(self, request: Request, video: str) -> Response:
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        own(self.caller, video)
        shares.delete_clip(video=video, by=self.caller.actor, now=self.now)
        return answer({"id": video, "object": "video.deleted", "deleted": True})


class Cancel(ApiView):
    def post(self, request: Request, video: str) -> Response:
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        self.no_fields()
        membership = membership_of(self.caller)
        requests.cancel(video=video, membership_id=membership, by=self.caller.actor, now=self.now)
        return answer(shapes.video(own(self.caller, video)))


_PRIVATE = ShareState()


def asked(view: ApiView, takes: tuple[str, ...]) -> Response:
    """The answer to an order: its first take, with the ids of all."""
    row = status.status(takes[0], membership_of(view.caller))
    if row is None:
        raise NotFound("not_found", "This video was deleted while we wrote to you.")
    body = shapes.video(row) | {"takes": list(takes)}
    return answer(body, headers={"openai-poll-after-ms": POLL_AFTER_MS})


def shown(view: ApiView, rows: list[VideoStatus]) -> list[dict[str, Any]]:
    """Videos with their shares and their progress: one statement; four where one was ever submitted."""
    steps, states = _steps(rows), _shares(view, rows)
    return [
        shapes.video(row, share=states.get(row.id, _PRIVATE), step=steps.get(row.public_id)) for row in rows
    ]


def own(caller: Caller, video: str) -> VideoStatus:
    """The caller's own video. Raises NotFound for anybody else's, for a deleted one, and for none."""
    row = status.status(video, membership_of(caller))
    if row is None:
        raise NotFound("not_found", "There is no such video.")
    return row


def _steps(rows: list[VideoStatus]) -> dict[str, Step]:
    return progress.latest(row.public_id for row in rows if row.state == VideoState.IN_PROGRESS)


def _shares(view: ApiView, rows: list[VideoStatus]) -> dict[int, ShareState]:
    """Only a finished clip can have been shared."""
    finished = [row.id for row in rows if row.state == VideoState.COMPLETED]
    return review.share_state(finished, now=view.now) if finished else {}
