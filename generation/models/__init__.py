from generation.models.copies import Copy
from generation.models.marks import Mark
from generation.models.masters import Master, Rendition, RenditionKind
from generation.models.references import Character, CharacterPicture, Reference
from generation.models.styles import Adapter, StylePreset
from generation.models.traces import Trace
from generation.models.variants import Codec, ModelVariant, Stage
from generation.models.videos import Attempt, Video
from generation.models.workers import LONGEST_KIND, Pace, Place, QueueShare, Worker

__all__ = [
    "LONGEST_KIND",
    "Adapter",
    "Attempt",
    "Character",
    "CharacterPicture",
    "Codec",
    "Copy",
    "Mark",
    "Master",
    "ModelVariant",
    "Pace",
    "Place",
    "QueueShare",
    "Reference",
    "Rendition",
    "RenditionKind",
    "Stage",
    "StylePreset",
    "Trace",
    "Video",
    "Worker",
]
