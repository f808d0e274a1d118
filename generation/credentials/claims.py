"""What an active manifest claims, cut to sizes that a page can show."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

EXPIRED: Final = "signingCredential.expired"  # C2PA's status code
TEXT = 300  # characters; a hostile manifest may hold megabytes
ENTRIES = 50

IngredientState = Literal["none", "valid", "changed"]


@dataclass(frozen=True, slots=True)
class IngredientClaim:
    title: str
    relationship: str
    state: IngredientState  # as the signer of the file found it; `none`: it was only named


@dataclass(frozen=True, slots=True)
class Certificate:
    """The one that signed. `sha256` is of all its bytes (DER): a serial number anybody could give to theirs."""

    sha256: str
    not_after: datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """Texts are "" and times None where the manifest does not say."""

    generator: str  # name and version of the program that signed
    title: str
    model: str
    variant: str
    source_type: str  # IPTC's address of how it was made
    actions: tuple[str, ...]
    signer_name: str
    signer_organisation: str
    signed_at: (
        datetime | None
    )  # said by a time-stamp server under one of the anchors; nobody else is believed
    ingredients: tuple[IngredientClaim, ...]
    soft_bindings: tuple[str, ...]  # as written: base64
    author: str
    signer_serial: str  # of the signer's certificate, in decimal


def claims(store: object) -> Claims | None:
    """The claims of the store's active manifest; None where it has none. Any shape of JSON may come in."""
    manifest = _map(_map(_map(store).get("manifests")).get(str(_map(store).get("active_manifest"))))
    if not manifest:
        return None
    actions = list(_actions(manifest))
    made = next((each for each in actions if each.get("digitalSourceType")), {})
    agent: object = next((each["softwareAgent"] for each in actions if each.get("softwareAgent")), {})
    signature = _map(manifest.get("signature_info"))
    return Claims(
        generator=_generator(manifest),
        title=_text(manifest.get("title")),
        model=_text(agent if isinstance(agent, str) else _map(agent).get("name")),
        variant=_text(_map(agent).get("version")),
        source_type=_text(made.get("digitalSourceType")),
        actions=tuple(_text(each.get("action")) for each in actions),
        signer_name=_text(signature.get("common_name")),
        signer_organisation=_text(signature.get("issuer")),
        signed_at=_time(signature.get("time")) if "timeStamp.trusted" in codes(store, "success") else None,
        ingredients=tuple(_ingredient(_map(each)) for each in _list(manifest.get("ingredients"))),
        soft_bindings=tuple(_bindings(manifest)),
        author=_author(manifest),
        signer_serial=_text(signature.get("cert_serial_number")),
    )


def codes(store: object, kind: Literal["success", "failure"]) -> tuple[str, ...]:
    """C2PA's status codes of the active manifest's validation."""
    results = _map(_map(_map(store).get("validation_results")).get("activeManifest"))
    return tuple(str(_map(each).get("code")) for each in _list(results.get(kind)))


def _generator(manifest: dict[str, Any]) -> str:
    for info in _list(manifest.get("claim_generator_info")):
        named = _map(info)
        return " ".join(part for part in (_text(named.get("name")), _text(named.get("version"))) if part)
    return _text(manifest.get("claim_generator"))  # claims of version 1 have a text


def _actions(manifest: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for data in _assertions(manifest, "c2pa.actions"):
        yield from (_map(each) for each in _list(data.get("actions")))


def _bindings(manifest: dict[str, Any]) -> Iterator[str]:
    for data in _assertions(manifest, "c2pa.soft-binding"):
        yield from (_text(_map(block).get("value")) for block in _list(data.get("blocks")))


def _author(manifest: dict[str, Any]) -> str:
    for data in _assertions(manifest, "cawg.metadata"):
        for creator in _list(data.get("dc:creator")):
            return _text(creator)
    for data in _assertions(manifest, "stds.schema-org.CreativeWork"):
        for author in _list(data.get("author")):
            return _text(_map(author).get("name"))
    return ""


def _ingredient(described: dict[str, Any]) -> IngredientClaim:
    return IngredientClaim(
        _text(described.get("title")), _text(described.get("relationship")), _ingredient_state(described)
    )


def _ingredient_state(described: dict[str, Any]) -> IngredientState:
    if not described.get("active_manifest"):
        return "none"
    results = _map(_map(described.get("validation_results")).get("activeManifest"))
    codes = {str(_map(each).get("code")) for each in _list(results.get("failure"))}
    return "changed" if any(not code.startswith("signingCredential.") for code in codes) else "valid"


def _assertions(manifest: dict[str, Any], label: str) -> Iterator[dict[str, Any]]:
    """Data of every assertion of that kind; labels may carry a version and an instance (`.v2`, `__1`)."""
    for assertion in _list(manifest.get("assertions")):
        named = str(_map(assertion).get("label"))
        if named == label or named.startswith((f"{label}.v", f"{label}__")):
            yield _map(_map(assertion).get("data"))


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value[:ENTRIES] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:TEXT] if isinstance(value, str) else ""


def _time(value: object) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
