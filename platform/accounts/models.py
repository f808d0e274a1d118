"""A person. What they may do is for roles, programme and access to say."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from core.fields import PublicIdField

NAME_LENGTH = 60


class UserManager(BaseUserManager["User"]):
    """Addresses are kept in lower case, and found however they are typed."""

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)  # None makes a password that nothing matches
        user.save(using=self._db)
        return user

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Signs in with an e-mail address. There is no user name; the public name is chosen later and shown to visitors."""

    public_id = PublicIdField(prefix="usr")
    email = models.EmailField(unique=True, max_length=254)
    public_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="may open the Django admin")
    date_joined = models.DateTimeField()

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_in_any_case"),
            models.CheckConstraint(
                condition=~Q(public_name__regex=r"[[:cntrl:]]"), name="user_public_name_is_printable"
            ),
        ]

    def __str__(self) -> str:
        return self.public_name or self.email

    def get_full_name(self) -> str:
        return str(self)

    def get_short_name(self) -> str:
        return str(self)
