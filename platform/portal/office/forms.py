"""What the office's small forms share. What is allowed is for the services to say; this only reads what was typed."""

from __future__ import annotations

from core.errors import DomainError, Invalid


def whole_number(field: str, typed: str) -> int:
    """Raises Invalid, naming the field."""
    text = typed.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        sentence = "Write a whole number."
        raise Invalid("not_a_number", sentence, fields={field: sentence})
    return int(text)


def sentences(refusal: DomainError, field: str) -> dict[str, str]:
    """A sentence for each field; at `field` where the refusal names none that the form shows."""
    named = dict(refusal.fields) if isinstance(refusal, Invalid) else {}
    return named or {field: refusal.sentence}
