"""Progress as server-sent events. One Redis subscription a process, fanned out to bounded queues.

A stream subscribes first, then reads the row, then waits: nothing that happens in between is lost. Whoever cannot
hold a stream open asks the same address without `Accept: text/event-stream` through the page's polling instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict
from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import redis.asyncio
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user_model
from django.db import close_old_connections
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from generation import progress, queries

logger = logging.getLogger(__name__)

ENDED = {"completed", "failed", "cancelled"}
KEEP_ALIVE = 15.0  # seconds; proxies close what is silent
LONGEST = 900.0  # seconds; the browser reconnects by itself
_QUEUE = 32
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff"}
_watchers: dict[str, set[asyncio.Queue[dict[str, Any]]]] = defaultdict(set)


@contextlib.asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Listens to the deployment's channel as long as the process lives."""
    listener = asyncio.create_task(_listen(), name="progress listener")
    try:
        yield
    finally:
        listener.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await listener


async def _listen() -> None:
    while True:
        try:
            client = redis.asyncio.Redis.from_url(settings.REDIS_URL)
            async with client, client.pubsub() as subscription:
                await subscription.subscribe(progress.channel())
                async for message in subscription.listen():
                    if message["type"] == "message":
                        _fan_out(json.loads(message["data"]))
        except (redis.RedisError, OSError) as error:
            logger.warning("progress channel is away: %s", error)
            await asyncio.sleep(1)


def _fan_out(event: dict[str, Any]) -> None:
    for queue in _watchers.get(event["video"], ()):
        if queue.full():  # a slow reader misses a step, never the end
            queue.get_nowait()
        queue.put_nowait(event)


@sync_to_async
def _user_of(session_key: str | None) -> int | None:
    if not session_key:
        return None
    close_old_connections()
    store = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    user_id = store.get(SESSION_KEY)
    if user_id is None:
        return None
    model = get_user_model()
    user = model._default_manager.filter(pk=user_id, is_active=True).first()
    if user is None or store.get("_auth_user_hash") != user.get_session_auth_hash():
        return None
    return int(user.pk)


@sync_to_async
def _snapshot(video: str, user_id: int) -> dict[str, Any] | None:
    close_old_connections()
    if not queries.watcher_may_see(video, user_id):
        return None
    clip = queries.clip(video)
    if clip is None:
        return None
    step = queries.steps_of([clip]).get(video)
    waiting = queries.waiting(clip)
    return {
        "video": video,
        "state": str(clip.state),
        "done": step.done if step else 0,
        "total": step.total if step else 0,
        "position": waiting.position if waiting else None,
        "seconds": waiting.seconds if waiting else None,
    }


async def video_events(request: Request) -> Response:
    """`/events/videos/{id}`: snapshots of one video, to its artist's session only."""
    user_id = await _user_of(request.cookies.get(settings.SESSION_COOKIE_NAME))
    if user_id is None:
        return PlainTextResponse("Sign in first.", status_code=401)
    video = request.path_params["video"]
    if "\0" in video:
        return PlainTextResponse("There is no such clip.", status_code=404)
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=_QUEUE)
    _watchers[video].add(queue)
    first = await _snapshot(video, user_id)
    if first is None:
        _forget(video, queue)
        return PlainTextResponse("There is no such clip.", status_code=404)
    return StreamingResponse(
        _stream(video, user_id, first, queue), media_type="text/event-stream", headers=_HEADERS
    )


async def _stream(
    video: str, user_id: int, first: dict[str, Any], queue: asyncio.Queue[dict[str, Any]]
) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST
    event = first
    try:
        while True:
            yield f"event: progress\ndata: {json.dumps(event)}\n\n"
            if event["state"] in ENDED:
                return
            try:
                event = await asyncio.wait_for(queue.get(), timeout=KEEP_ALIVE)
            except TimeoutError:
                fresh = await _snapshot(video, user_id)
                if fresh is None or loop.time() > until:
                    return
                event = fresh
    finally:
        _forget(video, queue)


@sync_to_async
def _takes(order: str, user_id: int) -> list[str]:
    close_old_connections()
    return queries.watched_takes(order, user_id)


async def takes_events(request: Request) -> Response:
    """`/events/takes/{request}`: each step of any take of one request, to its artist's session only.

    The page knows how the takes stood when it was made, and asks once for those that were open when this begins.
    """
    user_id = await _user_of(request.cookies.get(settings.SESSION_COOKIE_NAME))
    if user_id is None:
        return PlainTextResponse("Sign in first.", status_code=401)
    order = request.path_params["order"]
    videos = [] if "\0" in order else await _takes(order, user_id)
    if not videos:
        return PlainTextResponse("There is no such request.", status_code=404)
    return StreamingResponse(
        _stream_takes(order, user_id, videos), media_type="text/event-stream", headers=_HEADERS
    )


async def _stream_takes(order: str, user_id: int, videos: list[str]) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    until = loop.time() + LONGEST
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=_QUEUE * len(videos))
    for video in videos:
        _watchers[video].add(queue)
    try:
        yield "event: begin\ndata: {}\n\n"
        while loop.time() < until:
            try:
                event = await asyncio.wait_for(queue.get(), timeout=KEEP_ALIVE)
            except TimeoutError:
                if not await _takes(order, user_id):
                    return
                yield "event: still\ndata: {}\n\n"
                continue
            yield f"event: progress\ndata: {json.dumps(event)}\n\n"
    finally:
        for video in videos:
            _forget(video, queue)


def _forget(video: str, queue: asyncio.Queue[dict[str, Any]]) -> None:
    _watchers[video].discard(queue)
    if not _watchers[video]:
        del _watchers[video]


routes = [
    Route("/events/videos/{video}", video_events, methods=["GET"]),
    Route("/events/takes/{order}", takes_events, methods=["GET"]),
]
