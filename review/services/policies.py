"""Publishing the rules that decisions are made by."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from audit import log
from core.actors import Actor
from core.errors import Invalid, NotFound, WrongState
from programme.queries import programmes
from review.models import PolicyVersion, ReasonCode
from review.rules import tidy

_CODE = re.compile(r"[A-Z][A-Z0-9-]{0,11}")


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason code to publish. `may_be_used` False puts it on the list of reasons that never count."""

    code: str
    title: str
    explanation: str
    may_be_used: bool = True


def publish(*, programme_id: int, text: str, reasons: Sequence[Reason], by: Actor, now: datetime) -> int:
    """Publish the next version of a programme's policy with all its reason codes and return its number.

    It binds decisions from now on; earlier ones keep the version they were made by. Raises Invalid, NotFound, or
    WrongState when somebody else published in the same moment.
    """
    body = tidy(text)
    _check(body, reasons)
    programme = next((known for known in programmes() if known.id == programme_id), None)
    if programme is None:
        raise NotFound("not_found", "There is no such programme.")
    with log.transaction() as events:
        last = PolicyVersion.objects.filter(programme_id=programme_id).aggregate(last=Max("number"))["last"]
        number = (last or 0) + 1
        try:
            with transaction.atomic():
                policy = PolicyVersion.objects.create(programme_id=programme_id, number=number, text=body)
        except IntegrityError as error:
            raise WrongState(
                "published_meanwhile", "Somebody published a version just now. Read it first."
            ) from error
        ReasonCode.objects.bulk_create(
            ReasonCode(
                policy=policy,
                code=reason.code,
                title=reason.title,
                explanation=reason.explanation,
                may_be_used=reason.may_be_used,
            )
            for reason in reasons
        )
        # Last: from here on a trigger refuses every change to the version and its reasons.
        policy.published_at = now
        policy.save(update_fields=["published_at"])
        events.record(
            action="policy.published",
            actor=by,
            target=programme.public_id,
            now=now,
            data={
                "number": number,
                "reasons": [reason.code for reason in reasons if reason.may_be_used],
                "never": [reason.code for reason in reasons if not reason.may_be_used],
            },
        )
    return number


def _check(text: str, reasons: Sequence[Reason]) -> None:
    faults: dict[str, str] = {}
    codes = [reason.code for reason in reasons]
    if not text:
        faults["text"] = "A policy has a text."
    if not any(reason.may_be_used for reason in reasons):
        faults["reasons"] = "A policy has at least one reason that may be used."
    elif len(set(codes)) != len(codes):
        faults["reasons"] = "Each code stands once."
    elif bad := [code for code in codes if not _CODE.fullmatch(code)]:
        faults["reasons"] = f"{', '.join(bad)}: a code is capitals, digits and hyphens, at most 12."
    elif any(not reason.title.strip() or not reason.explanation.strip() for reason in reasons):
        faults["reasons"] = "Each reason has a title and an explanation."
    if faults:
        raise Invalid("invalid_request", " ".join(faults.values()), fields=faults)
