"""Pictures that a clip can start from: uploaded, or frames of own clips. Each is private to its membership."""

from __future__ import annotations

from core.errors import Invalid
from generation.models import Character, CharacterPicture, ModelVariant, Reference
from generation.services import owned
from programme.queries import MembershipView


def resolve(
    *,
    member: MembershipView,
    variant: ModelVariant,
    reference: str | None = None,
    character: str | None = None,
) -> int | None:
    """Row id of the picture that an order starts from; None when it names neither.

    `reference` is a public id, `character` a public id or a name. A character gives its first picture, or with
    `reference` that one, which must be among its pictures. Call it in the order's transaction: the picture is held
    until that ends. At most three statements. Raises Invalid with the field named: images_unsupported,
    unknown_reference, reference_removed, unknown_character, not_in_character.
    """
    if not reference and not character:
        return None
    if not variant.images:
        sentence = (
            f"{variant.name} does not start from a picture. Choose another model, or leave the picture out."
        )
        raise _refusal("images_unsupported", "reference" if reference else "character", sentence)
    row = _of_character(member, character, reference) if character else _own(member, reference or "")
    if row.removed_at is not None or not owned.hold(row, "removed_at"):
        sentence = "You removed this picture. Choose another one, or upload it again."
        raise _refusal("reference_removed", "reference" if reference else "character", sentence)
    return row.pk


def _own(member: MembershipView, public_id: str) -> Reference:
    row = Reference.objects.filter(public_id=public_id, membership_id=member.id).first()
    if row is None:
        raise _refusal("unknown_reference", "reference", "There is no such picture of yours.")
    return row


def _of_character(member: MembershipView, named: str, picture: str | None) -> Reference:
    rows = Character.objects.filter(membership_id=member.id, removed_at=None)
    character = rows.filter(public_id=named).first() or rows.filter(name=named).first()
    if character is None:
        raise _refusal("unknown_character", "character", f"There is no character “{named[:60]}” of yours.")
    entries = CharacterPicture.objects.filter(character=character).select_related("reference")
    if picture:
        entries = entries.filter(reference__public_id=picture)
    entry = entries.order_by("position").first()
    if entry is None:
        sentence = f"This is not one of the pictures of “{character.name}”."
        raise _refusal("not_in_character", "reference" if picture else "character", sentence)
    return entry.reference


def _refusal(code: str, field: str, sentence: str) -> Invalid:
    return Invalid(code, sentence, fields={field: sentence})
