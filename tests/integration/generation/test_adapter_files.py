"""LoRA files as they come in: checked without the model libraries, stored whole or not at all."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from safetensors.numpy import load, save

from access.caller import Caller
from audit.models import AuditEvent
from core.actors import system
from core.errors import Invalid
from generation import look_rules
from generation.models import Adapter, ModelVariant
from generation.services import adapters, files
from programme.queries import ProgrammeView
from programme.queries import cohorts as cohorts_of
from tests.factories import people
from tests.factories.looks import load_adapters, lora, refused, safetensors_header, unchanged

pytestmark = pytest.mark.django_db


def add(caller: Caller, now: datetime, body: bytes, **more: Any) -> str:
    given: dict[str, Any] = {"name": "Mine", "variant": "turbo-1"} | more
    return adapters.add(caller=caller, file=io.BytesIO(body), now=now, **given)


def spoiled(**changes: np.ndarray) -> bytes:
    """A good file with tensors added or, where None, left out."""
    tensors = load(lora()) | changes
    return save(tensors)


def with_settings(settings: str) -> bytes:
    return save(load(lora()), metadata={"lora_adapter_metadata": settings})


def with_value(value: float) -> bytes:
    tensors = load(lora())
    next(iter(tensors.values()))[-1, -1] = value
    return save(tensors)


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "adapter_unreadable"),
    "a pickle": (lambda: b"\x80\x04\x95" + b"\0" * 40 + b"cos\nsystem\n", "adapter_unreadable"),
    "a zip, as torch saves": (lambda: b"PK\x03\x04" + b"\0" * 400, "adapter_unreadable"),
    "a header longer than the file": (lambda: b"\xff" * 8 + b"{}", "adapter_unreadable"),
    "a header that is no JSON": (lambda: safetensors_header(b"{" * 50), "adapter_unreadable"),
    "a header nested deep": (lambda: safetensors_header(b'{"a":' * 9000), "adapter_unreadable"),
    "a header of nothing": (lambda: safetensors_header({}), "adapter_tensors"),
    "offsets behind the end": (
        lambda: safetensors_header(
            {
                "transformer.blocks.0.attn1.to_q.lora_A.weight": {
                    "dtype": "F32",
                    "shape": [4, 64],
                    "data_offsets": [0, 1 << 40],
                }
            }
        ),
        "adapter_unreadable",
    ),
    "cut off": (lambda: lora()[:-10], "adapter_unreadable"),
    "something behind it": (lambda: lora() + b"MZ" * 50, "adapter_unreadable"),
    "half a pair": (
        lambda: save({"transformer.blocks.0.attn1.to_q.lora_A.weight": np.zeros((4, 8), np.float32)}),
        "adapter_tensors",
    ),
    "another tensor beside it": (
        lambda: spoiled(**{"transformer.blocks.0.attn1.to_q.weight": np.zeros((4, 4), np.float32)}),
        "adapter_tensors",
    ),
    "of the text encoder": (
        lambda: save(
            {name.replace("transformer.", "text_encoder."): tensor for name, tensor in load(lora()).items()}
        ),
        "adapter_tensors",
    ),
    "whole numbers": (
        lambda: save({name: tensor.astype(np.int32) for name, tensor in load(lora()).items()}),
        "adapter_tensors",
    ),
    "numbers that are none": (lambda: with_value(np.nan), "adapter_numbers"),
    "infinite numbers": (lambda: with_value(-np.inf), "adapter_numbers"),
    "a rank too high": (lambda: lora(rank=129), "adapter_rank"),
    "no rank": (lambda: lora(rank=0), "adapter_rank"),
    "for a module that is not there": (lambda: lora(module="blocks.99.attn1.to_q"), "adapter_targets"),
    "for a larger model": (lambda: lora(wide=8), "adapter_targets"),
    "a module's name of a novel's length": (lambda: lora(module="x" * 5000), "adapter_targets"),
    "settings that are no JSON": (lambda: with_settings("{"), "adapter_settings"),
    "settings that are a list": (lambda: with_settings("[[1, 2]]"), "adapter_settings"),
    "settings nested deep": (lambda: with_settings("[" * sys.getrecursionlimit() * 9), "adapter_settings"),
    "settings beyond a number": (
        lambda: with_settings('{"lora_alpha": 1' + "0" * 400 + "}"),
        "adapter_settings",
    ),
    "settings that are no number": (lambda: with_settings('{"lora_alpha": NaN, "r": 4}'), "adapter_settings"),
    "settings that rewrite the model": (
        lambda: with_settings(json.dumps({"modules_to_save": ["proj_out"]})),
        "adapter_settings",
    ),
}


def test_a_file_is_stored_whole_under_a_key_of_its_own_before_its_row(
    programme: ProgrammeView, operator: Caller, now: datetime
) -> None:
    load_adapters(programme)
    body = lora(rank=4)

    public_id = adapters.add_for_programme(
        programme=programme,
        name=" Riso ",
        variant="turbo-1",
        file=io.BytesIO(body),
        by=operator.actor,
        now=now,
    )

    row = Adapter.objects.get(public_id=public_id)
    assert (row.name, row.rank, row.targets, row.bytes, row.checkpoint) == (
        "Riso",
        4,
        ["transformer.blocks.0.attn1.to_q"],
        len(body),
        "builtin",
    )
    assert row.storage_key == f"{public_id}/{row.sha256}.safetensors"
    assert files.store().path(row.storage_key).read_bytes() == body
    event = AuditEvent.objects.get(target=public_id)
    assert (event.action, event.actor, event.data["sha256"]) == (
        "adapter.added",
        str(operator.actor),
        row.sha256,
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_with_a_sentence_and_leaves_nothing(
    artist: Caller, operator: Caller, programme: ProgrammeView, now: datetime, name: str
) -> None:
    make, code = HOSTILE[name]
    load_adapters(programme)
    body = make()

    for deed in (
        lambda: add(artist, now, body),
        lambda: adapters.add_for_programme(
            programme=programme,
            name="Ink",
            variant="turbo-1",
            file=io.BytesIO(body),
            by=operator.actor,
            now=now,
        ),
    ):
        refusal = refused(deed, Invalid, code)
        assert isinstance(refusal, Invalid)
        assert list(refusal.fields) == ["file"]
        assert len(refusal.sentence) < 400


def test_stops_reading_where_the_limit_is(
    artist: Caller, programme: ProgrammeView, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without an end is not copied to the disk first."""
    monkeypatch.setattr(look_rules, "MEMBERS_ADAPTER_BYTES", 3 * 1024**2)
    load_adapters(programme)

    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            self.given += size
            return b"\0" * size

    endless = Endless()
    given: Any = endless
    refused(
        lambda: adapters.add(caller=artist, name="Mine", variant="turbo-1", file=given, now=now),
        Invalid,
        "adapter_too_large",
    )

    assert endless.given <= 4 * 1024**2


def test_refuses_models_that_load_none_are_unknown_or_lie_elsewhere(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    refused(lambda: add(artist, now, lora()), Invalid, "adapters_unsupported")
    refused(lambda: add(artist, now, lora(), variant="sora-9"), Invalid, "unknown_model")
    load_adapters(programme)
    turbo = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")
    turbo.cohorts.set([people.cohort(programme.id, now)])
    refused(lambda: add(artist, now, lora()), Invalid, "unknown_model")
    turbo.cohorts.clear()
    turbo.checkpoint = "owner/model@main"
    turbo.save()
    refused(lambda: add(artist, now, lora()), Invalid, "checkpoint_elsewhere")


@pytest.mark.parametrize("name", ["", " ", "x" * 61, "nul \0"])
def test_refuses_a_name_that_is_none(
    artist: Caller, programme: ProgrammeView, now: datetime, name: str
) -> None:
    load_adapters(programme)

    refused(lambda: add(artist, now, lora(), name=name), Invalid, "invalid_name")


def test_the_built_in_models_own_adapter_is_put_in_once(
    programme: ProgrammeView, now: datetime, tmp_path: Path
) -> None:
    path = tmp_path / "style.safetensors"
    path.write_bytes(lora())

    def put() -> str:
        return adapters.add_builtin(programme=programme, name="Ink", path=path, by=system("seed"), now=now)

    first = put()
    with unchanged():
        assert put() == first


def test_the_file_is_gone_again_when_the_row_cannot_be_written(
    artist: Caller, programme: ProgrammeView, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_adapters(programme)

    def fail(**_: object) -> None:
        raise RuntimeError("the database said no")

    monkeypatch.setattr(Adapter.objects, "create", fail)

    with unchanged(), pytest.raises(RuntimeError):
        add(artist, now, lora())


def test_the_command_adds_a_file_for_named_cohorts_or_says_why_not(
    artist: Caller,
    programme: ProgrammeView,
    now: datetime,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    load_adapters(programme)
    cohort = cohorts_of(programme.id)[0].name
    path = tmp_path / "style.safetensors"
    path.write_bytes(lora())
    given: dict[str, Any] = {
        "programme": programme.slug,
        "model": "turbo-1",
        "name": "Ink",
        "cohort": [cohort],
    }

    call_command("add_adapter", str(path), **given)

    assert "Ink is lora_" in capsys.readouterr().out
    (row,) = Adapter.objects.all()
    assert [each.name for each in row.cohorts.all()] == [cohort]
    assert row.created_by == "system:add_adapter"
    nonsense = tmp_path / "nonsense.safetensors"
    nonsense.write_bytes(b"nonsense")
    cases: list[tuple[Path, dict[str, Any]]] = [
        (path, {}),
        (nonsense, {}),
        (tmp_path / "missing", {}),
        (path, {"programme": "none"}),
        (path, {"model": "none"}),
        (path, {"cohort": ["none"]}),
    ]
    for file, change in cases:
        with unchanged(), pytest.raises(CommandError) as refusal:
            call_command("add_adapter", str(file), **(given | change))
        assert str(refusal.value).endswith(".")
