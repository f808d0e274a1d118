"""Which part of the sprite shows which moment, as WebVTT with media fragments: what players read for previews."""

from __future__ import annotations

from generation.media.plan import Grid

# Relative to the VTT file's own address: whoever hands that out hands the sprite out beside it, under this name.
SPRITE_NAME = "sprite.jpg"


def write(grid: Grid, *, seconds: int) -> str:
    """One cue for each cell; cells share the clip's length evenly (W3C WebVTT 1, Media Fragments 1.0, 4.2.2)."""
    cells = len(grid.picks)
    cues = [
        f"{_time(index * seconds * 1000 // cells)} --> {_time((index + 1) * seconds * 1000 // cells)}\n"
        f"{SPRITE_NAME}#xywh={','.join(map(str, (*grid.place(index), *grid.cell)))}\n"
        for index in range(cells)
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _time(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest // 1000:02}.{rest % 1000:03}"
