"""Which checkpoints are loaded, and what is known of them."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from pathlib import Path

import pytest

from generation.backends import registry
from generation.backends.diffusers.checkpoints import BUILTIN, digest, locate, refuse_foreign_code
from generation.backends.diffusers.families import FAMILIES, WAN, read_profile
from generation.errors import EngineError
from tests.rig.tiny.wan import save_tiny_wan


def pipeline_folder(folder: Path, **entries: object) -> Path:
    index = {"_class_name": "WanPipeline", "vae": ["diffusers", "AutoencoderKLWan"], **entries}
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


def test_builtin_is_the_folder_that_is_shipped() -> None:
    assert locate("builtin") == BUILTIN
    refuse_foreign_code(BUILTIN)


def test_one_instance_of_a_checkpoint_in_a_process() -> None:
    assert registry.load("null") is registry.load("null")


@pytest.mark.parametrize("name", ["no such folder", "./gone", "a/b/c", "/absolute/gone"])
def test_refuses_what_is_neither_folder_nor_hub_id(name: str) -> None:
    with pytest.raises(EngineError):
        locate(name)


def test_asks_the_hub_for_the_pinned_revision_and_for_safetensors_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers import DiffusionPipeline

    asked: list[tuple[str, dict[str, object]]] = []

    def download(name: str, **named: object) -> str:
        asked.append((name, named))
        return str(tmp_path)

    monkeypatch.setattr(DiffusionPipeline, "download", download)
    assert locate("owner/name@abc123") == locate("owner/name") == tmp_path
    safe = {"use_safetensors": True, "trust_remote_code": False}
    assert asked == [
        ("owner/name", {"revision": "abc123", **safe}),
        ("owner/name", {"revision": None, **safe}),
    ]


def test_refuses_unknown_backend() -> None:
    with pytest.raises(EngineError, match="no backend 'sora'"):
        registry.load("sora")


@pytest.mark.parametrize(
    "entries",
    [{"_class_name": ["pipeline", "Mine"]}, {"transformer": ["my_transformer", "Mine"]}],
    ids=["pipeline", "part"],
)
def test_refuses_code_that_comes_with_a_checkpoint(tmp_path: Path, entries: dict[str, object]) -> None:
    with pytest.raises(EngineError):
        refuse_foreign_code(pipeline_folder(tmp_path, **entries))


def test_refuses_a_folder_without_a_pipeline(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match=r"model_index\.json"):
        refuse_foreign_code(tmp_path)


def test_refuses_pickled_weights(tmp_path: Path) -> None:
    import torch

    folder = tmp_path / "pickled"
    shutil.copytree(BUILTIN, folder)
    weights = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    torch.save({}, weights.with_suffix(".bin"))
    weights.unlink()
    with pytest.raises(OSError, match="safetensors"):
        registry.load("diffusers", str(folder))


def test_refuses_family_that_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="FluxPipeline"):
        read_profile(pipeline_folder(tmp_path, _class_name="FluxPipeline"))


def test_refuses_profile_with_unknown_entries(tmp_path: Path) -> None:
    (pipeline_folder(tmp_path) / "profile.json").write_text('{"heigth": 96}')
    with pytest.raises(EngineError, match="heigth"):
        read_profile(tmp_path)


def test_digest_changes_with_any_file(tmp_path: Path) -> None:
    folder = pipeline_folder(tmp_path)
    before = digest(folder)
    assert digest(folder) == before
    (folder / "profile.json").write_text("{}")
    assert digest(folder) != before


def test_refuses_a_script_beside_the_weights(tmp_path: Path) -> None:
    (pipeline_folder(tmp_path) / "vae").mkdir()
    (tmp_path / "vae" / "diffusers.py").write_text("print('hello')")
    with pytest.raises(EngineError, match=r"diffusers\.py"):
        refuse_foreign_code(tmp_path)


def test_refuses_profile_that_chooses_what_runs_it(tmp_path: Path) -> None:
    (pipeline_folder(tmp_path) / "profile.json").write_text('{"text": "StableDiffusionPipeline"}')
    with pytest.raises(EngineError, match="text"):
        read_profile(tmp_path)


def test_refuses_rung_that_is_none(tmp_path: Path) -> None:
    (pipeline_folder(tmp_path) / "profile.json").write_text('{"ladder": ["none", "disk"]}')
    with pytest.raises(EngineError, match="disk"):
        read_profile(tmp_path)


@pytest.mark.parametrize(
    ("entries", "family"),
    [
        ({}, "Wan 2.1"),
        ({"expand_timesteps": False, "boundary_ratio": None}, "Wan 2.1"),
        ({"expand_timesteps": True}, "Wan 2.2 TI2V 5B"),
        ({"boundary_ratio": 0.875}, "Wan 2.2 A14B"),
        ({"_class_name": "WanImageToVideoPipeline"}, "Wan 2.1 from pictures"),
        ({"_class_name": "LTXConditionPipeline"}, "LTX-Video 0.9.5 and later"),
    ],
)
def test_tells_families_apart_by_what_the_checkpoint_says(
    tmp_path: Path, entries: dict[str, object], family: str
) -> None:
    assert read_profile(pipeline_folder(tmp_path, **entries)).name == family


def test_fixed_number_of_frames_spans_any_length_unless_windows_are_named(tmp_path: Path) -> None:
    profile = pipeline_folder(tmp_path) / "profile.json"
    profile.write_text('{"frames": 16}')
    assert read_profile(tmp_path).window_seconds is None
    profile.write_text('{"frames": 16, "window_seconds": [2, 5]}')
    assert read_profile(tmp_path).window_seconds == (2, 5)


def test_every_family_runs_by_classes_that_diffusers_has() -> None:
    import diffusers

    for family in FAMILIES:
        for name in {family.text, family.picture, *family.pipelines} - {None}:
            assert hasattr(diffusers, str(name)), name
        assert family.max_frames % family.frame_step == 1
        assert WAN.seconds == family.seconds == (1, 20)


def test_what_is_let_go_of_leaves_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_loaded", {})
    save_tiny_wan(tmp_path)
    place = ("diffusers", str(tmp_path))
    model = weakref.ref(registry.load(*place))
    kept = registry.load("null")
    assert list(registry.loaded()) == [place, ("null", "builtin")]

    registry.keep({("null", "builtin")})
    gc.collect()

    assert model() is None
    assert registry.loaded() == {("null", "builtin"): kept}
