"""Traces that the office asks for: a queue of files, one run each, an answer that a second person confirms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, BinaryIO, Final
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet

from access.caller import Caller
from access.gate import Action, check_may
from audit import log, outbox
from core import enqueue, ids
from core.actors import Actor
from core.errors import Invalid, NotAllowed, NotFound, WrongState
from core.names import tidy
from generation.models import Trace
from generation.queries import marks
from generation.services import files, stowing
from generation.states import TRACE_OPEN, TraceState
from programme.queries import ProgrammeView
from roles import queries as roles
from roles.roles import Permission, permits

TASK: Final = "generation.trace"
LEASE: Final = timedelta(minutes=2)
MOST_TRIES: Final = 2
MOST_BYTES: Final = 500 * 1000**2
TOO_LARGE: Final = f"A file to look into has at most {MOST_BYTES // 1000**2} MB. Cut out a part of it."
EVIDENCE: Final = ("residual", "peak")
_NAME, _NOTE = 120, 300
_GAVE_UP = (
    "This file was begun twice and never finished, so we have set it aside. Send it again, or a part of it."
)


@dataclass(frozen=True, slots=True)
class Job:
    """A file to look into; `lease` proves that it is still this worker's."""

    trace: int
    public_id: str
    lease: UUID
    storage_key: str
    programme: int
    asked_by: Actor


def queue_name() -> str:
    return f"{settings.DEPLOYMENT}.tracing"


def ask(
    *, caller: Caller, programme: ProgrammeView, file: BinaryIO, name: str, note: str = "", now: datetime
) -> str:
    """Keep the file until the run ends and return the trace's public id.

    Raises NotAllowed, Invalid with the field `file` or `note` (file_too_large, file_empty, invalid_request). Call it
    in no other transaction.
    """
    _check(caller, programme)
    if len(tidy(note)) > _NOTE:
        sentence = f"Where it was found has at most {_NOTE} characters."
        raise Invalid("invalid_request", sentence, fields={"note": sentence})
    public_id = ids.new("trace")
    with stowing.folder() as folder:
        path = folder / "suspect.bin"
        sha256, length = stowing.receive(file, path, most=MOST_BYTES, sentence=TOO_LARGE)
        key = f"{public_id}/{sha256}.bin"
        with stowing.stowed(path, key=key) as stowed:
            with log.transaction() as events:
                Trace.objects.create(
                    public_id=public_id,
                    programme_id=programme.id,
                    name=tidy(name)[-_NAME:] or "file",
                    note=tidy(note),
                    sha256=sha256,
                    bytes=length,
                    storage_key=key,
                    asked_by_id=caller.user_id,
                    asked_at=now,
                )
                enqueue.after_commit_once(TASK)
                events.record(
                    action="trace.asked",
                    actor=caller.actor,
                    target=public_id,
                    now=now,
                    data={"sha256": sha256, "bytes": length, "note": tidy(note)},
                )
            stowed.kept = True
    return public_id


def cancel(*, caller: Caller, programme: ProgrammeView, trace: str, now: datetime) -> None:
    """Stop a run; what it has read is forgotten. Raises NotAllowed, NotFound, WrongState once it has ended."""
    _check(caller, programme)
    with log.transaction() as events:
        row = _row(programme, trace)
        if row.state not in TRACE_OPEN:
            raise WrongState("already_ended", "This trace has ended already.")
        _end(row, TraceState.CANCELLED, now)
        events.record(action="trace.cancelled", actor=caller.actor, target=trace, now=now)


def confirm(*, caller: Caller, programme: ProgrammeView, trace: str, now: datetime) -> None:
    """A second person has looked at the evidence: for whom the copies were made is told from now on.

    Raises NotAllowed, also for who asked for the trace; NotFound; WrongState where no copy was named.
    """
    _check(caller, programme)
    with log.transaction() as events:
        row = _row(programme, trace)
        if row.asked_by_id == caller.user_id:
            raise NotAllowed("not_your_own", "You asked for this trace. Somebody else has to confirm it.")
        if row.state != TraceState.DONE or not row.numbers:
            raise WrongState("nothing_to_confirm", "This trace has named no copy.")
        if row.confirmed_by_id is not None:
            return
        row.confirmed_by_id, row.confirmed_at = caller.user_id, now
        row.save(update_fields=["confirmed_by", "confirmed_at"])
        events.record(
            action="trace.confirmed",
            actor=caller.actor,
            target=trace,
            now=now,
            data={"numbers": [f"{number:08x}" for number in row.numbers]},
        )


def claim_next(*, now: datetime) -> Job | None:
    """Take up the file that waits for longest. One that took two workers with it is given up."""
    with transaction.atomic():
        rows = Trace.objects.select_for_update(skip_locked=True, of=("self",)).filter(_due(now))
        while (row := rows.select_related("asked_by").order_by("id").first()) is not None:
            _forget(row, now)
            if row.tries >= MOST_TRIES:
                _end(row, TraceState.FAILED, now, sentence=_GAVE_UP)
                continue
            row.state, row.tries = TraceState.RUNNING, row.tries + 1
            row.lease_token, row.lease_expires_at = uuid4(), now + LEASE
            row.save(update_fields=["state", "tries", "lease_token", "lease_expires_at"])
            who = Actor("user", row.asked_by.public_id, row.asked_by_id)
            return Job(row.pk, row.public_id, row.lease_token, row.storage_key, row.programme_id, who)
    return None


def prolong(*, job: Job, now: datetime) -> bool:
    """False when the run was stopped, or is another worker's."""
    return bool(_mine(job).update(lease_expires_at=now + LEASE))


def hand_back(*, job: Job, counts: bool = False) -> bool:
    """A worker has to leave, or has lost the database: another begins anew. The try counts or does not."""
    return bool(
        _mine(job).update(
            state=TraceState.WAITING,
            tries=F("tries") if counts else F("tries") - 1,
            lease_token=None,
            lease_expires_at=None,
            done=0,
            stage="",
        )
    )


def tell(*, job: Job, done: int, total: int, stage: str) -> None:
    """How far the run is."""
    _mine(job).update(done=done, total=total, stage=stage[:60])


def keep(*, job: Job, pictures: Mapping[str, bytes]) -> dict[str, str]:
    """Store what shows the answer (names of EVIDENCE), under names of this lease's own; returns their keys."""
    keys = {name: _picture_key(job.public_id, job.lease, name) for name in pictures}
    with stowing.folder() as folder:
        for name, png in pictures.items():
            (folder / name).write_bytes(png)
        files.store().put_all({keys[name]: folder / name for name in pictures})
    return keys


def finish(
    *, job: Job, numbers: list[int], reading: Mapping[str, Any], pictures: Mapping[str, str], now: datetime
) -> bool:
    """The answer. False when nobody waits for it any more: then nothing has changed, and the pictures are the caller's
    to remove."""
    with transaction.atomic():
        row = _mine(job).select_for_update().first()
        if row is None:
            return False
        row.numbers, row.reading, row.pictures = numbers, dict(reading), dict(pictures)
        # As it is now: a spare that has leaked may be somebody's later, and was nobody's when it did.
        row.recipients = {f"{number:08x}": actor for number, actor in marks.recipients(numbers).items()}
        row.done = row.total
        row.save(update_fields=["numbers", "recipients", "reading", "pictures", "done"])
        _end(row, TraceState.DONE, now)
    return True


def has_finished(*, job: Job, pictures: Mapping[str, str]) -> bool:
    """Whether the answer that stands is this worker's."""
    return Trace.objects.filter(pk=job.trace, state=TraceState.DONE, pictures=dict(pictures)).exists()


def refuse(*, job: Job, sentence: str, now: datetime) -> bool:
    """The file cannot be read, and the sentence says why."""
    return _end_mine(job, TraceState.REFUSED, sentence, now)


def fail(*, job: Job, sentence: str, now: datetime) -> bool:
    """A fault of ours."""
    return _end_mine(job, TraceState.FAILED, sentence, now)


def wake_waiting(*, now: datetime) -> bool:
    """Wake a worker where files wait whose message was lost, or whose worker was."""
    if found := Trace.objects.filter(_due(now)).exists():
        enqueue.after_commit_once(TASK)
    return found


def _check(caller: Caller, programme: ProgrammeView) -> None:
    check_may(caller, Action.TRACE)
    if not permits(roles.roles_of(caller.user_id, programme.public_id), Permission.TRACE_MARKS):
        raise NotAllowed("may_not_trace", "You may not trace marks of this programme.")


def _row(programme: ProgrammeView, trace: str) -> Trace:
    row = Trace.objects.select_for_update().filter(programme_id=programme.id, public_id=trace).first()
    if row is None:
        raise NotFound("not_found", "There is no such trace.")
    return row


def _due(now: datetime) -> Q:
    return Q(state=TraceState.WAITING) | Q(state=TraceState.RUNNING, lease_expires_at__lte=now)


def _mine(job: Job) -> QuerySet[Trace]:
    return Trace.objects.filter(pk=job.trace, state=TraceState.RUNNING, lease_token=job.lease)


def _end_mine(job: Job, state: TraceState, sentence: str, now: datetime) -> bool:
    with transaction.atomic():
        row = _mine(job).select_for_update().first()
        if row is None:
            return False
        _end(row, state, now, sentence=sentence)
    return True


def _end(row: Trace, state: TraceState, now: datetime, *, sentence: str = "") -> None:
    """The file goes, whatever the end."""
    if state != TraceState.DONE:
        _forget(row, now)
    if row.storage_key:
        outbox.add(topic=files.PURGE, payload={"keys": [row.storage_key]}, now=now)
    row.state, row.ended_at, row.sentence, row.storage_key = state, now, sentence, ""
    row.lease_token = row.lease_expires_at = None
    row.save(
        update_fields=["state", "ended_at", "sentence", "storage_key", "lease_token", "lease_expires_at"]
    )


def _forget(row: Trace, now: datetime) -> None:
    """After the commit, remove what a worker may have stored under its lease."""
    if row.lease_token is not None:
        keys = [_picture_key(row.public_id, row.lease_token, name) for name in EVIDENCE]
        outbox.add(topic=files.PURGE, payload={"keys": keys}, now=now)


def _picture_key(trace: str, lease: UUID, name: str) -> str:
    return f"{trace}/{lease}-{name}.png"
