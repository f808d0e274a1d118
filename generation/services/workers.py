"""What workers say of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from generation.models import LONGEST_KIND, Worker

_KEPT = timedelta(days=1)


def report(*, name: str, lanes: Sequence[str], held: list[dict[str, Any]], now: datetime) -> None:
    """A worker has started, or holds something else. Each checkpoint in `held` is told with its kind and costs."""
    values = {"lanes": list(lanes), "kind": _kind(held), "held": held, "seen_at": now, "stopped_at": None}
    Worker.objects.update_or_create(
        name=name[:80],
        defaults=values,
        create_defaults=values | {"started_at": now},
    )


def seen(
    *, name: str, video: str, finished: int, failed: int, held: list[dict[str, Any]], now: datetime
) -> None:
    """It lives, renders `video` (a public id, or nothing), has ended so many since it started, and holds this.

    What it holds may have changed its kind: a step down the memory ladder does.
    """
    Worker.objects.filter(name=name[:80]).update(
        video=video,
        finished=finished,
        failed=failed,
        held=held,
        kind=_kind(held),
        seen_at=now,
        stopped_at=None,
    )


def stopped(*, name: str, now: datetime) -> None:
    """It has left."""
    Worker.objects.filter(name=name[:80], stopped_at=None).update(video="", stopped_at=now, seen_at=now)


def sweep(*, now: datetime) -> int:
    """Forget those that left, or were last seen, more than a day ago."""
    removed, _ = Worker.objects.filter(seen_at__lt=now - _KEPT).delete()
    return removed


def _kind(held: list[dict[str, Any]]) -> str:
    """Of the checkpoint for its most urgent variant; nothing while none is loaded."""
    return str(held[0].get("kind", ""))[:LONGEST_KIND] if held else ""
