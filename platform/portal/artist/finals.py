"""What a chosen take can be finished with."""

from __future__ import annotations

from typing import Any

from generation.queries import ClipView, VariantView


def finals_of(variants: list[VariantView], clip: ClipView) -> dict[str, Any]:
    """What a take can be finished with; empty where no variant makes finals, or the clip is from one already."""
    able = [variant for variant in variants if variant.is_final and variant.slug != clip.variant_slug]
    if not able:
        return {}
    return {
        "variants": able,
        "sizes": [
            (size, size.replace("x", " × ")) for size in dict.fromkeys(s for one in able for s in one.sizes)
        ],
        "size": max(able[0].sizes, key=_pixels),
        "lengths": sorted({length for one in able for length in one.lengths}),
        "seconds": clip.seconds,
    }


def _pixels(size: str) -> int:
    width, _, height = size.partition("x")
    return int(width) * int(height)
