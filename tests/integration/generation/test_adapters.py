"""LoRA files: what is let in, where it lies, who may use it, and how it goes."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from safetensors.numpy import load, save

from access.caller import Caller
from audit import outbox
from audit.models import AuditEvent
from core.actors import system
from core.errors import DomainError, Invalid, NotAllowed, NotFound, WrongState
from generation import look_rules
from generation.models import Adapter, ModelVariant, Video
from generation.queries import styles as reading
from generation.services import adapters, files, looks, requests, styles
from generation.services.styles import StyleSpec
from programme.queries import MembershipView, ProgrammeView
from programme.queries import cohorts as cohorts_of
from tests.factories import people
from tests.factories.generation import completed_video, put_variants, queued_video
from tests.factories.looks import (
    add_adapter,
    load_adapters,
    lora,
    programme_style,
    safetensors_header,
    unchanged,
)

pytestmark = pytest.mark.django_db


def member_of(caller: Caller) -> MembershipView:
    assert caller.membership is not None
    return caller.membership


def add(caller: Caller, now: datetime, body: bytes, **more: Any) -> str:
    given: dict[str, Any] = {"name": "Mine", "variant": "turbo-1"} | more
    return adapters.add(caller=caller, file=io.BytesIO(body), now=now, **given)


def refused(deed: Callable[[], Any], kind: type[DomainError], code: str) -> DomainError:
    with unchanged(), pytest.raises(kind) as refusal:
        deed()
    assert refusal.value.code == code
    assert refusal.value.sentence.endswith((".", "?"))
    return refusal.value


def names(caller: Caller) -> list[str]:
    return [view.name for view in reading.usable_adapters(member_of(caller))]


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


def spoiled(**changes: np.ndarray) -> bytes:
    """A good file with tensors added or, where None, left out."""
    tensors = load(lora()) | changes
    return save(tensors)


def with_settings(settings: str) -> bytes:
    return save(load(lora()), metadata={"lora_adapter_metadata": settings})


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
    "a rank too high": (lambda: lora(rank=129), "adapter_rank"),
    "no rank": (lambda: lora(rank=0), "adapter_rank"),
    "for a module that is not there": (lambda: lora(module="blocks.99.attn1.to_q"), "adapter_targets"),
    "for a larger model": (lambda: lora(wide=8), "adapter_targets"),
    "a module's name of a novel's length": (lambda: lora(module="x" * 5000), "adapter_targets"),
    "settings that are no JSON": (lambda: with_settings("{"), "adapter_settings"),
    "settings that are a list": (lambda: with_settings("[[1, 2]]"), "adapter_unreadable"),
    "settings nested deep": (lambda: with_settings("[" * sys.getrecursionlimit() * 9), "adapter_unreadable"),
    "settings beyond a number": (
        lambda: with_settings('{"lora_alpha": 1' + "0" * 400 + "}"),
        "adapter_unreadable",
    ),
    "settings that are no number": (lambda: with_settings('{"lora_alpha": NaN, "r": 4}'), "adapter_settings"),
    "settings that rewrite the model": (
        lambda: with_settings(json.dumps({"modules_to_save": ["proj_out"]})),
        "adapter_settings",
    ),
}


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


def test_the_same_file_is_there_once_for_each_owner(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    shared = add_adapter(programme, now)
    mine = add(artist, now, lora())
    theirs = add(other_artist, now, lora())

    assert len({shared, mine, theirs}) == 3
    refusal = refused(lambda: add(artist, now, lora(), name="Other"), WrongState, "adapter_known")
    assert refusal.extra["adapter"] == mine
    refused(lambda: add_adapter(programme, now), WrongState, "adapter_known")


def test_a_member_keeps_a_few_adapters(
    artist: Caller, programme: ProgrammeView, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_rules, "MOST_ADAPTERS", 2)
    load_adapters(programme)
    first = add(artist, now, lora(seed=0))
    add(artist, now, lora(seed=1))

    refused(lambda: add(artist, now, lora(seed=2)), WrongState, "too_many_adapters")

    adapters.retire(caller=artist, adapter=first, now=now)
    add(artist, now, lora(seed=2))


def test_only_named_cohorts_and_owners_use_an_adapter(
    artist: Caller, other_artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    other_cohort = people.cohort(programme.id, now)
    closed_to = next(view.public_id for view in cohorts_of(programme.id) if view.id == other_cohort)
    insider = people.artist(other_cohort, now)
    elsewhere = people.programme(now)
    put_variants(elsewhere.id, now)
    everybodys = add_adapter(programme, now, name="Everybody's")
    closed = add_adapter(programme, now, name="Closed", cohorts=(closed_to,), seed=1)
    foreign = add(other_artist, now, lora(seed=2), name="Foreign")
    far = add_adapter(elsewhere, now, name="Far")

    assert names(artist) == ["Everybody's"]
    assert names(other_artist) == ["Everybody's", "Foreign"]
    assert names(insider) == ["Closed", "Everybody's"]
    for adapter in (closed, foreign, far, "lora_neverwas"):
        refused(
            partial(styles.create, caller=artist, spec=StyleSpec(name="New", adapter=adapter), now=now),
            Invalid,
            "unknown_adapter",
        )
    for adapter in (foreign, far):
        refused(
            partial(programme_style, programme, StyleSpec(name="New", adapter=adapter), now),
            Invalid,
            "unknown_adapter",
        )
    assert styles.create(caller=artist, spec=StyleSpec(name="New", adapter=everybodys), now=now)
    assert styles.create(caller=insider, spec=StyleSpec(name="New", adapter=closed), now=now)


def test_a_style_open_to_all_is_no_way_to_an_adapter_that_is_not(
    artist: Caller, programme: ProgrammeView, now: datetime
) -> None:
    other_cohort = people.cohort(programme.id, now)
    closed_to = next(view.public_id for view in cohorts_of(programme.id) if view.id == other_cohort)
    adapter = add_adapter(programme, now, cohorts=(closed_to,))
    style = programme_style(programme, StyleSpec(name="Ink", adapter=adapter), now)
    turbo = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")

    assert reading.usable(member_of(artist)) == []
    refused(
        lambda: looks.resolve(member=member_of(artist), variant=turbo, prompt="a boat", style=style),
        Invalid,
        "style_unusable",
    )
    insider = people.artist(other_cohort, now)
    assert looks.resolve(member=member_of(insider), variant=turbo, prompt="a boat", style=style).adapter


def test_a_retired_adapter_is_loaded_by_no_new_render_and_its_file_goes_when_nothing_waits_for_it(
    artist: Caller, operator: Caller, programme: ProgrammeView, now: datetime
) -> None:
    adapter = add_adapter(programme, now)
    style = programme_style(programme, StyleSpec(name="Ink", adapter=adapter), now)
    row = Adapter.objects.get(public_id=adapter)
    turbo = ModelVariant.objects.get(programme_id=programme.id, slug="turbo-1")
    video = queued_video(artist, now, style=style)
    assert Video.objects.get(public_id=video).adapter == row

    adapters.retire_for_programme(programme=programme, adapter=adapter, by=operator.actor, now=now)
    outbox.deliver_due(now=now)

    assert reading.usable(member_of(artist)) == []
    assert names(artist) == []
    refused(
        lambda: looks.resolve(member=member_of(artist), variant=turbo, prompt="a boat", style=style),
        Invalid,
        "style_unusable",
    )
    assert files.store().exists(row.storage_key), "a render that was accepted still needs it"
    requests.cancel(video=video, membership_id=member_of(artist).id, by=artist.actor, now=now)
    outbox.deliver_due(now=now + timedelta(days=2))
    assert not files.store().exists(row.storage_key)
    assert AuditEvent.objects.filter(action="adapter.retired", target=adapter).count() == 1


def test_a_clip_keeps_the_look_that_it_was_made_with(
    artist: Caller, operator: Caller, programme: ProgrammeView, now: datetime
) -> None:
    adapter = add_adapter(programme, now)
    spec = StyleSpec(
        name="Ink", template="ink, {prompt}", negative_prompt="blur", guidance=7, adapter=adapter
    )
    style = programme_style(programme, spec, now)
    video = completed_video(artist, now, style=style)
    turbo, full = ModelVariant.objects.filter(programme_id=programme.id).order_by("position")
    clip = Video.objects.get(public_id=video)
    again = partial(looks.of_clip, member=member_of(artist), clip=clip)
    styles.change_for_programme(
        programme=programme, style=style, spec=StyleSpec(name="Changed"), by=operator.actor, now=now
    )
    styles.retire_for_programme(programme=programme, style=style, by=operator.actor, now=now)

    made = again(variant=turbo)

    assert made.styled_prompt == f"ink, {clip.prompt}"
    assert (made.negative_prompt, made.guidance, made.adapter_weight) == ("blur", 7, 1.0)
    assert (made.adapter, made.style) == (clip.adapter_id, clip.style_id)
    refused(lambda: again(variant=full), Invalid, "style_for_another_model")
    adapters.retire_for_programme(programme=programme, adapter=adapter, by=operator.actor, now=now)
    refused(lambda: again(variant=turbo), Invalid, "style_unusable")


def test_nobody_adds_or_retires_what_is_not_theirs(
    artist: Caller,
    other_artist: Caller,
    reviewer: Caller,
    operator: Caller,
    suspended_artist: Caller,
    programme: ProgrammeView,
    now: datetime,
) -> None:
    shared = add_adapter(programme, now)
    mine = add(artist, now, lora())
    elsewhere = people.programme(now)

    def by_programme(where: ProgrammeView, adapter: str, by: Caller) -> Callable[[], None]:
        return partial(adapters.retire_for_programme, programme=where, adapter=adapter, by=by.actor, now=now)

    for caller in (artist, other_artist):
        refused(partial(adapters.retire, caller=caller, adapter=shared, now=now), NotFound, "not_found")
    refused(partial(adapters.retire, caller=other_artist, adapter=mine, now=now), NotFound, "not_found")
    refused(by_programme(programme, mine, operator), NotFound, "not_found")
    refused(by_programme(elsewhere, shared, operator), NotFound, "not_found")
    refused(by_programme(programme, shared, artist), NotAllowed, "not_an_operator")
    refused(by_programme(programme, shared, reviewer), NotAllowed, "not_an_operator")
    refused(partial(add, suspended_artist, now, lora(seed=5)), NotAllowed, "member_suspended")
    refused(partial(add, reviewer, now, lora(seed=5)), NotAllowed, "not_a_member")


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
