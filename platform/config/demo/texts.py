"""What the demo's programme has agreed with its artists: its terms and its policy, written to be read."""

from __future__ import annotations

from dataclasses import dataclass

TERMS = """\
What this is. Halflight is a video model that we have not released yet. You try it before anybody else does. We \
learn where it fails; you get a tool, and a say in what it becomes.

Your clips are yours. You keep every right in what you make here, and in your prompts. You can download each clip \
the moment it is rendered, and you keep it if you leave, if we end your access, or if we decide not to show it.

What we may do with them. We store your clips and run the service with them. We do not train on them, we do not use \
them in advertising, and we do not hand them to anybody else. Should we ever want to, we ask for that one clip, and \
no is an answer that costs you nothing.

Showing them in public. Renders of an unreleased model go public through this site, after a person has looked at \
them. We answer within 48 hours. If we say no, we name the rule in our published policy and what in the clip it is \
about. That you criticise us, or this model, is never a reason; say what you like about us, anywhere.

The mark. Each clip carries the programme's name and a short code, so that a viewer can find out where it comes \
from. Please leave both in place.

Your access. Your account and your tokens are for you. If a token gets out, tell us: we end that token and nothing \
else, and your studio goes on. You may stop at any time. We may end your access if these terms are broken; we then \
write to you with the reason, and what you have made stays yours to see and download.

Your time. Nobody owes us tests, feedback or posts. You have a daily allowance of seconds; using it is up to you.

Your data. We keep your address, your public name, your prompts and clips, and a log of what was done with them. \
Ask, and we send you a copy or remove what the law lets us remove.

If this changes. We show you the new text, and ask for your yes before your next render. If it is a no, what you \
have made stays yours to see and download. Questions go to Mirre Halloran, who reads them herself.
"""

POLICY = """\
This is what we decide by when an artist asks to show a clip. A person watches the whole clip. A score of a machine \
never decides.

We show a clip unless one of the reasons below applies. If one does, we name it by its code, say what in the clip it \
is about, and say what would settle it. Where a change can settle it, we ask for the change first.

The reasons that start with N are written here so that nobody can use them: they never count.
"""


@dataclass(frozen=True, slots=True)
class Reason:
    code: str
    title: str
    explanation: str
    may_be_used: bool = True


REASONS = (
    Reason(
        "P1", "Readable personal data", "An address, a number plate, a document or a screen that can be read."
    ),
    Reason(
        "P2",
        "Likeness of a real person, no consent",
        "Somebody who lives or has lived can be recognised, and has not agreed. Public figures shown in public "
        "life, in satire or in comment, are not meant.",
    ),
    Reason("S1", "Sexual violence, or sex and minors", "Never shown, whatever the intention."),
    Reason(
        "S2",
        "Cruelty without distance",
        "Injury or death shown for its own sake. Grief, protest, war and history have their place.",
    ),
    Reason("H1", "Contempt for a group of people", "Calls for harm to people for what they are."),
    Reason(
        "M1",
        "Can be taken for real news footage",
        "A viewer without context would take it for a record of an event. A title that says what it is may settle it.",
    ),
    Reason(
        "C1",
        "Somebody else's work",
        "A character, brand or work that belongs to somebody else is copied closely.",
    ),
    Reason("T1", "House mark covered or removed", "The programme's name or the clip's code cannot be read."),
    Reason(
        "N1", "It criticises us", "Criticism of us, of this model or of its programme is welcome here.", False
    ),
    Reason("N2", "It is off-brand", "Clips are the artists' work, not our advertising.", False),
    Reason("N3", "It is not to our taste", "A reviewer's taste is nobody's rule.", False),
    Reason("N4", "It makes the model look bad", "Showing where the model fails is part of trying it.", False),
    Reason(
        "N5",
        "It may annoy a partner or a customer",
        "Their comfort is not a rule that artists agreed to.",
        False,
    ),
)
