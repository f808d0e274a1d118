"""What a clip's files are called at every door. The VTT names its sprite by this name, relative to itself."""

from __future__ import annotations

from typing import Final

FILES: Final = {
    "video.mp4": "mp4",
    "poster.jpg": "poster",
    "sprite.jpg": "sprite",
    "sprite.vtt": "vtt",
    "sheet.jpg": "sheet",
}
"""The last part of an address, and the kind of rendition there."""
