"""What a render can be told beside its words: styles, pictures and characters of the member's own."""

from __future__ import annotations

from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.response import Response

from access import gate
from access.caller import Caller
from api import orders
from api import representations as shapes
from api.base import ApiView, answer
from api.negotiation import AnyNegotiation
from api.orders import membership_of
from core.errors import Invalid, NotAllowed, NotFound
from delivery import serve
from generation.look_rules import StyleSpec
from generation.queries.characters import CharacterView, own_character, own_characters
from generation.queries.references import ReferenceView, own_reference, own_references
from generation.queries.styles import StyleView, usable
from generation.services import characters, references, styles
from programme.queries import MembershipView

NO_PICTURE = "Send a PNG, JPEG or WebP as “file”, or name “video” and “second”."
EITHER = "Send “pictures” or “video”, not both."


class Styles(ApiView):
    def get(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        rows = usable(_member(self.caller))
        return answer(shapes.listing([shapes.style(row) for row in rows], has_more=False))

    def post(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        fields = self.fields()
        weight = fields.number("adapter_weight")
        spec = StyleSpec(
            name=fields.text("name", needed="Give the style a name.") or "",
            description=fields.text("description") or "",
            template=fields.text("template") or "{prompt}",
            negative_prompt=fields.text("negative_prompt") or "",
            guidance=fields.number("guidance"),
            adapter=fields.text("adapter"),
            adapter_weight=1.0 if weight is None else weight,
        )
        fields.check()
        made = styles.create(caller=self.caller, spec=spec, now=self.now)
        return answer(shapes.style(_style(self.caller, made)))


class OneStyle(ApiView):
    def get(self, request: Request, style: str) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        return answer(shapes.style(_style(self.caller, style)))

    def delete(self, request: Request, style: str) -> Response:
        """Retires a style of the member's own; clips that were made in it keep what they were made with."""
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        styles.retire(caller=self.caller, style=style, now=self.now)
        return answer({"id": style, "object": "style.deleted", "deleted": True})


class References(ApiView):
    largest_file = orders.LARGEST_PICTURE

    def get(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        page = self.page()
        rows = own_references(membership_of(self.caller), limit=page.limit + 1, after=page.after)
        if rows is None:
            sentence = "“after” is not one of your pictures."
            raise Invalid("bad_cursor", sentence, fields={"after": sentence})
        shown = [shapes.reference(row) for row in rows[: page.limit]]
        return answer(shapes.listing(shown, has_more=len(rows) > page.limit))

    def post(self, request: Request) -> Response:
        """A picture that is sent, or the frame of an own clip at a second."""
        gate.check_may(self.caller, gate.Action.RENDER)
        fields = self.fields()
        file, video = fields.file("file"), fields.text("video")
        second = fields.number("second")
        sent = (file is not None, fields.given("file"), video is not None, second is not None)
        if sent not in {(True, True, False, False), (False, False, True, True)}:
            fields.faults.setdefault("file", NO_PICTURE)
        fields.check()
        if file is not None:
            picture = file.read(orders.LARGEST_PICTURE + 1)
            made = references.upload(caller=self.caller, picture=picture, now=self.now)
        else:
            made = references.from_clip(
                caller=self.caller, video=video or "", second=second or 0, now=self.now
            )
        return answer(shapes.reference(_reference(self.caller, made)))


class OneReference(ApiView):
    def get(self, request: Request, reference: str) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        return answer(shapes.reference(_reference(self.caller, reference)))

    def delete(self, request: Request, reference: str) -> Response:
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        references.remove(caller=self.caller, reference=reference, now=self.now)
        return answer({"id": reference, "object": "reference.deleted", "deleted": True})


class ReferenceContent(ApiView):
    content_negotiation_class = AnyNegotiation

    def get(self, request: Request, reference: str) -> HttpResponseBase:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        return serve.own_reference(self.caller, reference, request._request, now=self.now)


class Characters(ApiView):
    largest_file = orders.LARGEST_VIDEO

    def get(self, request: Request) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        rows = own_characters(membership_of(self.caller))
        return answer(shapes.listing([shapes.character(row) for row in rows], has_more=False))

    def post(self, request: Request) -> Response:
        """From pictures of the member's (`pictures`), or, as OpenAI's client asks, from a clip of theirs (`video`)."""
        gate.check_may(self.caller, gate.Action.RENDER)
        fields = self.fields()
        name = fields.text("name", needed="Give the character a name.") or ""
        pictures = fields.texts("pictures")
        if pictures:
            fields.refuse("video", EITHER)
        clip = None if pictures else orders.clip_named(fields, self.caller)
        fields.check()
        if clip is not None:
            made = characters.create_from_clip(caller=self.caller, name=name, video=clip, now=self.now)
        else:
            made = characters.create(caller=self.caller, name=name, pictures=pictures, now=self.now)
        return answer(shapes.character(_character(self.caller, made)))


class OneCharacter(ApiView):
    def get(self, request: Request, character: str) -> Response:
        gate.check_may(self.caller, gate.Action.READ_OWN)
        return answer(shapes.character(_character(self.caller, character)))

    def delete(self, request: Request, character: str) -> Response:
        gate.check_may(self.caller, gate.Action.CHANGE_OWN)
        characters.remove(caller=self.caller, character=character, now=self.now)
        return answer({"id": character, "object": "character.deleted", "deleted": True})


def _member(caller: Caller) -> MembershipView:
    if caller.membership is None:
        raise NotAllowed("not_a_member", "This token belongs to no artist; it has no styles.")
    return caller.membership


def _style(caller: Caller, named: str) -> StyleView:
    for row in usable(_member(caller)):
        if row.public_id == named:
            return row
    raise NotFound("not_found", "There is no such style.")


def _reference(caller: Caller, named: str) -> ReferenceView:
    row = own_reference(named, membership_of(caller))
    if row is None:
        raise NotFound("not_found", "There is no such picture.")
    return row


def _character(caller: Caller, named: str) -> CharacterView:
    row = own_character(named, membership_of(caller))
    if row is None:
        raise NotFound("not_found", "There is no such character.")
    return row
