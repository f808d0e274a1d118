"""Model fields that several apps use."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from django.db import models

from core import ids

if TYPE_CHECKING:
    _TextField = models.CharField[str, str]
else:
    _TextField = models.CharField  # generic in the stubs only


class PublicIdField(_TextField):
    """An unguessable id with a prefix: the only id that leaves the house."""

    def __init__(self, *args: Any, prefix: str = "", **kwargs: Any) -> None:
        self.prefix = prefix
        maker: Callable[[], str] = partial(ids.new, prefix)
        kwargs |= {"max_length": 40, "unique": True, "editable": False, "default": maker}
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        for generated in ("max_length", "unique", "editable", "default"):
            kwargs.pop(generated, None)
        return name, path, args, kwargs | {"prefix": self.prefix}
