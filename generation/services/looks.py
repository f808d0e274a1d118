"""What a style makes of an order: the words, the guidance and the LoRA file that a clip is rendered with."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Exists, F, OuterRef, Q

from core import names
from core.errors import Invalid
from generation import look_rules as rules
from generation.models import Adapter, ModelVariant, StylePreset, Video
from generation.queries import styles
from generation.services import owned
from programme.queries import MembershipView


@dataclass(frozen=True, slots=True)
class Look:
    """Columns of a Video. `style` and `adapter` are row ids; `styled_prompt` is empty where no style was named."""

    styled_prompt: str
    negative_prompt: str
    guidance: float
    style: int | None = None
    adapter: int | None = None
    adapter_weight: float | None = None


def resolve(
    *,
    member: MembershipView,
    variant: ModelVariant,
    prompt: str,
    style: str | None = None,
    negative_prompt: str | None = None,
) -> Look:
    """The look of an order. Call it in the order's transaction: the adapter is held until that ends.

    `style` is a public id or a name, the member's own before the programme's. No statement without a style, one with
    it, two where it has an adapter. Raises Invalid with the field named: unknown_style, style_retired,
    style_unusable, style_for_another_model, prompt_too_long, invalid_negative_prompt.
    """
    negative = (negative_prompt or "").strip()
    rules.check_negative_prompt(negative)
    if not style:
        return Look(styled_prompt="", negative_prompt=negative, guidance=variant.guidance)
    row = _style(member, style)
    if row.adapter is not None:
        _check_adapter(row.name, row.adapter, variant)
    return Look(
        styled_prompt=rules.styled(row.template, prompt.strip(), style=row.name),
        negative_prompt=rules.joined(row.negative_prompt, negative),
        guidance=variant.guidance if row.guidance is None else row.guidance,
        style=row.pk,
        adapter=row.adapter_id,
        adapter_weight=row.adapter_weight if row.adapter_id else None,
    )


def of_clip(*, member: MembershipView, variant: ModelVariant, clip: Video) -> Look:
    """The look that a clip was made with, word for word, whatever has become of its style since.

    For the same prompt again, on the same variant or on another one. Its guidance is kept where the style had set it
    or the variant is the same. Call it in the order's transaction. Raises Invalid (field `style`): style_unusable
    when its adapter was retired or is not the member's to use any more, style_for_another_model. At most three
    statements.
    """
    if clip.adapter is not None:
        if not styles.adapters_open_to(member).filter(pk=clip.adapter.pk).exists():
            raise _unusable(clip.style.name if clip.style else clip.adapter.name)
        _check_adapter(clip.style.name if clip.style else clip.adapter.name, clip.adapter, variant)
    kept = clip.variant_id == variant.pk or (clip.style is not None and clip.style.guidance is not None)
    return Look(
        styled_prompt=clip.styled_prompt,
        negative_prompt=clip.negative_prompt,
        guidance=clip.guidance if kept else variant.guidance,
        style=clip.style_id,
        adapter=clip.adapter_id,
        adapter_weight=clip.adapter_weight,
    )


def _style(member: MembershipView, named: str) -> StylePreset:
    """The style with that public id or name. A retired one is found where no live one bears the name."""
    usable_adapter = styles.adapters_open_to(member).filter(pk=OuterRef("adapter"))
    rows = styles.styles_open_to(member).filter(Q(public_id=named) | Q(name__iexact=names.tidy(named)))
    rows = rows.select_related("adapter").annotate(adapter_works=Exists(usable_adapter))
    row = rows.order_by(F("retired_at").desc(nulls_first=True), F("membership").asc(nulls_last=True)).first()
    if row is None:
        raise _refusal("unknown_style", f"There is no style “{named[:60]}” that you can use here.")
    if row.retired_at is not None:
        raise _refusal("style_retired", f"The style “{row.name}” was retired. Choose another one, or none.")
    if row.adapter_id is not None and not row.adapter_works:
        raise _unusable(row.name)
    return row


def _check_adapter(style: str, adapter: Adapter, variant: ModelVariant) -> None:
    if not variant.adapters:
        raise _refusal(
            "style_for_another_model",
            f"The style “{style}” loads a LoRA file, and {variant.name} cannot. Choose another model or style.",
        )
    if adapter.checkpoint != variant.checkpoint:
        raise _refusal(
            "style_for_another_model",
            f"The style “{style}” was made for another model than {variant.name}. Choose that model, or another style.",
        )
    if not owned.hold(adapter, "retired_at"):
        raise _unusable(style)


def _unusable(style: str) -> Invalid:
    return _refusal(
        "style_unusable",
        f"The style “{style}” needs an adapter that was retired or is not open to your cohort any more.",
    )


def _refusal(code: str, sentence: str) -> Invalid:
    return Invalid(code, sentence, fields={"style": sentence})
