"""Every way to ask for a clip refuses the same fault with the same code, and leaves nothing behind."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from access.caller import Caller
from core.errors import DomainError, Invalid, WrongState
from generation import look_rules
from generation.models import ModelVariant, Reference
from generation.rules import LONGEST_PROMPT, Order
from generation.services import characters, lineage, requests, styles
from generation.services.styles import StyleSpec
from tests.factories.generation import PROMPT
from tests.factories.looks import filmed, unchanged

pytestmark = pytest.mark.django_db

Verb = Callable[..., object]
VERBS: dict[str, Verb] = {
    "create": lambda caller, _, now, **order: requests.submit(
        caller=caller, order=Order(**{"prompt": PROMPT, **order}), now=now
    ),
    "remix": lambda caller, video, now, **order: lineage.remix(caller=caller, video=video, now=now, **order),
    "extend": lambda caller, video, now, **order: lineage.extend(
        caller=caller, video=video, now=now, **order
    ),
}
FAULTS: dict[str, tuple[dict[str, Any], str]] = {
    "no such style": ({"style": "Nowhere"}, "unknown_style"),
    "a retired style": ({"style": "Retired"}, "style_retired"),
    "a prompt too long for its style": (
        {"style": "Wordy", "prompt": "a" * (LONGEST_PROMPT - 10)},
        "prompt_too_long",
    ),
    "a negative prompt too long": ({"negative_prompt": "a" * 1001}, "invalid_negative_prompt"),
    "no such model": ({"variant": "nowhere"}, "unknown_model"),
    "a size that is not made": ({"size": "3x3"}, "invalid_request"),
}


@pytest.fixture
def video(artist: Caller, now: datetime) -> str:
    ModelVariant.objects.filter(slug="turbo-1").update(images=True)
    retired = styles.create(caller=artist, spec=StyleSpec(name="Retired"), now=now)
    styles.retire(caller=artist, style=retired, now=now)
    styles.create(
        caller=artist, spec=StyleSpec(name="Wordy", template="{prompt}, in the finest snow"), now=now
    )
    return filmed(artist, now)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("verb", VERBS)
def test_a_fault_has_one_code_at_every_verb(
    verb: str, fault: str, artist: Caller, video: str, now: datetime
) -> None:
    order, code = FAULTS[fault]

    with unchanged(), pytest.raises(Invalid) as refusal:
        VERBS[verb](artist, video, now, **order)

    assert refusal.value.code == code


def _name(artist: Caller, now: datetime, name: str, video: str) -> str:
    return characters.create_from_clip(caller=artist, name=name, video=video, now=now)


@pytest.mark.parametrize(
    ("name", "code"), [("", "invalid_name"), ("a\nb", "invalid_name"), ("Keel", "name_taken")]
)
def test_a_character_that_is_refused_keeps_no_frame_of_its_clip(
    artist: Caller, video: str, now: datetime, name: str, code: str
) -> None:
    _name(artist, now, "Keel", filmed(artist, now))
    pictures = Reference.objects.filter(removed_at=None).count()

    with pytest.raises(DomainError) as refusal:
        _name(artist, now, name, video)

    assert refusal.value.code == code
    assert Reference.objects.filter(removed_at=None).count() == pictures


def test_a_frame_that_was_kept_before_stays_when_its_character_is_refused(
    artist: Caller, video: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    earlier = _name(artist, now, "Keel", video)
    characters.remove(caller=artist, character=earlier, now=now)
    kept = Reference.objects.get(removed_at=None)
    monkeypatch.setattr(look_rules, "MOST_CHARACTERS", 0)

    with pytest.raises(WrongState, match="Remove one"):
        characters.create_from_clip(
            caller=artist, name="Keel", video=video, now=now.replace(year=now.year + 1)
        )

    assert Reference.objects.get(removed_at=None) == kept
