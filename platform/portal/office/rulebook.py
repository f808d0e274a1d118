"""What a programme needs before anybody is invited: itself, its terms, its policy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from access.caller import Caller
from access.gate import Action
from core import clock
from core.errors import DomainError, Invalid, NotAllowed, WrongState
from portal.gates import requires
from portal.office.forms import sentences
from portal.office.programme import programme_of, runs_everything
from programme import queries
from programme.queries.programmes import mark_styles
from programme.services import programmes, terms
from review import queries as review
from review.queries import PolicyView, ReasonView
from review.services import policies
from review.services.policies import Reason

MARK_STYLES = {
    "plate": "Light letters on a dark plate. Easiest to read on any picture.",
    "outline": "Letters with a thin edge. Less of the picture is covered.",
    "discreet": "Small, pale and still. For what is on view: it names the clip, it guards nothing.",
}
NEW = {"name": "", "slug": "", "mark_text": "", "timezone": "Europe/Berlin"}
_METHODS = ["GET", "HEAD", "POST"]


@require_http_methods(_METHODS)
@requires(Action.OPERATE)
def begin(request: HttpRequest, caller: Caller) -> HttpResponse:
    """Make the first programme of an installation. Once there is one, this leads back to it."""
    if queries.programme() is not None:
        return redirect("portal:office:today")
    if not runs_everything(caller):
        raise NotAllowed("not_an_operator", "Only who operates the whole house makes a programme.")
    if request.method != "POST":
        return render(request, "office/begin.html", {"typed": NEW})
    typed = {key: request.POST.get(key, "") for key in NEW}
    try:
        programmes.create(**typed, by=caller.actor, now=clock.now())
    except (Invalid, WrongState) as refusal:
        context = {"typed": typed, "errors": sentences(refusal, "slug")}
        return render(request, "office/begin.html", context, status=422)
    return redirect("portal:office:today")


@require_http_methods(_METHODS)
@requires(Action.OPERATE)
def terms_page(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The terms in force, and the next version."""
    programme = programme_of(caller)
    current = queries.current_terms(programme.id)
    context: dict[str, Any] = {
        "programme": programme,
        "terms": current,
        "text": current.text if current else "",
    }
    if request.method != "POST":
        return render(request, "office/terms.html", context)
    text = request.POST.get("text", "")
    try:
        number = terms.publish(programme_id=programme.id, text=text, by=caller.actor, now=clock.now())
    except Invalid as refusal:
        context |= {"text": text, "errors": sentences(refusal, "text")}
        return render(request, "office/terms.html", context, status=422)
    messages.info(request, f"Version {number} of the terms is in force. Members are asked for their yes.")
    return redirect("portal:office:terms")


@require_http_methods(_METHODS)
@requires(Action.OPERATE)
def policy_page(request: HttpRequest, caller: Caller) -> HttpResponse:
    """The policy in force, and the next version: its text, the reasons that may be given, those that never count."""
    programme = programme_of(caller)
    current = review.current_policy(programme.id)
    typed = _typed(request) if request.method == "POST" else _of(current)
    context: dict[str, Any] = {"programme": programme, "policy": current, "typed": typed}
    if request.method != "POST":
        return render(request, "office/policy.html", context)
    try:
        reasons = _reasons("reasons", typed["reasons"], used=True) + _reasons(
            "never", typed["never"], used=False
        )
        number = policies.publish(
            programme_id=programme.id, text=typed["text"], reasons=reasons, by=caller.actor, now=clock.now()
        )
    except DomainError as refusal:
        context["errors"] = sentences(refusal, "text")
        return render(request, "office/policy.html", context, status=422)
    messages.info(request, f"Version {number} of the policy binds decisions from now on.")
    return redirect("portal:office:policy")


@require_http_methods(_METHODS)
@requires(Action.OPERATE)
def mark_page(request: HttpRequest, caller: Caller) -> HttpResponse:
    """How the visible mark looks from now on."""
    programme = programme_of(caller)
    now = mark_styles(programme.id)
    chosen = {"every": now.every, "public": now.public}
    context: dict[str, Any] = {"programme": programme, "styles": MARK_STYLES, "chosen": chosen}
    if request.method != "POST":
        return render(request, "office/mark.html", context)
    chosen |= {key: request.POST.get(key, "") for key in chosen}
    try:
        programmes.set_mark_styles(programme_id=programme.id, by=caller.actor, now=clock.now(), **chosen)
    except Invalid as refusal:
        context["errors"] = sentences(refusal, "every")
        return render(request, "office/mark.html", context, status=422)
    messages.info(request, "Copies that are made from now on look so. Those that are there stay as they are.")
    return redirect("portal:office:mark")


def _typed(request: HttpRequest) -> dict[str, str]:
    return {key: request.POST.get(key, "") for key in ("text", "reasons", "never")}


def _of(policy: PolicyView | None) -> dict[str, str]:
    if policy is None:
        return {"text": "", "reasons": "", "never": ""}
    return {"text": policy.text, "reasons": _lines(policy.reasons), "never": _lines(policy.never)}


def _lines(reasons: tuple[ReasonView, ...]) -> str:
    return "\n".join(f"{reason.code} | {reason.title} | {reason.explanation}" for reason in reasons)


def _reasons(field: str, text: str, *, used: bool) -> list[Reason]:
    """One a line, `P1 | title | explanation`. Raises Invalid, naming the line."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("|", 2)]
        if len(parts) != 3:
            sentence = (
                f"Line {number} needs three parts: a code, a title, an explanation, with | between them."
            )
            raise Invalid("bad_reason", sentence, fields={field: sentence})
        code, title, explanation = parts
        if len(title) > 120:
            sentence = f"The title in line {number} is longer than 120 characters."
            raise Invalid("bad_reason", sentence, fields={field: sentence})
        found.append(Reason(code, title, explanation, may_be_used=used))
    return found
