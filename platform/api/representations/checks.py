"""Where a file is from."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from api.representations.lists import stamp
from delivery.checking import Checked
from generation.credentials.claims import Claims


def verification(row: Checked) -> dict[str, Any]:
    """`credentials.state` speaks of what is inside the file, `approval` of the file as a whole."""
    approval = row.approval
    return {
        "object": "verification",
        "sha256": row.sha256,
        "bytes": row.bytes,
        "ours": row.ours,
        "approval": {
            "state": "active" if approval.active else "ended",
            "share": f"{settings.BASE_URL}/s/{approval.share}",
            "ended_at": stamp(approval.ended_at),
        }
        if approval
        else None,
        "credentials": {
            "state": row.credentials.state,
            "failures": list(row.credentials.failures),
            "certificate": {
                "ours": row.signer.ours,
                "expired": row.signer.expired,
                "not_after": stamp(row.signer.until),
            }
            if row.signer
            else None,
            "claims": _claims(row.credentials.claims) if row.credentials.claims else None,
        },
    }


def _claims(claims: Claims) -> dict[str, Any]:
    return {
        "title": claims.title or None,
        "generator": claims.generator or None,
        "model": claims.model or None,
        "variant": claims.variant or None,
        "source_type": claims.source_type or None,
        "actions": list(claims.actions),
        "signer": claims.signer_name or None,
        "organisation": claims.signer_organisation or None,
        "signed_at": stamp(claims.signed_at),
        "author": claims.author or None,
        "ingredients": [
            {"title": one.title, "relationship": one.relationship, "state": one.state}
            for one in claims.ingredients
        ],
    }
