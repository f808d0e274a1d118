"""Bodies that ask for renders, as orders: OpenAI's fields first, ours beside them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from access.caller import Caller
from api.inputs import Fields
from core.errors import Invalid, NotAllowed, NotFound
from generation.queries.files import own_clip_of_file
from generation.rules import Order
from generation.services import references, requests

LARGEST_PICTURE = 20 * 1024**2
LARGEST_VIDEO: int = settings.LARGEST_UPLOAD_BYTES
NO_PROMPT = "Write what we should see."
_DATA_URL = re.compile(r"data:image/(?:png|jpeg|webp);base64,")
_PICTURE = (
    "“input_reference” is a picture in a form, {“file_id”: “ref_…”}, "
    "or {“image_url”: “data:image/png;base64,…”}."
)
_DECIDED = {
    "steps": "The model decides its steps: name another “model” instead of “steps”.",
    "guidance": "The model decides the guidance, or the “style” where it sets one: leave “guidance” out.",
}
_CLIP = "“video” is {“id”: “video_…”}, or the file of one of your clips as you downloaded it."

_Answer = TypeVar("_Answer")


def membership_of(caller: Caller) -> int:
    if caller.membership is None:
        raise NotAllowed("not_a_member", "This token belongs to no artist; it has no clips.")
    return caller.membership.id


def order_of(fields: Fields) -> tuple[Order, bytes | None]:
    """A body as an order, and the picture that came with it. Faults of form are left in `fields`."""
    refuse_decided(fields)
    order = Order(
        prompt=fields.text("prompt", needed=NO_PROMPT) or "",
        variant=fields.text("model"),
        seconds=fields.whole("seconds"),
        size=fields.text("size"),
        fps=fields.whole("fps"),
        seed=fields.whole("seed"),
        style=fields.text("style"),
        negative_prompt=fields.text("negative_prompt"),
        character=fields.text("character"),
    )
    # vLLM-Omni's names, which a house that renders here sends along: refused where they say otherwise.
    order = replace(
        order, steps=fields.whole("num_inference_steps"), guidance=fields.number("guidance_scale")
    )
    takes = fields.whole("n")
    picture, reference = _reference(fields)
    return replace(order, takes=1 if takes is None else takes, reference=reference), picture


def refuse_decided(fields: Fields) -> None:
    """What people would like to choose and the house decides is refused with who decides it."""
    for name, sentence in _DECIDED.items():
        fields.refuse(name, sentence)


def check(fields: Fields, caller: Caller, order: Order) -> None:
    """Raise Invalid naming the faults of form and of sense together, when there are any of form."""
    fields.refuse_unknown()
    if fields.faults:
        sense = _named(requests.faults(caller=caller, order=order))
        fields.faults.update({name: fault for name, fault in sense.items() if name not in fields.faults})
    fields.check()


def submit(caller: Caller, order: Order, picture: bytes | None, *, now: datetime) -> tuple[str, ...]:
    """Queue an order with the picture that came with it; a refusal leaves neither."""
    if picture is None:
        return in_api_words(lambda: requests.submit(caller=caller, order=order, now=now))
    in_api_words(lambda: requests.check(caller=caller, order=order))
    reference = in_api_words(lambda: references.upload(caller=caller, picture=picture, now=now))
    with references.kept_for(reference, caller=caller, now=now):
        return in_api_words(
            lambda: requests.submit(caller=caller, order=replace(order, reference=reference), now=now)
        )


def clip_named(fields: Fields, caller: Caller) -> str | None:
    """The own clip that `video` names, by its id or by its file. Raises NotFound; a fault of form stays in `fields`."""
    file, named = fields.file("video"), fields.member("video", "id")
    if (file is None) == (named is None):
        fields.faults.setdefault("video", _CLIP)
    if file is None:
        return named
    found = own_clip_of_file(_sha256(file), membership_of(caller))
    if found is None:
        raise NotFound("not_your_clip", "This file is none of your clips as you downloaded them from here.")
    return found


def _reference(fields: Fields) -> tuple[bytes | None, str | None]:
    """The picture that came along, or the id of one that is here already."""
    file = fields.file("input_reference")
    reference = fields.member("input_reference", "file_id")
    address = fields.member("input_reference", "image_url")
    if not fields.given("input_reference"):
        return None, None
    if sum(way is not None for way in (file, reference, address)) == 1:
        if file is not None:
            return file.read(LARGEST_PICTURE + 1), None
        if reference:
            return None, reference
        if picture := _picture_in(address or ""):
            return picture, None
    fields.faults.setdefault("input_reference", _PICTURE)
    return None, None


def _picture_in(address: str) -> bytes | None:
    found = _DATA_URL.match(address)
    if found is None:
        return None
    try:
        return base64.b64decode(address[found.end() :], validate=True)
    except binascii.Error:
        return None


def _sha256(file: UploadedFile[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


# What the domain calls by its own names, as this door's fields.
_FIELDS = {
    "variant": "model",
    "takes": "n",
    "reference": "input_reference",
    "picture": "input_reference",
    "steps": "num_inference_steps",
    "guidance": "guidance_scale",
}


def in_api_words(call: Callable[[], _Answer]) -> _Answer:
    """Make a call into the domain; a refusal names the fields as this door does."""
    try:
        return call()
    except Invalid as refusal:
        raise Invalid(refusal.code, refusal.sentence, fields=_named(refusal.fields)) from refusal


def _named(faults: Mapping[str, str]) -> dict[str, str]:
    return {_FIELDS.get(name, name): fault for name, fault in faults.items()}
