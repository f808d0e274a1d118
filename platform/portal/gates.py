"""Who gets in where: one decorator before every view that needs to know who is asking."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from zoneinfo import ZoneInfo

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone

from access import gate
from access.caller import Caller
from access.gate import Action
from core.errors import NotFound

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
CallerView = Callable[Concatenate[HttpRequest, Caller, P], HttpResponseBase]


def caller_of(request: HttpRequest) -> Caller | None:
    """The signed-in person as the gate knows them; read at most once a request."""
    caller = getattr(request, "caller", None)
    return caller or None  # a lazy None is not `None` itself


def signed_in(view: CallerView[P]) -> View[P]:
    """The view gets the caller; who is not signed in is asked to. Times are told in the programme's zone."""

    @wraps(view)
    def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        caller = caller_of(request)
        if caller is None:
            return redirect_to_login(request.get_full_path())
        if caller.membership is not None:
            timezone.activate(ZoneInfo(caller.membership.programme.timezone))
        response = view(request, caller, *args, **kwargs)
        if isinstance(response, HttpResponse):
            response.headers.setdefault("Cache-Control", "private, no-store")
        return response

    return asked


def requires(action: Action) -> Callable[[CallerView[P]], View[P]]:
    """`signed_in`, and allowed to do `action` now. Who has still to accept the terms is led to them."""

    def decorate(view: CallerView[P]) -> View[P]:
        @signed_in
        @wraps(view)
        def checked(
            request: HttpRequest, caller: Caller, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponseBase:
            if needs_welcome(caller) and action in {Action.RENDER, Action.MAKE_TOKEN, Action.ASK_TO_SHARE}:
                return redirect("portal:welcome")
            gate.check_may(caller, action)
            return view(request, caller, *args, **kwargs)

        return checked

    return decorate


def hidden(view: View[P]) -> View[P]:
    """For what only its owner may know of: whoever is not signed in, or may not see it, finds nothing at all.

    The page that says so offers to sign in.
    """

    @wraps(view)
    def asked(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        caller = caller_of(request)
        if caller is None or caller.membership is None:
            raise NotFound("not_found", "There is nothing here, or nothing that you may see.")
        return view(request, *args, **kwargs)

    return asked


def needs_welcome(caller: Caller) -> bool:
    """A member who has no public name yet, or has not said yes to the terms in force."""
    return caller.membership is not None and not (caller.public_name and caller.membership.terms_accepted)
