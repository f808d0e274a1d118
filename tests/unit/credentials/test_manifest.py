"""What is said, and in which words, by what went into a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import c2pa
import pytest

from generation.credentials import signer as signing
from generation.credentials.chain import Chain
from generation.credentials.claims import Claims, IngredientClaim
from generation.credentials.errors import CredentialsError
from generation.credentials.manifest import Ingredient, Provenance, definition
from generation.credentials.reader import read
from generation.credentials.signer import Signer

Say = Callable[..., Provenance]
Make = Callable[..., Claims]


@pytest.fixture
def make(signer: Signer, own_chain: Chain, originals: dict[str, Path], say: Say, tmp_path: Path) -> Make:
    """Signs a file of that kind with what is said otherwise, and reads it back as trusted."""

    def signed(kind: str = "video/mp4", **changed: Any) -> Claims:
        signer.sign(originals[kind], tmp_path / "made", say(kind, **changed))
        reading = read(tmp_path / "made", own_chain.root, kind)
        assert (reading.state, reading.failures) == ("trusted", ())
        assert reading.claims is not None
        return reading.claims

    return signed


def test_nobody_is_named_without_their_wish(make: Make, say: Say, tmp_path: Path) -> None:
    assert make().author == ""
    assert b"cawg.metadata" not in (tmp_path / "made").read_bytes()
    assert make(author="Ada Lind").author == "Ada Lind"
    labels = [
        each["label"] for each in definition(say(author="Ada Lind"))["assertions"] if each.get("created")
    ]
    assert labels == ["c2pa.actions.v2", "c2pa.soft-binding"], "the signer does not vouch for the name"


def test_file_without_a_mark_claims_none(make: Make) -> None:
    claims = make("image/png", mark_digest=None)
    assert claims.actions == ("c2pa.created",)
    assert claims.soft_bindings == ()


def test_remix_is_created_from_an_input(make: Make, signed: dict[str, Path]) -> None:
    parent = Ingredient("Harbour at dawn", "inputTo", "video/mp4", "urn:uuid:1", signed["video/mp4"])
    claims = make(ingredients=(parent,))
    assert claims.actions == ("c2pa.created", "c2pa.watermarked.bound")
    assert claims.ingredients == (IngredientClaim("Harbour at dawn", "inputTo", "valid"),)
    assert claims.model == "example-video"


def test_extension_opens_its_parent_and_edits_it(make: Make, signed: dict[str, Path]) -> None:
    parent = Ingredient("Harbour at dawn", "parentOf", "video/mp4", "urn:uuid:1", signed["video/mp4"])
    claims = make(ingredients=(parent,))
    assert claims.actions == ("c2pa.opened", "c2pa.edited", "c2pa.watermarked.bound")
    assert claims.ingredients == (IngredientClaim("Harbour at dawn", "parentOf", "valid"),)
    assert claims.source_type.endswith("/trainedAlgorithmicMedia")


def test_still_opens_the_clip_it_is_from(make: Make, signed: dict[str, Path]) -> None:
    clip = Ingredient("Harbour at dawn", "parentOf", "video/mp4", path=signed["video/mp4"])
    for kind in ("image/jpeg", "image/png"):
        claims = make(kind, ingredients=(clip,))
        assert claims.actions[0] == "c2pa.opened"
        assert claims.ingredients == (IngredientClaim("Harbour at dawn", "parentOf", "valid"),)


def test_component_is_placed(make: Make, signed: dict[str, Path]) -> None:
    claims = make(ingredients=(Ingredient("Logo", "componentOf", "image/png", path=signed["image/png"]),))
    assert claims.actions == ("c2pa.created", "c2pa.placed", "c2pa.watermarked.bound")


def test_ingredients_without_credentials_are_named(
    make: Make, originals: dict[str, Path], signed: dict[str, Path]
) -> None:
    claims = make(
        ingredients=(
            Ingredient("Sketch", "inputTo", "image/png", "urn:uuid:2"),
            Ingredient("Photograph", "inputTo", "image/jpeg", path=originals["image/jpeg"]),
            Ingredient("Harbour at dawn", "parentOf", "video/mp4", path=signed["video/mp4"]),
        )
    )
    assert set(claims.ingredients) == {
        IngredientClaim("Sketch", "inputTo", "none"),
        IngredientClaim("Photograph", "inputTo", "none"),
        IngredientClaim("Harbour at dawn", "parentOf", "valid"),
    }


def test_damaged_parent_shows_as_changed(make: Make, signed: dict[str, Path], tmp_path: Path) -> None:
    damaged = bytearray(signed["video/mp4"].read_bytes())
    damaged[-100] ^= 1
    (tmp_path / "damaged.mp4").write_bytes(damaged)
    parent = Ingredient("Harbour at dawn", "inputTo", "video/mp4", path=tmp_path / "damaged.mp4")
    assert make(ingredients=(parent,)).ingredients[0].state == "changed"


def test_generations_are_carried_along(
    signer: Signer,
    own_chain: Chain,
    originals: dict[str, Path],
    signed: dict[str, Path],
    say: Say,
    tmp_path: Path,
) -> None:
    sizes, parent = [], signed["video/mp4"]
    for generation in range(3):
        child = tmp_path / f"{generation}.mp4"
        before = Ingredient(f"Generation {generation}", "parentOf", "video/mp4", path=parent)
        signer.sign(originals["video/mp4"], child, say(ingredients=(before,)))
        assert read(child, own_chain.root).state == "trusted"
        sizes.append(child.stat().st_size)
        parent = child
    assert sizes == sorted(sizes)
    assert sizes[-1] - originals["video/mp4"].stat().st_size < 80_000


def test_refuses_two_parents(signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path) -> None:
    parents = tuple(Ingredient(name, "parentOf", "video/mp4") for name in ("One", "Two"))
    with pytest.raises(CredentialsError, match="at most one parent"):
        signer.sign(originals["video/mp4"], tmp_path / "a.mp4", say(ingredients=parents))
    assert list(tmp_path.iterdir()) == []


def test_refuses_ingredient_that_is_not_there(
    signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    gone = Ingredient("Gone", "inputTo", "video/mp4", path=tmp_path / "gone.mp4")
    with pytest.raises(CredentialsError, match=r"gone\.mp4 could not be opened"):
        signer.sign(originals["video/mp4"], tmp_path / "a.mp4", say(ingredients=(gone,)))
    assert list(tmp_path.iterdir()) == []


def test_titles_in_any_script_come_back(make: Make) -> None:
    title = "Залив на рассвете “«»” 港の夜明け \u202e\n\"'<b>"
    assert make(title=title).title == title


def test_title_that_is_no_text_is_refused(
    signer: Signer, originals: dict[str, Path], say: Say, tmp_path: Path
) -> None:
    with pytest.raises(CredentialsError):
        signer.sign(originals["video/mp4"], tmp_path / "a.mp4", say(title="half a pair \ud800"))


def _without_source_type(manifest: dict[str, Any]) -> None:
    del manifest["assertions"][0]["data"]["actions"][0]["digitalSourceType"]


def _without_scope(manifest: dict[str, Any]) -> None:
    del manifest["assertions"][1]["data"]["blocks"][0]["scope"]


def _without_actions(manifest: dict[str, Any]) -> None:
    del manifest["assertions"][0]


@pytest.mark.parametrize("break_it", [_without_source_type, _without_scope, _without_actions])
def test_manifest_that_would_not_validate_is_never_written(
    break_it: Callable[[dict[str, Any]], None],
    signer: Signer,
    originals: dict[str, Path],
    say: Say,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(provenance: Provenance) -> dict[str, Any]:
        manifest = definition(provenance)
        break_it(manifest)
        return manifest

    monkeypatch.setattr(signing, "definition", broken)
    with pytest.raises(CredentialsError):
        signer.sign(originals["video/mp4"], tmp_path / "a.mp4", say())
    assert list(tmp_path.iterdir()) == []


def test_actions_are_vouched_for_by_the_signer(signed: dict[str, Path]) -> None:
    with c2pa.Reader(signed["video/mp4"]) as reader:
        manifest = reader.get_active_manifest()
    vouched = [each["label"] for each in manifest["assertions"] if each.get("created")]
    assert vouched[0] == "c2pa.actions.v2"
    assert set(vouched) == {"c2pa.actions.v2", "c2pa.soft-binding", "c2pa.hash.bmff.v3"}
