"""What a chosen take can be finished with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generation.queries import ClipView, VariantView
from generation.queries.styles import usable
from generation.rules import by_area
from portal.artist.ordering import StyleChoice, sizes_of, style_choices
from programme.queries import MembershipView

USUAL_SECONDS = 10


def finals_of(
    member: MembershipView | None, variants: list[VariantView], clip: ClipView, sent: Mapping[str, str]
) -> dict[str, Any]:
    """The fields of the form, as they were `sent` if they were; one statement.

    Empty where no variant makes finals, or the clip is from one already.
    """
    able = [variant for variant in variants if variant.is_final and variant.slug != clip.variant_slug]
    if member is None or not able:
        return {}
    styles = [choice for choice in style_choices(usable(member), able, ()) if not _is_of(clip, choice)]
    rate = clip.fps if clip.fps in able[0].rates else able[0].rates[0]
    return {
        "variants": able,
        "styles": styles,
        "sizes": sizes_of(able),
        "lengths": sorted({length for one in able for length in one.lengths}),
        "rates": sorted({rate for one in able for rate in one.rates}),
        "variant": sent.get("variant", ""),
        "style": sent.get("style", ""),
        "size": sent.get("size") or max(able[0].sizes, key=by_area),
        "seconds": sent.get("seconds") or str(_length(able[0], clip)),
        "fps": sent.get("fps") or str(rate),
    }


def _length(variant: VariantView, clip: ClipView) -> int:
    """Takes are short, for most are put aside; a final is what is shown, and is longer by itself.

    Ten seconds, or the take's own length where that is more; where the variant does not make it, what is nearest to
    the take. Not the longest that there is: that would spend a good part of the day on one clip, unasked.
    """
    wanted = max(USUAL_SECONDS, clip.seconds)
    if wanted in variant.lengths:
        return wanted
    return min(sorted(variant.lengths), key=lambda length: abs(length - clip.seconds))


def _is_of(clip: ClipView, choice: StyleChoice) -> bool:
    return clip.style is not None and choice.style.public_id == clip.style.public_id
