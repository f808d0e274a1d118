"""Where a checkpoint's files are, what identifies them, and that they bring no code of their own."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

from generation.errors import EngineError

BUILTIN: Final = Path(__file__).with_name("checkpoint")
# `ltx2` is where diffusers keeps parts that its LTX-2 pipelines alone have.
_STOCK_LIBRARIES: Final = {"diffusers", "transformers", "ltx2", None}


def locate(checkpoint: str) -> Path:
    """The folder of `builtin`, of a folder's path, or of a hub id, which is fetched into the hub's cache."""
    if checkpoint == "builtin":
        return BUILTIN
    if (folder := Path(checkpoint)).is_dir():
        return folder
    name, _, revision = checkpoint.partition("@")
    if name.count("/") != 1 or name.startswith((".", "/")):
        raise EngineError(
            f"There is no checkpoint folder {checkpoint}, and it is no hub id such as owner/name@revision."
        )
    return _fetch(name, revision or None)


def _fetch(name: str, revision: str | None) -> Path:
    from diffusers import DiffusionPipeline

    return Path(
        DiffusionPipeline.download(name, revision=revision, use_safetensors=True, trust_remote_code=False)
    )


def refuse_foreign_code(folder: Path) -> None:
    """EngineError unless every part of the pipeline is a class of diffusers or transformers, with no code beside it."""
    if scripts := sorted(file.name for file in folder.rglob("*.py")):
        raise EngineError(
            f"The checkpoint comes with code of its own ({scripts[0]}); only stock classes are loaded."
        )
    index_file = folder / "model_index.json"
    if not index_file.is_file():
        raise EngineError(f"{folder} is no pipeline folder: it has no model_index.json.")
    index = json.loads(index_file.read_text(encoding="utf-8"))
    for part, entry in index.items():
        if part == "_class_name" and not isinstance(entry, str):
            raise EngineError(
                "The checkpoint wants to run a pipeline of its own; only stock ones are loaded."
            )
        if isinstance(entry, list) and entry and entry[0] not in _STOCK_LIBRARIES:
            raise EngineError(
                f"The checkpoint's part {part} comes with code of its own; only stock classes are loaded."
            )


def digest(folder: Path) -> str:
    """SHA-256 over the names and contents of all files that decide what is rendered (weights, JSON, vocabularies)."""
    total = hashlib.sha256()
    for file in sorted(
        path for path in folder.rglob("*") if path.suffix in {".safetensors", ".json", ".model", ".txt"}
    ):
        with file.open("rb") as content:
            file_digest = hashlib.file_digest(content, "sha256").hexdigest()
        total.update(f"{file.relative_to(folder).as_posix()} {file_digest}\n".encode())
    return total.hexdigest()
