"""What a person may be called, and which passwords and addresses are good enough."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.models import NAME_LENGTH, User
from core import names
from core.errors import Invalid


def public_name(text: str) -> str:
    """`text` as it will be shown: NFC, single spaces. Raises Invalid when it is empty, long or unprintable."""
    if names.unseen(text):
        raise _bad_name("A public name has no control characters or line breaks.")
    name = names.tidy(text)
    if names.blank(name):
        raise _bad_name("Choose a public name: it stands beside what you show.")
    if len(name) > NAME_LENGTH:
        raise _bad_name(f"A public name has at most {NAME_LENGTH} characters; this has {len(name)}.")
    return name


def email_address(text: str) -> str:
    """`text` in lower case. Raises Invalid when it is not an address."""
    email = text.strip().lower()
    try:
        validate_email(email)
        if len(email) > 254:  # the longest that fits an SMTP path (RFC 5321)
            raise ValidationError("too long")
    except ValidationError:
        sentence = f"“{email[:80]}” is not an e-mail address."
        raise Invalid("bad_email", sentence, fields={"email": sentence}) from None
    return email


def check_password(password: str, *, email: str) -> None:
    """Raise Invalid, with every reason, when the password is too weak."""
    try:
        validate_password(password, User(email=email))  # never saved: one validator compares with its fields
    except ValidationError as error:
        sentence = " ".join(error.messages)
        raise Invalid("weak_password", sentence, fields={"password": sentence}) from None


def _bad_name(sentence: str) -> Invalid:
    return Invalid("bad_public_name", sentence, fields={"public_name": sentence})
