"""The desk for programs: list, claim, look, decide. All of it needs a reviewer's token."""

from __future__ import annotations

from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from access import gate
from api import representations as shapes
from api.base import ApiView, answer
from api.inputs import Fields
from core.errors import WrongState
from review import queries as review
from review.queries import LeaseView
from review.services import decisions, leases

NO_LEASE = "Send the “lease_token” that the claim gave you."
NO_OUTCOME = "Say “approve”, “changes” or “refuse”."


class ReviewView(ApiView):
    def reviewer(self) -> int:
        gate.check_may(self.caller, gate.Action.REVIEW)
        return self.caller.actor.person_id

    def lease(self, case: str) -> tuple[LeaseView, str]:
        """The lease on `case` that the caller holds, and the token that was sent. Raises WrongState."""
        reviewer = self.reviewer()
        fields = self.fields()
        token = _token(fields)
        fields.check()
        held = review.held_by(reviewer, now=self.now)
        if held is None or held.case != case:
            raise WrongState("lease_lost", leases.LOST)
        return held, token


class Cases(ReviewView):
    def get(self, request: Request) -> Response:
        """Open tasks, oldest due first; titles and dates only. The clip opens to who holds its case."""
        reviewer = self.reviewer()
        page = self.page()
        rows = review.queue(reviewer, now=self.now, limit=page.limit + 1, after=page.after)
        data = [shapes.queue_entry(row) for row in rows[: page.limit]]
        return answer(shapes.listing(data, has_more=len(rows) > page.limit))


class Claim(ReviewView):
    def post(self, request: Request) -> Response:
        self.reviewer()
        self.no_fields()
        lease = leases.claim_next(by=self.caller.actor, now=self.now)
        return answer({"object": "review.claim", "lease": shapes.lease(lease) if lease else None})


class OneCase(ReviewView):
    def get(self, request: Request, case: str) -> Response:
        row = review.case_for_reviewer(case, reviewer_id=self.reviewer(), now=self.now)
        return answer(shapes.case(row))


class Keep(ReviewView):
    def post(self, request: Request, case: str) -> Response:
        held, token = self.lease(case)
        kept = leases.prolong(task=held.task, lease_token=token, by=self.caller.actor, now=self.now)
        return answer(shapes.lease(kept))


class Release(ReviewView):
    def post(self, request: Request, case: str) -> Response:
        held, token = self.lease(case)
        leases.hand_back(task=held.task, lease_token=token, by=self.caller.actor, now=self.now)
        return answer({"object": "review.released", "case": case})


class Decide(ReviewView):
    def post(self, request: Request, case: str) -> Response:
        """The same answer sent twice is one decision: clients may repeat it after a timeout."""
        self.reviewer()
        fields = self.fields()
        outcome = fields.text("outcome", needed=NO_OUTCOME)
        reasons, facts = fields.texts("reasons"), fields.text("facts")
        token = _token(fields)
        fields.check()
        made = decisions.decide(
            case=case,
            lease_token=token,
            outcome=outcome or "",
            reasons=reasons,
            facts=facts or "",
            by=self.caller.actor,
            now=self.now,
        )
        return answer(shapes.decision(made))


def _token(fields: Fields) -> str:
    """A lease's token, "" when there is none: then `fields` has the fault."""
    token = fields.text("lease_token", needed=NO_LEASE) or ""
    try:
        return str(UUID(token))
    except ValueError:
        fields.faults["lease_token"] = NO_LEASE
        return ""
