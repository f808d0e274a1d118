"""The demo's styles: one in words, and one for each LoRA file that comes with the built-in model."""

from __future__ import annotations

from dataclasses import replace

from core import clock
from core.actors import Actor
from generation.queries import styles as there
from generation.services import adapters, styles
from generation.services.styles import StyleSpec
from programme.queries import ProgrammeView

IN_WORDS = StyleSpec(
    name="Night piece",
    description="What your prompt leaves open becomes night.",
    template="{prompt}, in the night sky",
)
WITH_ADAPTER = {
    "two-inks": StyleSpec(
        name="Two inks",
        description="A two-colour print on warm paper, blue and red for most things.",
        position=1,
    ),
}


def put_looks(programme: ProgrammeView, *, by: Actor) -> None:
    """A style that an operator has retired or renamed since is not put back."""
    known = {row.style.name for row in there.styles_of(programme.id, retired=True)}
    if IN_WORDS.name not in known:
        _put(programme, IN_WORDS, by)
    for stem, spec in WITH_ADAPTER.items():
        path = adapters.BUILTINS / f"{stem}.safetensors"
        if spec.name not in known and path.is_file():
            adapter = adapters.add_builtin(
                programme=programme, name=spec.name, path=path, by=by, now=clock.now()
            )
            _put(programme, replace(spec, adapter=adapter), by)


def _put(programme: ProgrammeView, spec: StyleSpec, by: Actor) -> None:
    styles.create_for_programme(programme=programme, spec=spec, by=by, now=clock.now())
