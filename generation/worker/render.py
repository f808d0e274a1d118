"""From claims to files in the store: one forward for all takes, then each is encoded, stored and finished by itself."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from core import clock
from generation import rules
from generation.queries.told import Told
from generation.services import credentials, files, lifecycle, marks, scratch
from generation.services.queueing import Claim
from generation.spec import Adapter, CopyMark, RenderSpec, VisibleMark
from generation.worker import cache, kinds, shelf, sources, stills
from generation.worker.held import Held
from generation.worker.writing import surely

if TYPE_CHECKING:
    from generation.media.plan import Codec
    from generation.pipeline import Rendered
    from generation.spec import MarkStyle

logger = logging.getLogger(__name__)


def spec_of(claim: Claim) -> RenderSpec:
    """Everything that decides the pixels; files are fetched from the store. Raises SpecRejected or EngineError."""
    adapter = None
    if claim.adapter is not None:
        path = cache.fetch(claim.adapter, suffix=".safetensors")
        adapter = Adapter(path, claim.adapter.sha256, claim.adapter_weight)
    return RenderSpec(
        prompt=claim.prompt,
        seed=claim.seed,
        width=claim.width,
        height=claim.height,
        seconds=claim.seconds,
        fps=claim.fps,
        steps=claim.steps,
        guidance=claim.guidance,
        negative_prompt=claim.negative_prompt,
        image=_picture(claim),
        adapter=adapter,
        earlier=claim.earlier_prompt,
    )


def _picture(claim: Claim) -> Path | None:
    """The file to start from; a sealed frame is opened in a folder that goes with this worker."""
    if claim.frame and claim.reference is not None:
        return cache.fetch_sealed(stills.native_of(claim.reference), suffix=".png")
    return cache.fetch(claim.picture, suffix=".png") if claim.picture is not None else None


def _told(claim: Claim) -> Told:
    """From the claim, not from a table: a database that is away must not cost a render."""
    return Told(
        code=claim.code,
        model=rules.told_checkpoint(claim.backend, claim.checkpoint),
        variant=claim.variant_name,
        relation=claim.relation,
        source=claim.source,
        source_code=claim.source_code,
        picture=claim.reference,
        author=claim.author,
    )


@dataclass(frozen=True, slots=True)
class Taken:
    """One claim's frames, and its share of the time that its forwards took, in seconds."""

    made: Rendered
    seconds: float


def forward(claims: Sequence[Claim], held: Held) -> list[Taken]:
    """One for each claim. A clip that is rendered again goes through as many at a time, and where it did before."""
    from generation.pipeline import render

    backend = shelf.backend_of(claims[0])
    specs = [spec_of(claim) for claim in claims]
    if claims[0].repeat > 1:
        specs *= max(1, min(claims[0].repeat, backend.at_once(specs[0])))
    made = render(
        specs,
        backend=backend,
        progress=lambda done, total: held.tell(claims, "rendering", done, total),
        cancelled=lambda: held.why_not(claims) is not None,
    )
    places = range(len(claims)) if len(claims) > 1 else [min(claims[0].place, len(made) - 1)]
    share = sum(rendered.seconds for rendered in made) / len(claims)
    return [Taken(made[place], share) for place in places]


def finish(claim: Claim, taken: Taken, held: Held) -> bool:
    """Encode, store and complete one take. False when it was no longer ours: then nothing of it is left."""
    from generation.pipeline import finish as encode

    began = time.monotonic()
    backend = shelf.backend_of(claim)
    # Frames that are the same for every clip are marked once in a process, for nobody.
    issued = None if taken.made.frames.constant else marks.issue(now=clock.now())
    with scratch.folder() as folder:
        produced = encode(
            taken.made,
            mark=CopyMark(
                VisibleMark(programme=claim.mark_text, code=claim.code),
                cast("MarkStyle", claim.mark_style),
                issued.forensic if issued else None,
            ),
            folder=Path(folder),
            cancelled=lambda: held.why_not([claim]) is not None,
            encoding=lambda done, total: held.tell([claim], "encoding", done, total),
            codec=cast("Codec", claim.codec),
            sign=credentials.sign_for(_told(claim), issued) if issued else None,
            seal=sources.seal_for(issued.epoch) if issued else None,
        )
        keys = files.keep(claim.video, claim.lease, produced.files)
    made = lifecycle.Made(
        digest=backend.checkpoint,
        kind=kinds.kind_of(backend),
        rung=backend.capability().rung,
        batch=taken.made.frames.batch,
        place=taken.made.frames.place,
        busy=taken.seconds + time.monotonic() - began,
        mark=issued,
    )
    finished = surely(
        lambda: lifecycle.finish(claim=claim, produced=produced, keys=keys, made=made, now=clock.now()),
        written=lambda: lifecycle.has_finished(lease=claim.lease),
    )
    if not finished:
        logger.warning("%s was given to somebody else; our result is dropped", claim.video)
        for key in keys.values():
            files.store().delete(key)
    return finished
