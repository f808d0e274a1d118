"""Styles, LoRA files, pictures and clips with frames, as real files through the real services."""

from __future__ import annotations

import hashlib
import io
import json
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from django.apps import apps
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save

from access.caller import Caller
from core import clock
from core.actors import system
from core.errors import DomainError, Invalid
from generation import keys
from generation.backends.diffusers.checkpoints import BUILTIN
from generation.models import Master, ModelVariant, Reference
from generation.queries import references
from generation.services import adapters, files, styles
from generation.services.styles import StyleSpec
from generation.worker import cache, sources, stills
from programme.queries import MembershipView, ProgrammeView
from tests.factories.generation import completed_video
from tests.rig import environment

PARTS = ("generation", "audit")


def everything() -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """All rows of this domain and of the log, and the names of all files in the store."""
    models = [
        model for part in PARTS for model in apps.get_app_config(part).get_models(include_auto_created=True)
    ]
    rows = {model._meta.label: list(model._base_manager.order_by("pk").values()) for model in models}
    media = environment.folder / "media"
    return rows, sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())


@contextmanager
def unchanged() -> Iterator[None]:
    """The block leaves no row and no file that was not there before."""
    before = everything()
    yield
    assert everything() == before


def programme_style(programme: ProgrammeView, spec: StyleSpec, now: datetime) -> str:
    return styles.create_for_programme(programme=programme, spec=spec, by=system("test"), now=now)


def builtin_shape(module: str = "blocks.0.attn1.to_q") -> tuple[int, int]:
    """(features out, features in) of a module of the built-in model."""
    (file,) = (BUILTIN / "transformer").glob("*.safetensors")
    with safe_open(file, framework="numpy") as weights:
        out, into = weights.get_slice(f"{module}.weight").get_shape()
    return out, into


def lora(*, rank: int = 4, module: str = "blocks.0.attn1.to_q", seed: int = 0, wide: int = 0) -> bytes:
    """A LoRA file for one module of the built-in model; `wide` makes it fit none."""
    out, into = builtin_shape()
    chance = np.random.default_rng(seed)
    return save(
        {
            f"transformer.{module}.lora_A.weight": chance.normal(size=(rank, into + wide)).astype(np.float32),
            f"transformer.{module}.lora_B.weight": np.zeros((out, rank), np.float32),
        }
    )


def safetensors_header(header: dict[str, Any] | bytes, body: bytes = b"") -> bytes:
    """A file that begins as safetensors do, whatever the header says."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def load_adapters(programme: ProgrammeView, *, slug: str = "turbo-1") -> None:
    ModelVariant.objects.filter(programme_id=programme.id, slug=slug).update(adapters=True)


def add_adapter(
    programme: ProgrammeView, now: datetime, *, cohorts: Sequence[str] = (), name: str = "Ink", seed: int = 0
) -> str:
    """The programme's, through the real check; the variant turbo-1 loads LoRA files from then on."""
    load_adapters(programme)
    return adapters.add_for_programme(
        programme=programme,
        name=name,
        variant="turbo-1",
        file=io.BytesIO(lora(seed=seed)),
        cohorts=cohorts,
        by=system("test"),
        now=now,
    )


def picture(size: tuple[int, int] = (96, 64), *, kind: str = "PNG", seed: int = 0, **options: Any) -> bytes:
    """A picture file of noise, so that no two seeds are alike."""
    noise = np.random.default_rng(seed).integers(0, 255, (size[1], size[0], 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, kind, **options)
    return out.getvalue()


def film(count: int = 16, size: tuple[int, int] = (160, 96)) -> NDArray[np.uint8]:
    """Frames of noise, count x height x width x 3."""
    return np.random.default_rng(7).integers(0, 255, (count, size[1], size[0], 3), np.uint8)


def write_source(path: Path, frames: NDArray[np.uint8]) -> None:
    """The native frames as the worker keeps them: FFV1 in Matroska, each a key frame."""
    import av

    with av.open(str(path), "w", format="matroska") as container:
        stream = container.add_stream("ffv1", rate=4, options={"level": "3", "g": "1", "slicecrc": "1"})
        stream.width, stream.height, stream.pix_fmt = frames.shape[2], frames.shape[1], "bgr0"
        for image in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))


def filmed(caller: Caller, now: datetime, *, frames: NDArray[np.uint8] | None = None, **order: Any) -> str:
    """A finished clip of the caller's whose native frames really lie in the store."""
    video = completed_video(caller, now, **order)
    master = Master.objects.get(video__public_id=video)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "source.mkv"
        made, sealed = film() if frames is None else frames, path.with_suffix(".sealed")
        write_source(path, made)
        sources.seal_for(keys.ring().epoch_at(now))(path, sealed)
        files.store().put(sealed, key=master.source_key)
        master.source_sha256 = hashlib.sha256(sealed.read_bytes()).hexdigest()
        master.native_height, master.native_width = made.shape[1:3]
        master.save()
    return video


def native(reference: str, caller: Caller) -> NDArray[np.uint8]:
    """The frame of a picture as a render gets it."""
    row = Reference.objects.get(public_id=reference, membership_id=member_of(caller).id)
    with cache.held():
        return pixels(cache.fetch_sealed(stills.native_of(row.public_id), suffix=".png").read_bytes())


def pixels(png: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(png)) as opened:
        assert opened.format == "PNG"
        assert opened.mode == "RGB"
        return np.asarray(opened)


def member_of(caller: Caller) -> MembershipView:
    assert caller.membership is not None
    return caller.membership


def refused(deed: Callable[[], Any], kind: type[DomainError], code: str, field: str = "") -> DomainError:
    """The deed is refused with `code`, a sentence and at most the one field; no row and no file has changed by it."""
    with unchanged(), pytest.raises(kind) as refusal:
        deed()
    assert refusal.value.code == code, refusal.value
    assert refusal.value.sentence.endswith((".", "?"))
    assert len(refusal.value.sentence) < 400
    if field:
        assert isinstance(refusal.value, Invalid)
        assert list(refusal.value.fields) == [field]
    return refusal.value


def stored(reference: str, caller: Caller) -> bytes:
    """The file of a picture, as delivery would find it."""
    file = references.reference_file(reference, member_of(caller).id, now=clock.now())
    assert file is not None
    assert file.media_type == "image/png"
    body = files.store().path(file.storage_key).read_bytes()
    assert (hashlib.sha256(body).hexdigest(), len(body)) == (file.sha256, file.bytes)
    return body
