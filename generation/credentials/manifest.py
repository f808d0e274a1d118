"""What is said about a file, and the manifest that says it."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from generation.credentials.errors import CredentialsError

Json = dict[str, Any]
Relationship = Literal["parentOf", "inputTo", "componentOf"]

GENERATOR = "Private View"
# On nobody's list of soft bindings: it names our forensic mark, which only we can read.
MARK_ALGORITHM = "private-view.forensic-mark.1"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
AUTHOR_CONTEXT = {"dc": "http://purl.org/dc/elements/1.1/"}


@dataclass(frozen=True, slots=True)
class Ingredient:
    """What a file was made from.

    `parentOf`: its pictures are still in the file (an extension). `inputTo`: a model looked at it and
    drew anew (a remix, a picture to start from). `componentOf`: it was placed inside. With a `path` to a signed
    file, that file's manifests are carried along; without one it is only named.
    """

    title: str
    relationship: Relationship
    media_type: str
    instance: str = ""  # our own stable name of it, such as urn:uuid:...; "" where it has none
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """How one file was made. Nobody is named unless `author` is, which is for artists who asked for it."""

    title: str
    media_type: str
    model: str
    variant: str
    software: str  # Private View's version
    mark_digest: bytes | None = None  # HMAC-SHA256 of the mark's number; the number itself could be guessed
    ingredients: tuple[Ingredient, ...] = ()
    author: str | None = None


def definition(provenance: Provenance) -> Json:
    """The manifest for the signer. Raises CredentialsError where two ingredients claim to be the parent."""
    assertions = [
        # `created` puts an assertion among those that the signer vouches for (claim v2); the specification
        # wants the actions there, and the library would file them under hearsay.
        {"label": "c2pa.actions.v2", "data": {"actions": _actions(provenance)}, "created": True}
    ]
    if provenance.mark_digest is not None:
        assertions.append(
            {"label": "c2pa.soft-binding", "data": _binding(provenance.mark_digest), "created": True}
        )
    if provenance.author:
        # The artist's own word, so not among what the signer vouches for. The older
        # stds.schema-org.CreativeWork may be read but not written since C2PA 2.0.
        data = {"@context": AUTHOR_CONTEXT, "dc:creator": [provenance.author]}
        assertions.append({"label": "cawg.metadata", "kind": "Json", "data": data})
    return {
        "claim_generator_info": [{"name": GENERATOR, "version": provenance.software}],
        "title": provenance.title,
        "format": provenance.media_type,
        "assertions": assertions,
        "ingredients": [
            ingredient_definition(each, index)
            for index, each in enumerate(provenance.ingredients)
            if each.path is None  # the others are read from their files by the signer
        ],
    }


def ingredient_definition(ingredient: Ingredient, index: int) -> Json:
    """The ingredient for the signer; its label is what the actions refer to."""
    described: Json = {
        "title": ingredient.title,
        "relationship": ingredient.relationship,
        "format": ingredient.media_type,
        "label": _label(index),
    }
    if ingredient.instance:
        described["instance_id"] = ingredient.instance
    return described


def _actions(provenance: Provenance) -> list[Json]:
    agent = {"name": provenance.model, "version": provenance.variant}
    actions = _beginning(provenance, agent)
    if placed := _labels(provenance, "componentOf"):
        actions.append({"action": "c2pa.placed", "parameters": {"ingredientIds": placed}})
    if provenance.mark_digest is not None:
        actions.append({"action": "c2pa.watermarked.bound", "description": "Forensic mark in every picture"})
    return actions


def _beginning(provenance: Provenance, agent: Json) -> list[Json]:
    """`c2pa.created`, or where pictures of a parent remain `c2pa.opened` and the generation as an edit.

    A manifest has exactly one of the two, first (C2PA 2.4, sections 15.10.3.2.3 and 18.15.2). `c2pa.opened` must
    refer to the parent and takes no source type, so that stands with the edit.
    """
    made: Json = {"digitalSourceType": GENERATED, "softwareAgent": agent}
    if inputs := _labels(provenance, "inputTo"):
        made["parameters"] = {"ingredientIds": inputs}
    parents = _labels(provenance, "parentOf")
    if len(parents) > 1:
        raise CredentialsError("A file has at most one parent; what else went into it is an input.")
    if not parents:
        return [{"action": "c2pa.created", **made}]
    return [
        {"action": "c2pa.opened", "parameters": {"ingredientIds": parents}},
        {"action": "c2pa.edited", **made},
    ]


def _binding(digest: bytes) -> Json:
    # An empty scope says: the whole file. Without the field the assertion is malformed.
    return {"alg": MARK_ALGORITHM, "blocks": [{"scope": {}, "value": base64.b64encode(digest).decode()}]}


def _labels(provenance: Provenance, relationship: Relationship) -> list[str]:
    return [_label(i) for i, each in enumerate(provenance.ingredients) if each.relationship == relationship]


def _label(index: int) -> str:
    return f"ingredient-{index}"
