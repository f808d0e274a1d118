"""What an artist reads about a clip: a state's word, its shape, and what comes next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from generation.progress import Step
from generation.queries import ClipView, Waiting
from generation.states import VideoState
from review.queries import ShareState
from review.states import ShareWord

# share state → (word, shape)
SHARE = {
    ShareWord.PRIVATE: ("Private", ""),
    ShareWord.IN_REVIEW: ("In review", "is-review"),
    ShareWord.CHANGES_ASKED: ("Changes asked", "is-changes"),
    ShareWord.NOT_SHOWN: ("Not shown", "is-refused"),
    ShareWord.ON_VIEW: ("On view", "is-public"),
    ShareWord.REVOKED: ("Taken back", "is-revoked"),
}
_ORDINALS = (
    "",
    "First",
    "Second",
    "Third",
    "Fourth",
    "Fifth",
    "Sixth",
    "Seventh",
    "Eighth",
    "Ninth",
    "Tenth",
)


def ordinal(number: int) -> str:
    return _ORDINALS[number] if number < len(_ORDINALS) else f"Number {number}"


def about(seconds: int) -> str:
    """A length of time as people say it: never more exact than it can be."""
    if seconds < 10:
        return "a few seconds"
    if seconds < 90:
        return f"about {round(seconds, -1)} s"
    return f"about {round(seconds / 60)} min"


@dataclass(frozen=True, slots=True)
class Now:
    """How a clip stands, in words. `done` of `total` steps while it renders."""

    word: str
    shape: str
    sentence: str = ""
    done: int = 0
    total: int = 0
    moving: bool = False


def now_of(
    clip: ClipView, share: ShareState, step: Step | None, waiting: Waiting | None, at: datetime
) -> Now:
    match clip.state:
        case VideoState.QUEUED:
            return _queued(clip, waiting)
        case VideoState.IN_PROGRESS:
            done, total = (step.done, step.total) if step else (0, clip.steps)
            sentence = _step_words(done, total, clip.started_at, at)
            return Now("Rendering", "is-rendering", sentence, done, total, moving=True)
        case VideoState.FAILED:
            return Now("Failed", "is-failed", clip.error_sentence)
        case VideoState.CANCELLED:
            return Now("Stopped", "is-failed", clip.error_sentence)
        case _:
            word, shape = SHARE[share.state]
            return Now(word, shape)


@dataclass(frozen=True, slots=True)
class Again:
    """Rendering a clip once more: what the button says, none where it cannot work, and what comes of it."""

    button: str
    sentence: str


# The house's own faults may pass; what a model has refused it refuses again.
_MAY_PASS = {"render_failed", "set_aside", "took_too_long"}


def again(clip: ClipView, *, offered: bool) -> Again:
    """`offered` is whether the clip's variant is open to the artist still."""
    if not offered:
        return Again(
            "", f"{clip.variant_name} is not open to you any more; a remix can take another variant."
        )
    if clip.state == VideoState.CANCELLED:
        return Again("Render it after all", "With the same words and seed.")
    if clip.state == VideoState.FAILED:
        if clip.error_code in _MAY_PASS:
            return Again("Try again", "With the same words and seed. Only what finishes is charged.")
        return Again("", "The same order would be refused again, so only a remix goes on from here.")
    return Again("Render again", "Again gives the same frames on the same kind of machine.")


def _step_words(done: int, total: int, since: datetime | None, at: datetime) -> str:
    """What is left is told by the pace so far, and so not before the first step."""
    if done == 0:
        return "Starting."
    if done >= total:
        return "Encoding."
    if since is None:
        return f"Step {done} of {total}."
    pace = (at - since).total_seconds() / done
    return f"Step {done} of {total}, {about(round(pace * (total - done)))} left."


def _queued(clip: ClipView, waiting: Waiting | None) -> Now:
    if waiting is None:
        return Now("In the queue", "is-queued", moving=True)
    lost = "The machine stopped answering. Nothing was charged. " if clip.attempts_made else ""
    starts = f"Starts in {about(waiting.seconds)}." if waiting.seconds is not None else ""
    return Now(
        f"{ordinal(waiting.position)} in the queue", "is-queued", f"{lost}{starts}".strip(), moving=True
    )
