"""Pages by keyset: the last row's public id says where the next page begins, at any depth for the same price."""

from __future__ import annotations

from typing import Any, TypeVar

from django.db.models import Model, Q, QuerySet

from core.errors import Invalid

M = TypeVar("M", bound=Model)


def after_row(rows: QuerySet[M], after: str | None, *, key: str, descending: bool) -> QuerySet[M]:
    """`rows` in the order of (`key`, id), those behind the row with the public id `after`.

    One statement more when `after` is given. Raises Invalid when it is not one of `rows`.
    """
    sign = "-" if descending else ""
    ordered = rows.order_by(f"{sign}{key}", f"{sign}id")
    if after is None:
        return ordered
    edge: tuple[Any, int] | None = rows.filter(public_id=after).values_list(key, "pk").first()
    if edge is None:
        raise Invalid(
            "bad_cursor", "That cursor is not from this list.", fields={"after": "It is not from this list."}
        )
    value, pk = edge
    step = "lt" if descending else "gt"
    # The first condition says nothing new; it is the one that the index can use.
    return ordered.filter(
        Q(**{f"{key}__{step}e": value})
        & (Q(**{f"{key}__{step}": value}) | Q(**{key: value, f"pk__{step}": pk}))
    )
