"""Customers over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.customers import answers, lookup, merges, service
from chalicelib.customers.schemas import (
    CustomerAnswer,
    CustomerPatch,
    CustomersAnswer,
    LookupQuery,
    MergeAnswer,
    MergeBody,
    TokenAnswer,
    TokenBody,
    UndoAnswer,
)
from chalicelib.shared import ids
from chalicelib.shared.http import Answer, Call, endpoint

MERGE_PATCH = ("application/json", "application/merge-patch+json")

routes = Blueprint(__name__)


@endpoint(routes, "GET /v1/customers", query=LookupQuery, answer=CustomersAnswer)
def find_customers(call: Call[None, LookupQuery]) -> CustomersAnswer:
    """Find a customer by e-mail address, telephone number, store card or a partner's id, in any spelling."""
    return lookup.find(call.query, now=call.now)


@endpoint(routes, "GET /v1/customers/{customer_id}", me="GET /v1/me", answer=CustomerAnswer)
def read_customer(call: Call[None, None], customer_id: str) -> Answer:
    """Everything known about one customer. The ETag is for If-Match when you change it.

    An id that was merged into another answers 308 with the surviving one in `Location`; an erased one 410.
    """
    body, version = service.view(customer_id, by_customer=call.caller.customer_id is not None, now=call.now)
    return Answer(body, headers={"ETag": f'"{version}"'})


@endpoint(
    routes,
    "PATCH /v1/customers/{customer_id}",
    me="PATCH /v1/me",
    body=CustomerPatch,
    answer=CustomerAnswer,
    media_types=MERGE_PATCH,
    headers=("If-Match", "X-Actor"),
)
def change_customer(call: Call[CustomerPatch, None], customer_id: str) -> Answer:
    """Set or delete traits, give or withdraw consents. With If-Match it fails (412) if somebody was faster."""
    body, version = service.edit(
        customer_id,
        call.body,
        if_match=call.headers.get("if-match", "").strip(),
        by_customer=call.caller.customer_id is not None,
        said_by=call.actor or call.caller.name,
        now=call.now,
    )
    return Answer(body, headers={"ETag": f'"{version}"'})


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/merge",
    body=MergeBody,
    answer=MergeAnswer,
    status=201,
    needs_key=True,
    headers=("X-Actor",),
)
def merge(call: Call[MergeBody, None], customer_id: str) -> Answer:
    """Another customer turned out to be this one: from now on this id speaks for both, and each keeps what it holds.

    Of what either agreed to the most restrictive counts until they say anew. 409 names the surviving id where one of
    them was merged before. A staff key's `X-Actor` is kept with the record.
    """
    merged = merges.merge(
        customer_id,
        call.body.other_id,
        reason=call.body.reason,
        merge_id=ids.fingerprint("merge", customer_id, call.key),
        said_by=call.actor or call.caller.name,
        now=call.now,
    )
    return Answer(answers.merge_answer(merged), status=201)


@endpoint(
    routes,
    "POST /v1/merges/{merge_id}/undo",
    answer=UndoAnswer,
    headers=("X-Actor",),
)
def undo_merge(call: Call[None, None], merge_id: str) -> UndoAnswer:
    """They are two after all: each has what it had, and what was said to it since. Doing it again changes nothing.

    409 names the merge to undo first where the surviving id was itself merged since.
    """
    return answers.undo_answer(merges.undo(merge_id, said_by=call.actor or call.caller.name, now=call.now))


@endpoint(routes, "POST /v1/customer-tokens", body=TokenBody, answer=TokenAnswer)
def create_customer_token(call: Call[TokenBody, None]) -> TokenAnswer:
    """A token for an app in the hands of one customer, after your own server has logged them in."""
    return service.token(call.body.customer_id, call.body.ttl_seconds, now=call.now)
