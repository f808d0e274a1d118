"""What a client can ask about itself and about the house."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from access.caller import Caller
from api import representations as shapes
from api.base import ApiView, answer
from api.inputs import flat
from api.problems import FAULTS, PROBLEMS
from core.errors import NotAllowed, NotFound
from generation import queries as generation
from generation.queries import VariantView
from programme import queries as programmes
from review import queries as review


class Models(ApiView):
    """Variants to render with; the first is what is taken when none is named."""

    def get(self, request: Request) -> Response:
        data = [shapes.model(variant) for variant in _variants(self.caller)]
        return answer({"object": "list", "data": data})


class OneModel(ApiView):
    def get(self, request: Request, model: str) -> Response:
        for variant in _variants(self.caller):
            if variant.slug == model:
                return answer(shapes.model(variant))
        raise NotFound("not_found", "There is no such model.")


class Me(ApiView):
    def get(self, request: Request) -> Response:
        caller = self.caller
        body: dict[str, Any] = {
            "object": "me",
            "name": caller.public_name,
            "token": {"id": caller.token_id, "scopes": sorted(caller.scopes or ())},
            "roles": sorted(caller.roles),
            "membership": None,
            "quota": None,
        }
        if caller.membership is not None:
            body["membership"] = shapes.membership(caller.membership)
            body["quota"] = shapes.quota(programmes.quota_today(caller.membership.id, self.now))
        return answer(body)


class Policy(ApiView):
    """The rules by which clips are shown or not; `?programme=` names one where a token has none of its own."""

    def get(self, request: Request) -> Response:
        policy = review.current_policy(programme_of(self.caller, request))
        if policy is None:
            raise NotFound("not_found", "No policy has been published yet.")
        return answer(shapes.policy(policy))


class Problem(ApiView):
    """What `type` of an error points at; open to all, for whoever is refused may have no token."""

    authentication_classes = []

    def get(self, request: Request, code: str) -> Response:
        problem, fault = PROBLEMS.get(code), FAULTS.get(code)
        if problem is None and fault is None:
            raise NotFound("not_found", "There is no such code.")
        return answer(
            {
                "code": code,
                "status": problem.status if problem else None,
                "title": problem.title if problem else "The render failed",
                "meaning": problem.meaning if problem else fault,
                "of_a_failed_video": fault,
            }
        )


class Unknown(ApiView):
    """Every other address under /v1."""

    authentication_classes = []

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise NotFound("no_such_address", "There is nothing at this address.")


def programme_of(caller: Caller, request: Request) -> int:
    """The row id of the caller's programme; of the one that the query names where the caller is in none."""
    if caller.membership is not None:
        return caller.membership.programme.id
    found = programmes.programme(flat(request.query_params).get("programme"))
    if found is None:
        raise NotFound("not_found", "There is no such programme.")
    return found.id


def _variants(caller: Caller) -> list[VariantView]:
    if caller.membership is None:
        raise NotAllowed("not_a_member", "This token belongs to no artist; it renders nothing.")
    return generation.usable_variants(caller.membership)
