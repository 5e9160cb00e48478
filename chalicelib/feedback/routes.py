"""Complaints and satisfaction over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.feedback import service
from chalicelib.feedback.model import Complaint
from chalicelib.feedback.schemas import (
    ComplaintAnswer,
    ComplaintBody,
    ComplaintOpenedAnswer,
    ComplaintsAnswer,
    ComplaintsQuery,
    SatisfactionAnswer,
    SatisfactionBody,
)
from chalicelib.shared.http import Call, endpoint

routes = Blueprint(__name__)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/complaints",
    me="POST /v1/me/complaints",
    body=ComplaintBody,
    answer=ComplaintOpenedAnswer,
    status=201,
    needs_key=True,
)
def open_complaint(call: Call[ComplaintBody, None], customer_id: str) -> ComplaintOpenedAnswer:
    """Open a complaint. Until it is resolved, other rooms know of it and hold back what would be out of place."""
    own = call.caller.customer_id is not None
    complaint = service.complain(customer_id, call.body, own=own, key=call.key, now=call.now)
    return ComplaintOpenedAnswer(complaint_id=complaint.complaint_id)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/complaints",
    me="GET /v1/me/complaints",
    query=ComplaintsQuery,
    answer=ComplaintsAnswer,
)
def list_complaints(call: Call[None, ComplaintsQuery], customer_id: str) -> ComplaintsAnswer:
    """A customer's complaints, newest first, up to 200 for each of their ids."""
    own = call.caller.customer_id is not None
    found = service.complaints(customer_id, call.query.status, own=own)
    return ComplaintsAnswer(data=[_answer(each) for each in found])


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/complaints/{complaint_id}/resolve",
    answer=ComplaintAnswer,
)
def resolve_complaint(call: Call[None, None], customer_id: str, complaint_id: str) -> ComplaintAnswer:
    """Close a complaint. Doing it again changes nothing."""
    return _answer(service.resolve(customer_id, complaint_id, now=call.now))


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/satisfaction",
    me="POST /v1/me/satisfaction",
    body=SatisfactionBody,
    answer=SatisfactionAnswer,
    status=201,
    needs_key=True,
)
def give_satisfaction(call: Call[SatisfactionBody, None], customer_id: str) -> SatisfactionAnswer:
    """Keep how satisfied a customer is: 1 to 5 on the scale `csat`, 0 to 10 on `nps`."""
    own = call.caller.customer_id is not None
    given = service.give(customer_id, call.body, own=own, key=call.key, now=call.now)
    return SatisfactionAnswer(satisfaction_id=given.satisfaction_id)


def _answer(complaint: Complaint) -> ComplaintAnswer:
    return ComplaintAnswer(
        **{name: value for name, value in vars(complaint).items() if name != "customer_id"}
    )
