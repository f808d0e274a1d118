# mypy: disable-error-code="import-not-found, import-untyped, untyped-decorator, no-any-unimported"
"""The status read as FastAPI and asyncpg would do it, with token and row. Runs in an environment of its own."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from fastapi import FastAPI, Header, HTTPException
from pydantic import BaseModel

KEY = os.environ["BENCH_PEPPER"].encode()
TOKEN = """
SELECT t.membership_id, t.digest FROM access_apitoken t JOIN accounts_user u ON u.id = t.user_id
WHERE t.lookup = $1 AND t.revoked_at IS NULL AND t.expires_at > now() AND u.is_active
"""
VIDEO = """
SELECT v.public_id, v.state, v.prompt, v.seed, v.width, v.height, v.seconds, v.created_at, v.finished_at, m.slug
FROM generation_video v JOIN generation_modelvariant m ON m.id = v.variant_id
WHERE v.public_id = $1 AND v.membership_id = $2 AND v.deleted_at IS NULL
"""


class Video(BaseModel):
    id: str
    object: str = "video"
    model: str
    status: str
    progress: int
    created_at: int
    completed_at: int | None
    prompt: str
    size: str
    seconds: str
    seed: int


pool: Any = None


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    global pool  # noqa: PLW0603 - one a process
    pool = await asyncpg.create_pool(os.environ["BENCH_DSN"], min_size=8, max_size=8)
    yield
    await pool.close()


app = FastAPI(lifespan=lifespan)


@app.get("/health")
async def health() -> dict[str, bool]:
    return {"healthy": True}


@app.get("/v1/videos/{video}")
async def read(video: str, authorization: str = Header()) -> Video:
    raw = authorization.removeprefix("Bearer ")
    async with pool.acquire() as connection:
        token = await connection.fetchrow(TOKEN, raw.split("_")[2])
        if token is None or not hmac.compare_digest(token[1], hmac.digest(KEY, raw.encode(), hashlib.sha256)):
            raise HTTPException(401)
        row = await connection.fetchrow(VIDEO, video, token[0])
    if row is None:
        raise HTTPException(404)
    return Video(
        id=row[0],
        model=row[9],
        status=row[1],
        progress=100 if row[1] == "completed" else 0,
        created_at=int(row[7].timestamp()),
        completed_at=int(row[8].timestamp()) if row[8] else None,
        prompt=row[2],
        size=f"{row[4]}x{row[5]}",
        seconds=str(row[6]),
        seed=row[3],
    )
