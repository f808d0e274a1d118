"""LoRA files: checked without the model libraries, stored under a key of their own, retired for good.

Operators add them for the programme or for named cohorts; a member adds a few small ones for themselves alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from django.db.models import Q, QuerySet

from access.caller import Caller
from access.gate import Action
from audit import log, outbox
from core import ids
from core.actors import Actor
from core.errors import Invalid, NotFound, WrongState
from generation import look_rules as rules
from generation.errors import SpecRejected
from generation.models import Adapter, ModelVariant, Video
from generation.services import files, owned, stowing
from generation.services.owned import Owner
from generation.states import OPEN
from programme.queries import ProgrammeView

if TYPE_CHECKING:
    from generation.backends.adapters import AdapterFacts

PURGE = "generation.purge_adapter"
BUILTINS = Path(__file__).parents[1] / "backends" / "diffusers" / "checkpoint_styles"
"""Where the built-in model's own LoRA files lie, one for each style."""

_CHUNK = 1 << 20


class StillNeeded(Exception):
    """A render that has not ended uses the file; the outbox asks again later."""


def add(*, caller: Caller, name: str, variant: str, file: BinaryIO, now: datetime) -> str:
    """Keep a LoRA file of the caller's own, for the checkpoint of `variant` (a slug), and return its public id.

    At most five, of at most 64 MiB each. Raises NotAllowed; Invalid with the field `name`, `model` or `file` (the codes
    of `backends.adapters.inspect_adapter`, unknown_model, adapters_unsupported, checkpoint_elsewhere); WrongState
    (adapter_known, too_many_adapters). Call it in no other transaction.
    """
    owner = owned.own(caller, Action.RENDER)
    checkpoint = _checkpoint_of(owner, variant)
    return _add(owner, name, checkpoint, file, rules.MEMBERS_ADAPTER_BYTES, (), False, now)


def add_for_programme(
    *,
    programme: ProgrammeView,
    name: str,
    variant: str,
    file: BinaryIO,
    by: Actor,
    now: datetime,
    cohorts: Sequence[str] = (),
    fetch: bool = False,
) -> str:
    """Keep a LoRA file for the programme, or for the cohorts named by public id, and return its public id.

    `fetch` gets a checkpoint from the hub to compare with, where the model libraries are. Raises as `add`, and Invalid
    (unknown_cohort). Call it in no other transaction.
    """
    from generation.backends.adapters import MOST_BYTES

    owner = owned.programmes_own(programme, by)
    checkpoint = _checkpoint_of(owner, variant)
    return _add(owner, name, checkpoint, file, MOST_BYTES, cohorts, fetch, now)


def add_builtin(*, programme: ProgrammeView, name: str, path: Path, by: Actor, now: datetime) -> str:
    """The public id of the programme's adapter with that file for the built-in model; it is added if need be."""
    from generation.backends.adapters import MOST_BYTES, inspect_adapter

    owner = owned.programmes_own(programme, by)
    known = _live(owner).filter(sha256=inspect_adapter(path).sha256, checkpoint="builtin").first()
    if known is not None:
        return known.public_id
    with path.open("rb") as file:
        return _add(owner, name, "builtin", file, MOST_BYTES, (), False, now)


def retire(*, caller: Caller, adapter: str, now: datetime) -> None:
    """Take an own adapter out of use for good, as `retire_for_programme`. Raises NotAllowed or NotFound."""
    _retire(owned.own(caller, Action.CHANGE_OWN), adapter, now)


def retire_for_programme(*, programme: ProgrammeView, adapter: str, by: Actor, now: datetime) -> None:
    """Take an adapter out of use for good: no new render loads it, its styles cannot be used any more.

    What waits is still rendered; then the file is removed. Clips name it by digest. Raises NotAllowed or NotFound.
    """
    _retire(owned.programmes_own(programme, by), adapter, now)


def _add(
    owner: Owner,
    name: str,
    checkpoint: str,
    file: BinaryIO,
    most_bytes: int,
    cohorts: Sequence[str],
    fetch: bool,
    now: datetime,
) -> str:
    named = rules.check_name(name)
    cohort_ids = owned.cohort_rows(owner.programme, cohorts)
    public_id = ids.new("lora")
    with stowing.folder() as folder:
        path = folder / "adapter.safetensors"
        _copy(file, path, most_bytes)
        facts = _inspect(path, checkpoint, most_bytes, fetch)
        key = f"{public_id}/{facts.sha256}.safetensors"
        with stowing.stowed(path, key=key) as stowed:
            with log.transaction() as events:
                owned.take_turn(owned.Turn.ADAPTER, owner.membership_id or -owner.programme.id)
                _check_room(owner, facts, checkpoint)
                row = Adapter.objects.create(
                    public_id=public_id,
                    programme_id=owner.programme.id,
                    membership_id=owner.membership_id,
                    name=named,
                    checkpoint=checkpoint,
                    sha256=facts.sha256,
                    bytes=facts.bytes,
                    rank=facts.rank,
                    targets=list(facts.targets),
                    storage_key=key,
                    created_by=str(owner.actor),
                    created_at=now,
                )
                row.cohorts.set(cohort_ids)
                _record(events, "adapter.added", owner, row, now, cohorts=sorted(cohorts))
            stowed.kept = True
    return public_id


def _retire(owner: Owner, adapter: str, now: datetime) -> None:
    with log.transaction() as events:
        row = _live(owner).select_for_update().filter(public_id=adapter).first()
        if row is None:
            raise NotFound("not_found", "There is no such adapter.")
        row.retired_at = now
        row.save(update_fields=["retired_at"])
        outbox.add(topic=PURGE, payload={"adapter": row.public_id}, now=now)
        _record(events, "adapter.retired", owner, row, now)


@outbox.handler(PURGE)
def _purge(payload: dict[str, Any]) -> None:
    row = Adapter.objects.get(public_id=payload["adapter"])
    if Video.objects.filter(adapter=row, state__in=OPEN).exists():
        raise StillNeeded(row.public_id)
    files.store().delete(row.storage_key)


def _live(owner: Owner) -> QuerySet[Adapter]:
    return Adapter.objects.filter(
        programme_id=owner.programme.id, membership=owner.membership_id, retired_at=None
    )


def _checkpoint_of(owner: Owner, slug: str) -> str:
    """The checkpoint of a variant that the owner may use and that loads LoRA files. One statement."""
    rows = ModelVariant.objects.filter(programme_id=owner.programme.id, slug=slug)
    if owner.member is not None:
        rows = rows.filter(Q(cohorts=None) | Q(cohorts=owner.member.cohort_id), enabled=True)
    variant = rows.first()
    if variant is None:
        raise _refusal("unknown_model", "model", f"There is no model “{slug[:40]}” here.")
    if not variant.adapters:
        sentence = f"{variant.name} does not load LoRA files. Choose another model."
        raise _refusal("adapters_unsupported", "model", sentence)
    return variant.checkpoint


def _copy(file: BinaryIO, path: Path, most_bytes: int) -> None:
    """As much of the file as may be, a mebibyte at a time."""
    size = 0
    with path.open("wb") as out:
        while chunk := file.read(_CHUNK):
            size += len(chunk)
            if size > most_bytes:
                sentence = f"An adapter has at most {most_bytes // 1024**2} MiB here; this one has more."
                raise _refusal("adapter_too_large", "file", sentence)
            out.write(chunk)


def _inspect(path: Path, checkpoint: str, most_bytes: int, fetch: bool) -> AdapterFacts:
    from generation.backends.adapters import inspect_adapter
    from generation.backends.diffusers.checkpoints import locate  # brings no model library by itself

    if not fetch and checkpoint != "builtin" and not Path(checkpoint).is_dir():
        raise _refusal(
            "checkpoint_elsewhere",
            "model",
            "The model's files are not on this machine, so that we cannot compare. Add the adapter on a worker: "
            "manage.py add_adapter.",
        )
    try:
        facts = inspect_adapter(path, checkpoint=locate(checkpoint), most_bytes=most_bytes)
    except SpecRejected as refusal:
        raise _refusal(refusal.code, "file", refusal.sentence) from refusal
    except (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError) as fault:
        raise _refusal("adapter_unreadable", "file", "The adapter's header makes no sense.") from fault
    if facts.rank < 1:
        raise _refusal("adapter_rank", "file", "An adapter has a rank of at least 1; this one has none.")
    if not math.isfinite(facts.scale):
        raise _refusal("adapter_settings", "file", "The adapter's settings multiply it with no number.")
    return facts


def _check_room(owner: Owner, facts: AdapterFacts, checkpoint: str) -> None:
    live = _live(owner)
    if known := live.filter(sha256=facts.sha256, checkpoint=checkpoint).first():
        raise WrongState(
            "adapter_known", f"This file is here already: “{known.name}”.", adapter=known.public_id
        )
    if owner.member is not None and live.count() >= rules.MOST_ADAPTERS:
        sentence = f"You have {rules.MOST_ADAPTERS} adapters. Retire one to add another."
        raise WrongState("too_many_adapters", sentence)


def _record(events: log.Log, action: str, owner: Owner, row: Adapter, now: datetime, **more: object) -> None:
    """A member's own too: their files are read by the house's machines."""
    data = {
        "programme": owner.programme.public_id,
        "name": row.name,
        "sha256": row.sha256,
        "bytes": row.bytes,
    }
    events.record(action=action, actor=owner.actor, target=row.public_id, now=now, data=data | more)


def _refusal(code: str, field: str, sentence: str) -> Invalid:
    return Invalid(code, sentence, fields={field: sentence})
