"""What a worker has to know to make one copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import UUID

from generation.models import Copy, Mark
from generation.services.files import StoredFile

if TYPE_CHECKING:
    from generation.media.plan import Size


@dataclass(frozen=True, slots=True)
class Job:
    """A copy to be made with the number of `mark`; `lease` proves that it is still this worker's to finish."""

    copy: int
    lease: UUID
    master: int
    mark: Mark
    video: str
    code: str
    mark_text: str
    style: str
    native: StoredFile
    native_size: Size
    native_count: int
    frames_sha256: str
    size: Size
    seconds: int
    fps: int
    codec: str
    author: str

    @classmethod
    def of(cls, row: Copy, mark: Mark, lease: UUID) -> Self:
        """`row` was read with its clip and variant, and knows its programme's `mark_text`."""
        master, video = row.master, row.master.video
        return cls(
            copy=row.pk,
            lease=lease,
            master=master.pk,
            mark=mark,
            video=video.public_id,
            code=video.code,
            mark_text=vars(row)["mark_text"],
            style=row.style,
            native=StoredFile(master.source_key, master.source_sha256),
            native_size=(master.native_width, master.native_height),
            native_count=master.native_frames,
            frames_sha256=master.frames_sha256,
            size=(video.width, video.height),
            seconds=video.seconds,
            fps=video.fps,
            codec=video.variant.codec,
            author=row.author,
        )
