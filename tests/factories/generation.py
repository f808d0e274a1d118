"""Videos in every state, reached by walking the real services."""

from __future__ import annotations

import hashlib
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from access.caller import Caller
from core.actors import system
from generation.models import Stage
from generation.rules import Order
from generation.services import files, lifecycle, requests, variants
from generation.services.lifecycle import Claim
from generation.services.variants import VariantSpec
from generation.spec import FileKind, FileMade, Produced
from generation.states import VideoState

LANE = "turbo"
TURBO = VariantSpec(
    slug="turbo-1",
    name="Turbo",
    description="Few steps, for drafts.",
    backend="null",
    checkpoint="builtin",
    steps=8,
    guidance=2.0,
    sizes=("1280x720", "640x360"),
    lengths=(4, 2, 6, 8, 10, 12),
    queue=LANE,
)
FULL = VariantSpec(
    slug="full-1",
    name="Full",
    description="More steps, for what will be shown.",
    backend="null",
    checkpoint="builtin",
    steps=24,
    guidance=2.0,
    sizes=("1280x720", "640x360"),
    lengths=(4, 2, 6, 8, 10, 12),
    queue="full",
    position=1,
    stage=Stage.FINAL,
)
PROMPT = "a red boat drifting left over the sea"


_KINDS: dict[FileKind, str] = {
    "mp4": "video/mp4",
    "poster": "image/jpeg",
    "sprite": "image/jpeg",
    "vtt": "text/vtt",
    "sheet": "image/jpeg",
    "source": "video/x-matroska",
}


def put_variants(programme_id: int, now: datetime) -> None:
    for spec in (TURBO, FULL):
        variants.put(programme_id=programme_id, programme="prg_test", spec=spec, by=system("test"), now=now)


def queued_video(caller: Caller, now: datetime, **order: Any) -> str:
    (video,) = queued_takes(caller, now, **order)
    return video


def queued_takes(caller: Caller, now: datetime, **order: Any) -> tuple[str, ...]:
    return requests.submit(caller=caller, order=Order(**({"prompt": PROMPT} | order)), now=now)


def claim(now: datetime, *, lane: str = LANE, worker: str = "test-worker") -> Claim:
    claimed = lifecycle.claim_next(lane=lane, worker=worker, now=now)
    assert claimed is not None
    return claimed


def produced(claimed: Claim, folder: Path) -> Produced:
    """A result with real, tiny files in `folder`; each clip's bytes are its own."""
    made = []
    for kind, media_type in _KINDS.items():
        body = (f"{kind} of {claimed.video} ".encode() * 200)[:4096]
        path = folder / f"{claimed.lease}.{kind}"
        path.write_bytes(body)
        digest = hashlib.sha256(body).hexdigest()
        made.append(FileMade(kind, path, digest, len(body), media_type, claimed.width, claimed.height))
    return Produced(
        files=tuple(made),
        frames_sha256=hashlib.sha256(claimed.video.encode()).hexdigest(),
        frame_count=claimed.seconds * claimed.fps,
        fps=claimed.fps,
        seconds=claimed.seconds,
        native_width=160,
        native_height=96,
        native_frames=16,
        method="16 frames of 160x96, test",
        completed_prompt=claimed.prompt,
        ignored_words=(),
        render_seconds=2.0,
        encode_seconds=0.5,
    )


def finish(claimed: Claim, now: datetime) -> bool:
    with tempfile.TemporaryDirectory() as folder:
        result = produced(claimed, Path(folder))
        keys: dict[FileKind, str] = {
            made.kind: files.key(claimed.video, claimed.lease, made.kind) for made in result.files
        }
        for made in result.files:
            files.store().put(made.path, key=keys[made.kind])
        return lifecycle.finish(
            claim=claimed, produced=result, keys=keys, made=lifecycle.Made(digest="0" * 64), now=now
        )


def completed_video(caller: Caller, now: datetime, **order: Any) -> str:
    """A finished clip of the caller's, with its files in the store."""
    video = queued_video(caller, now, **order)
    claimed = claim(now)
    assert claimed.video == video, "another video waits in this queue"
    assert finish(claimed, now)
    return video


def video_at(state: VideoState, caller: Caller, now: datetime) -> str:
    """A video in `state`."""
    if state == VideoState.COMPLETED:
        return completed_video(caller, now)
    video = queued_video(caller, now)
    if state == VideoState.QUEUED:
        return video
    if state == VideoState.CANCELLED:
        assert caller.membership is not None
        requests.cancel(video=video, membership_id=caller.membership.id, by=caller.actor, now=now)
        return video
    claimed = claim(now)
    if state == VideoState.FAILED:
        lifecycle.reject(claim=claimed, code="test", sentence="Refused by the test.", now=now)
    return video
