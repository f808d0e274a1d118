"""The tree of clips around one clip, as a page lists it."""

from __future__ import annotations

from dataclasses import dataclass, field

from generation.queries import Kin, Lineage
from generation.states import Relation, VideoState

FROM = {
    Relation.REMIX: "Remix",
    Relation.EXTEND: "Goes on from the end",
    Relation.FINAL: "Final",
    Relation.AGAIN: "Rendered again",
}
_ENDS = {
    VideoState.QUEUED: "in the queue",
    VideoState.IN_PROGRESS: "rendering",
    VideoState.FAILED: "failed",
    VideoState.CANCELLED: "stopped",
}


@dataclass(slots=True)
class Branch:
    kin: Kin
    children: list[Branch] = field(default_factory=list)

    @property
    def how(self) -> str:
        """How it comes from the one above it."""
        if self.kin.relation is not None:
            return FROM[self.kin.relation]
        return "From a frame" if self.kin.frame_of else ""

    @property
    def seen(self) -> bool:
        return self.kin.state == VideoState.COMPLETED and not self.kin.deleted

    @property
    def state(self) -> str:
        return "deleted" if self.kin.deleted else _ENDS.get(self.kin.state, "")


def tree(family: Lineage) -> list[Branch]:
    """The roots, each with what came from it; `family` has every clip after its parent."""
    roots: list[Branch] = []
    line: list[Branch] = []  # from a root down to the latest
    for kin in family.clips:
        branch = Branch(kin)
        del line[kin.depth :]
        (line[-1].children if line else roots).append(branch)
        line.append(branch)
    return roots
