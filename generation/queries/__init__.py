"""The only readers used from outside. Each has a fixed number of SQL statements, named in its docstring."""

from generation.queries.clips import (
    clip,
    clips,
    clips_of,
    counts,
    own_clip,
    own_clips,
    takes,
    watcher_may_see,
)
from generation.queries.copies import Standing, renditions, standing
from generation.queries.kept import HitRate, HitRates, hit_rates
from generation.queries.lineage import Kin, Lineage, lineage
from generation.queries.settings import settings
from generation.queries.stacks import stacks_of, watched_takes
from generation.queries.variants import usable_variants, variants
from generation.queries.views import ClipView, MasterView, RenditionView, StyleName, VariantView
from generation.queries.waiting import Waiting, ahead, steps_of, waiting

__all__ = [
    "ClipView",
    "HitRate",
    "HitRates",
    "Kin",
    "Lineage",
    "MasterView",
    "RenditionView",
    "Standing",
    "StyleName",
    "VariantView",
    "Waiting",
    "ahead",
    "clip",
    "clips",
    "clips_of",
    "counts",
    "hit_rates",
    "lineage",
    "own_clip",
    "own_clips",
    "renditions",
    "settings",
    "stacks_of",
    "standing",
    "steps_of",
    "takes",
    "usable_variants",
    "variants",
    "waiting",
    "watched_takes",
    "watcher_may_see",
]
