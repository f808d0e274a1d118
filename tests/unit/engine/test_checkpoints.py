"""Which checkpoints are loaded, and what may be asked of them."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from generation.backends import registry
from generation.backends.diffusers.checkpoints import BUILTIN, digest, locate, refuse_foreign_code
from generation.backends.diffusers.profile import FAMILIES, check, native_size, read_profile
from generation.errors import EngineError, SpecRejected
from generation.spec import RenderSpec

WAN = FAMILIES["WanPipeline"]
SPEC = RenderSpec("a boat", seed=1, width=1280, height=720, seconds=4, fps=24, steps=8, guidance=2.0)


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
    with pytest.raises(EngineError, match="MochiPipeline"):
        read_profile(pipeline_folder(tmp_path, _class_name="MochiPipeline"))


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


@pytest.mark.parametrize(
    ("width", "height", "seconds", "native"),
    [(1280, 720, 4, (848, 480, 65)), (720, 1280, 5, (480, 848, 81)), (320, 320, 1, (320, 320, 17))],
)
def test_wan_is_asked_for_sizes_and_lengths_it_was_trained_near(
    width: int, height: int, seconds: int, native: tuple[int, int, int]
) -> None:
    size = native_size(WAN, replace(SPEC, width=width, height=height, seconds=seconds))
    assert (size.width, size.height, size.frames) == native
    assert size.width % 16 == size.height % 16 == 0
    assert size.frames % 4 == 1


def test_builtin_is_asked_for_its_only_size() -> None:
    size = native_size(read_profile(BUILTIN), replace(SPEC, seconds=20))
    assert (size.width, size.height, size.frames) == (160, 96, 16)


def test_refused_size_names_sizes_that_work() -> None:
    with pytest.raises(SpecRejected, match="1280 × 720") as refused:
        check(read_profile(BUILTIN), replace(SPEC, width=720, height=1280))
    assert refused.value.code == "unsupported_size"


def test_refused_length_names_the_longest() -> None:
    with pytest.raises(SpecRejected, match="1 to 20 seconds") as refused:
        check(read_profile(BUILTIN), replace(SPEC, seconds=10_000))
    assert refused.value.code == "unsupported_length"
