"""Bodies that ask for renders, as orders: OpenAI's fields first, ours beside them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from access.caller import Caller
from api.inputs import Fields
from core.errors import DomainError, Invalid, NotAllowed, NotFound
from generation.queries.files import own_clip_of_file
from generation.queries.references import own_reference
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
_CLIP = "“video” is {“id”: “video_…”}, or the file of one of your clips as you downloaded it."

_Answer = TypeVar("_Answer")


def membership_of(caller: Caller) -> int:
    if caller.membership is None:
        raise NotAllowed("not_a_member", "This token belongs to no artist; it has no clips.")
    return caller.membership.id


def order_of(fields: Fields) -> tuple[Order, bytes | None]:
    """A body as an order, and the picture that came with it. Faults of form are left in `fields`."""
    picture, reference = _reference(fields)
    takes = fields.whole("n")
    order = Order(
        prompt=fields.text("prompt", needed=NO_PROMPT) or "",
        variant=fields.text("model"),
        seconds=fields.whole("seconds"),
        size=fields.text("size"),
        seed=fields.whole("seed"),
        takes=1 if takes is None else takes,
        style=fields.text("style"),
        negative_prompt=fields.text("negative_prompt"),
        reference=reference,
        character=fields.text("character"),
    )
    return order, picture


def check(fields: Fields, caller: Caller, order: Order) -> None:
    """Raise Invalid naming the faults of form and of sense together, when there are any of form."""
    if fields.faults:
        sense = requests.faults(caller=caller, order=order)
        fields.faults.update({name: fault for name, fault in sense.items() if name not in fields.faults})
    fields.check()


def submit(caller: Caller, order: Order, picture: bytes | None, *, now: datetime) -> tuple[str, ...]:
    """Queue an order with the picture that came with it; a refusal leaves neither."""
    if picture is None:
        return in_api_words(lambda: requests.submit(caller=caller, order=order, now=now))
    if faults := requests.faults(caller=caller, order=order):
        raise Invalid("invalid_request", " ".join(faults.values()), fields=faults)
    reference = in_api_words(lambda: references.upload(caller=caller, picture=picture, now=now))
    try:
        return in_api_words(
            lambda: requests.submit(caller=caller, order=replace(order, reference=reference), now=now)
        )
    except DomainError:
        found = own_reference(reference, membership_of(caller))
        if found is not None and found.created_at == now:
            with suppress(DomainError):
                references.remove(caller=caller, reference=reference, now=now)
        raise


def clip_named(fields: Fields, caller: Caller) -> str | None:
    """The own clip that `video` names, by its id or by its file. Raises NotFound; a fault of form stays in `fields`."""
    file = fields.file("video")
    if file is None:
        named = fields.member("video", "id")
        if named is None and "video" not in fields.faults:
            fields.faults["video"] = _CLIP
        return named
    found = own_clip_of_file(_sha256(file), membership_of(caller))
    if found is None:
        raise NotFound("not_your_clip", "This file is none of your clips as you downloaded them from here.")
    return found


def _reference(fields: Fields) -> tuple[bytes | None, str | None]:
    file = fields.file("input_reference")
    if file is not None:
        return file.read(LARGEST_PICTURE + 1), None
    if not fields.given("input_reference"):
        return None, None
    if reference := fields.member("input_reference", "file_id"):
        return None, reference
    address = fields.member("input_reference", "image_url") or ""
    if found := _DATA_URL.match(address):
        try:
            return base64.b64decode(address[found.end() :], validate=True), None
        except binascii.Error:
            pass
    fields.faults.setdefault("input_reference", _PICTURE)
    return None, None


def _sha256(file: UploadedFile[Any]) -> str:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


# What the domain calls by its own names, as this door's fields.
_FIELDS = {"variant": "model", "takes": "n", "reference": "input_reference", "picture": "input_reference"}


def in_api_words(call: Callable[[], _Answer]) -> _Answer:
    """Make a call into the domain; a refusal names the fields as this door does."""
    try:
        return call()
    except Invalid as refusal:
        named = {_FIELDS.get(name, name): fault for name, fault in refusal.fields.items()}
        raise Invalid(refusal.code, refusal.sentence, fields=named) from refusal
