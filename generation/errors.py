"""Why a render ended without a clip: the artist's to change, worth another try, stopped, or ours."""

from __future__ import annotations


class EngineError(Exception):
    """A fault of ours: another try with the same spec would fail the same way."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class SpecRejected(EngineError):
    """The spec asks for what this model cannot do; `code` is stable, `sentence` says what would work."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Transient(EngineError):
    """A fault of the machine (memory, disk, a process that died): the same spec may work in a while."""


class RenderCancelled(EngineError):
    """Nobody wants this render any more; nothing was kept."""

    def __init__(self, sentence: str = "The render was stopped.") -> None:
        super().__init__(sentence)
