"""Our files in the eyes of c2pa-ts, which shares no code with the library that signs them.

It checks signatures, hashes and the rules of the specification, but not whose root a chain ends in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from generation.credentials.manifest import Ingredient, Provenance
from generation.credentials.signer import Signer
from tests.rig.c2pa_ts import Look

KINDS = ["video/mp4", "image/jpeg", "image/png"]

pytestmark = pytest.mark.timeout(600)


@pytest.mark.parametrize("kind", KINDS)
def test_finds_our_files_valid(kind: str, signed: dict[str, Path], look: Look) -> None:
    found = look(signed[kind])
    assert (found["valid"], found["failures"]) == (True, [])
    binding = "assertion.bmffHash.match" if kind == "video/mp4" else "assertion.dataHash.match"
    assert {"claimSignature.validated", "assertion.hashedURI.match", binding} <= set(found["successes"])
    assert (found["title"], found["generator"]) == ("Harbour at dawn", "Private View 0.1.0")
    assert found["actions"] == ["c2pa.created", "c2pa.watermarked.bound"]
    assert "c2pa.soft-binding" in found["labels"]


@pytest.mark.parametrize("kind", KINDS)
def test_finds_nothing_in_unsigned_files(kind: str, originals: dict[str, Path], look: Look) -> None:
    assert look(originals[kind]) == {"found": False}


@pytest.mark.parametrize("kind", KINDS)
def test_finds_a_flipped_bit(kind: str, signed: dict[str, Path], look: Look, tmp_path: Path) -> None:
    content = bytearray(signed[kind].read_bytes())
    content[-200] ^= 1
    damaged = tmp_path / signed[kind].name
    damaged.write_bytes(content)
    assert look(damaged)["valid"] is False


@pytest.mark.parametrize("relationship", ["parentOf", "inputTo", "componentOf"])
def test_finds_what_a_clip_was_made_from(
    relationship: Any,
    signer: Signer,
    originals: dict[str, Path],
    signed: dict[str, Path],
    say: Callable[..., Provenance],
    look: Look,
    tmp_path: Path,
) -> None:
    parent = Ingredient("Harbour at dawn", relationship, "video/mp4", "urn:uuid:1", signed["video/mp4"])
    said = say(ingredients=(parent, Ingredient("Sketch", "inputTo", "image/png")), author="Ada Lind")
    signer.sign(originals["video/mp4"], tmp_path / "child.mp4", said)
    found = look(tmp_path / "child.mp4")
    assert (found["valid"], found["failures"], found["manifests"]) == (True, [], 2)
    assert {"c2pa.ingredient.v3", "c2pa.ingredient.v3__1", "cawg.metadata"} <= set(found["labels"])
    assert found["actions"][0] == ("c2pa.opened" if relationship == "parentOf" else "c2pa.created")
