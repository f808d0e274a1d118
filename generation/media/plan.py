"""What is made of a clip, as numbers: its frames, and which of them stand where in the pictures made beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Codec: TypeAlias = Literal["h264", "av1"]
Size: TypeAlias = tuple[int, int]  # width, height

_SPRITE_A_SECOND: Final = 4
_SPRITE_COLUMNS: Final = 10
_SPRITE_LONGER: Final = 160  # pixels of a small frame's longer side
_SHEET_FRAMES: Final = 12
_SHEET_LONGER: Final = 480
_SHEET_GAP: Final = 4


@dataclass(frozen=True, slots=True)
class Plan:
    """From `native_count` frames of `native` size to `seconds` x `fps` frames of `size`, even sides."""

    native: Size
    native_count: int
    size: Size
    seconds: int
    fps: int
    codec: Codec = "h264"

    @property
    def frames(self) -> int:
        """Frames of the delivered clip."""
        return self.seconds * self.fps

    @property
    def stretched(self) -> bool:
        """Whether there are more or fewer frames than the model made."""
        return self.native_count != self.frames

    @property
    def native_rate(self) -> str:
        """Native frames a second as a fraction: the first is the first delivered one, the last the last."""
        if self.native_count < 2 or self.frames < 2:
            return str(self.fps)
        return f"{(self.native_count - 1) * self.fps}/{self.frames - 1}"

    def poster(self, fit: Callable[[int], bool]) -> int:
        """The frame that stands for the clip: of those that are fit for it, the nearest to the middle; else that."""
        middle = self.frames // 2
        nearest = [self.drawn(frame) for frame in sorted(range(self.frames), key=lambda at: abs(at - middle))]
        return next(filter(fit, nearest), nearest[0])

    def drawn(self, frame: int) -> int:
        """The delivered frame nearest to this one that the model drew: one interpolated between two is softer."""
        if self.native_count < 2 or self.frames <= self.native_count:
            return frame
        spacing = (self.frames - 1) / (self.native_count - 1)
        return round(round(frame / spacing) * spacing)


@dataclass(frozen=True, slots=True)
class Grid:
    """One picture of many frames: frame `picks[i]` is the i-th cell, row by row. Sizes in pixels."""

    cell: Size
    columns: int
    picks: tuple[int, ...]
    gap: int = 0

    @property
    def rows(self) -> int:
        """As many as the cells need; the last one may not be full."""
        return -(-len(self.picks) // self.columns)

    @property
    def size(self) -> Size:
        """Of the whole picture, with a gap all around."""
        return (
            self.columns * (self.cell[0] + self.gap) + self.gap,
            self.rows * (self.cell[1] + self.gap) + self.gap,
        )

    def place(self, index: int) -> Size:
        """The upper left corner of a cell."""
        row, column = divmod(index, self.columns)
        return self.gap + column * (self.cell[0] + self.gap), self.gap + row * (self.cell[1] + self.gap)


def sprite(plan: Plan) -> Grid:
    """Four small frames for each second, ten in a row: from the middle of each quarter."""
    picks = _picks(plan.frames, _SPRITE_A_SECOND * plan.seconds)
    return Grid(_cell(plan.size, _SPRITE_LONGER), min(_SPRITE_COLUMNS, len(picks)), picks)


def sheet(plan: Plan) -> Grid:
    """Twelve larger frames, as the model drew them where it drew so many: four in a row, or six of a portrait clip."""
    picks = _picks(plan.frames, _SHEET_FRAMES)
    if plan.native_count > len(picks):
        picks = tuple(map(plan.drawn, picks))
    columns = 6 if plan.size[1] > plan.size[0] else 4
    return Grid(_cell(plan.size, _SHEET_LONGER), min(columns, len(picks)), picks, _SHEET_GAP)


def _picks(frames: int, wanted: int) -> tuple[int, ...]:
    """The middle frame of each of `wanted` stretches of equal length; every frame of a clip that has no more."""
    cells = min(frames, wanted)
    return tuple((2 * index + 1) * frames // (2 * cells) for index in range(cells))


def _cell(size: Size, longer: int) -> Size:
    """The clip's shape with that longer side, never larger than the clip itself; even sides."""
    share = min(1.0, longer / max(size))
    return _even(size[0] * share), _even(size[1] * share)


def _even(number: float) -> int:
    return max(2, 2 * round(number / 2))
