"""Asking to share a clip, what became of it, and taking it back."""

from __future__ import annotations

from typing import TypedDict

from rest_framework.request import Request
from rest_framework.response import Response

from access import gate
from api import representations as shapes
from api.base import ApiView, answer
from api.inputs import Fields
from api.orders import membership_of
from api.views.about import programme_of
from api.views.videos import own
from core.errors import WrongState
from generation.status import VideoStatus
from review import queries as review
from review.queries import ShareState
from review.services import shares, submissions
from review.states import RevokerRole, ShareWord

NO_TITLE = "Give the clip a title; it stands under it in the gallery."


class Share(ApiView):
    """The state of sharing of one clip of the caller's."""

    def get(self, request: Request, video: str) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        return self._answer(own(self.caller, video))

    def post(self, request: Request, video: str) -> Response:
        """Puts the clip before a reviewer, or answers the changes that were asked for."""
        gate.check_may(self.caller, gate.Action.ASK_TO_SHARE)
        row = own(self.caller, video)
        wish = _wish(self.fields())
        state = self._state(row)
        if state.state == ShareWord.CHANGES_ASKED and state.submission:
            submissions.resubmit(submission=state.submission, by=self.caller.actor, now=self.now, **wish)
        else:
            submissions.submit(video=video, by=self.caller.actor, now=self.now, **wish)
        return self._answer(row)

    def delete(self, request: Request, video: str) -> Response:
        """Withdraws what is in review; takes back what is on view."""
        gate.check_may(self.caller, gate.Action.REVOKE_OWN_SHARE)
        row = own(self.caller, video)
        state = self._state(row)
        if state.state == ShareWord.ON_VIEW and state.grant:
            role = RevokerRole.ARTIST
            shares.revoke(grant=state.grant, reason="", by=self.caller.actor, as_role=role, now=self.now)
        elif state.state in {ShareWord.IN_REVIEW, ShareWord.CHANGES_ASKED} and state.submission:
            submissions.withdraw(submission=state.submission, by=self.caller.actor, now=self.now)
        else:
            raise WrongState("not_shared", "This clip is neither in review nor on view.")
        return self._answer(row)

    def _state(self, row: VideoStatus) -> ShareState:
        return review.share_state([row.id], now=self.now)[row.id]

    def _answer(self, row: VideoStatus) -> Response:
        return answer({"object": "share.state", "video": row.public_id, **shapes.share_of(self._state(row))})


class Shares(ApiView):
    """An artist's own wishes to share; for an operator's token all shares of a programme."""

    def get(self, request: Request) -> Response:
        operates = self.caller.membership is None
        page = self.page("programme") if operates else self.page()
        limit = page.limit + 1
        if operates:
            gate.check_may(self.caller, gate.Action.REVOKE_ANY_SHARE)
            programme = programme_of(self.caller, request)
            rows = [shapes.grant(row) for row in review.grants(programme, limit=limit, after=page.after)]
        else:
            gate.check_may(self.caller, gate.Action.READ_OWN)
            own_rows = review.submissions_of(membership_of(self.caller), limit=limit, after=page.after)
            rows = [shapes.submission(row) for row in own_rows]
        return answer(shapes.listing(rows[: page.limit], has_more=len(rows) > page.limit))


class Revoke(ApiView):
    def post(self, request: Request, share: str) -> Response:
        """The artist takes back an own share; an operator any, and must say why."""
        operator = self.caller.membership is None
        gate.check_may(
            self.caller, gate.Action.REVOKE_ANY_SHARE if operator else gate.Action.REVOKE_OWN_SHARE
        )
        fields = self.fields()
        reason = fields.text("reason") or ""
        fields.check()
        role = RevokerRole.OPERATOR if operator else RevokerRole.ARTIST
        shares.revoke(grant=share, reason=reason, by=self.caller.actor, as_role=role, now=self.now)
        body = {"id": share, "object": "share", "url": shapes.share_url(share), "state": "revoked"}
        return answer(body | {"revoked_at": shapes.stamp(self.now), "revoked_by": str(role)})


class _Wish(TypedDict):
    title: str
    note: str
    show_prompt: bool
    show_seed: bool
    show_variant: bool


def _wish(fields: Fields) -> _Wish:
    wish = _Wish(
        title=fields.text("title", needed=NO_TITLE) or "",
        note=fields.text("note") or "",
        show_prompt=fields.switch("show_prompt"),
        show_seed=fields.switch("show_seed"),
        show_variant=fields.switch("show_variant"),
    )
    fields.check()
    return wish
