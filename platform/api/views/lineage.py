"""Clips that come from clips, the takes of a request, and what the artist thinks of them."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from access import gate
from api import orders
from api import representations as shapes
from api.base import ApiView, answer
from api.inputs import Fields
from api.orders import in_api_words, membership_of
from api.views.videos import asked, own, shown
from core.errors import NotFound
from generation import status
from generation.queries.kept import hit_rates
from generation.queries.lineage import lineage as tree
from generation.queries.settings import settings
from generation.services import choices, lineage, requests
from generation.services.lineage import Changes, FinalChanges, Onward

_CHOICES = {
    "star": choices.star,
    "unstar": choices.unstar,
    "discard": choices.discard,
    "restore": choices.restore,
}
BEGINS = (
    "A clip that goes on begins with the last picture of the one before. Remix that one to begin otherwise."
)
SEND_FIRST = "Here “input_reference” is {“file_id”: “ref_…”}: send the picture first."
_CHOICE = f"“choice” is one of {', '.join(_CHOICES)}."


class Remix(ApiView):
    def post(self, request: Request, video: str) -> Response:
        """Another clip with other words; what is not named is as in this one, the seed included."""
        gate.check_may(self.caller, gate.Action.RENDER)
        changes = _changes(self.fields())
        made = in_api_words(lambda: lineage.remix(caller=self.caller, video=video, now=self.now, **changes))
        return asked(self, made)


class Edits(ApiView):
    """OpenAI's name for a remix whose clip stands in the body."""

    largest_file = orders.LARGEST_VIDEO

    def post(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.RENDER)
        fields = self.fields()
        video = orders.clip_named(fields, self.caller)
        changes = _changes(fields)
        made = in_api_words(
            lambda: lineage.remix(caller=self.caller, video=video or "", now=self.now, **changes)
        )
        return asked(self, made)


class Extensions(ApiView):
    """A clip that goes on from the last picture of one that has rendered."""

    largest_file = orders.LARGEST_VIDEO

    def post(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.RENDER)
        fields = self.fields()
        for name in ("input_reference", "character"):
            fields.refuse(name, BEGINS)
        video = orders.clip_named(fields, self.caller)
        changes = _onward(fields)
        fields.check()
        made = in_api_words(
            lambda: lineage.extend(caller=self.caller, video=video or "", now=self.now, **changes)
        )
        return asked(self, made)


class Final(ApiView):
    def post(self, request: Request, video: str) -> Response:
        """The same seed and words with a variant that makes finals, in the take's style or in another one."""
        gate.check_may(self.caller, gate.Action.RENDER)
        fields = self.fields()
        orders.refuse_decided(fields)
        changes = FinalChanges(
            variant=fields.text("model"),
            seconds=fields.whole("seconds"),
            size=fields.text("size"),
            fps=fields.whole("fps"),
            style=fields.text("style"),
        )
        fields.check()
        made = in_api_words(lambda: lineage.final(caller=self.caller, video=video, now=self.now, **changes))
        return asked(self, made)


class Again(ApiView):
    def post(self, request: Request, video: str) -> Response:
        """The same frames once more."""
        gate.check_may(self.caller, gate.Action.RENDER)
        self.no_fields()
        return asked(self, in_api_words(lambda: lineage.again(caller=self.caller, video=video, now=self.now)))


class Choice(ApiView):
    def post(self, request: Request, video: str) -> Response:
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        fields = self.fields()
        choice = fields.text("choice", needed=_CHOICE)
        if choice is not None and choice not in _CHOICES:
            fields.faults["choice"] = _CHOICE
        fields.check()
        membership = membership_of(self.caller)
        _CHOICES[choice or ""](video=video, membership_id=membership, by=self.caller.actor, now=self.now)
        return answer(shapes.video(own(self.caller, video)))


class Settings(ApiView):
    def get(self, request: Request, video: str) -> Response:
        """All that it takes to make the clip once more."""
        gate.check_may(self.caller, gate.Action.READ_OWN)
        found = settings(video, membership_of(self.caller))
        if found is None:
            raise NotFound("not_found", "There is no such video.")
        return answer(found)


class Lineage(ApiView):
    def get(self, request: Request, video: str) -> Response:
        """What the clip came from, and what came from it."""
        gate.check_may(self.caller, gate.Action.READ_OWN)
        found = tree(video, membership_of(self.caller))
        if found is None:
            raise NotFound("not_found", "There is no such video.")
        return answer(shapes.lineage(found))


class OneRequest(ApiView):
    """All takes that were asked for together."""

    def get(self, request: Request, order: str) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        rows = status.takes(order, membership_of(self.caller))
        if not rows:
            raise NotFound("not_found", "There is no such request.")
        return answer(shapes.listing(shown(self, rows), has_more=False))


class CancelRequest(ApiView):
    def post(self, request: Request, order: str) -> Response:
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        self.no_fields()
        membership = membership_of(self.caller)
        requests.cancel_request(request=order, membership_id=membership, by=self.caller.actor, now=self.now)
        rows = status.takes(order, membership)
        return answer(shapes.listing(shown(self, rows), has_more=False))


class HitRates(ApiView):
    def get(self, request: Request) -> Response:
        """How many clips were kept of those that were made, by style and by variant."""
        gate.check_may(self.caller, gate.Action.READ_OWN)
        return answer(shapes.hit_rates(hit_rates(membership_of(self.caller))))


def _onward(fields: Fields, *, prompt: str | None = None) -> Onward:
    """What a clip is to have otherwise; `prompt` is the sentence where one must be there."""
    orders.refuse_decided(fields)
    changes = Onward(
        prompt=fields.text("prompt", needed=prompt),
        variant=fields.text("model"),
        seconds=fields.whole("seconds"),
        size=fields.text("size"),
        fps=fields.whole("fps"),
        seed=fields.whole("seed"),
        style=fields.text("style"),
        negative_prompt=fields.text("negative_prompt"),
    )
    takes = fields.whole("n")
    if takes is not None:
        changes["takes"] = takes
    return changes


def _changes(fields: Fields) -> Changes:
    """Likewise for one with words of its own, which may begin with another picture. Raises Invalid."""
    reference = fields.member("input_reference", "file_id")
    if fields.given("input_reference") and reference is None:
        fields.faults.setdefault("input_reference", SEND_FIRST)
    changes = Changes(
        **_onward(fields, prompt=orders.NO_PROMPT), reference=reference, character=fields.text("character")
    )
    fields.check()
    return changes
