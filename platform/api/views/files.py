"""Files of clips. Delivery decides and sends; these two only say whose file is meant."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.request import Request

from access import gate
from api.base import ApiView
from api.inputs import flat
from api.negotiation import AnyNegotiation
from api.views.videos import own
from core.errors import Invalid, NotFound, WrongState
from delivery import serve
from generation.states import VideoState

# OpenAI's three, and ours.
_KINDS = {
    "video": "mp4",
    "thumbnail": "poster",
    "spritesheet": "sprite",
    "spritesheet.vtt": "vtt",
    "contact_sheet": "sheet",
}
_SPRITE = "content?variant=spritesheet"
"""What a VTT calls its sprite here, relative to its own address."""


class FileView(ApiView):
    content_negotiation_class = AnyNegotiation

    def kind(self) -> str:
        """`variant` of the query as a kind of file. Raises Invalid."""
        variant = flat(self.request.query_params).get("variant", "video")
        if variant not in _KINDS:
            sentence = f"“variant” is one of {', '.join(_KINDS)}, not “{variant[:40]}”."
            raise Invalid("invalid_request", sentence, fields={"variant": sentence})
        return _KINDS[variant]


class VideoContent(FileView):
    def get(self, request: Request, video: str) -> HttpResponseBase:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        kind = self.kind()
        try:
            return serve.own_file(self.caller, video, kind, request._request, now=self.now, sprite=_SPRITE)
        except NotFound:
            row = own(self.caller, video)
            if row.state == VideoState.COMPLETED:
                raise
            raise WrongState("not_completed", f"There is no file yet: this render is {row.state}.") from None


class CaseContent(FileView):
    def get(self, request: Request, case: str) -> HttpResponseBase:
        gate.check_may(self.caller, gate.Action.REVIEW)
        return serve.case_file(self.caller, case, self.kind(), request._request, now=self.now, sprite=_SPRITE)
