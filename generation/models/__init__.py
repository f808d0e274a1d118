from generation.models.masters import Master, Rendition, RenditionKind
from generation.models.variants import ModelVariant
from generation.models.videos import Attempt, Video

__all__ = ["Attempt", "Master", "ModelVariant", "Rendition", "RenditionKind", "Video"]
