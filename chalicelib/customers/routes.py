"""Customers over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.customers import service
from chalicelib.customers.schemas import CustomerAnswer, CustomerPatch, TokenAnswer, TokenBody
from chalicelib.shared.http import Answer, Call, endpoint

MERGE_PATCH = ("application/json", "application/merge-patch+json")

routes = Blueprint(__name__)


@endpoint(routes, "GET /v1/customers/{customer_id}", me="GET /v1/me", answer=CustomerAnswer)
def read_customer(call: Call[None, None], customer_id: str) -> Answer:
    """Everything known about one customer. The ETag is for If-Match when you change it."""
    body, version = service.view(customer_id, by_customer=call.caller.customer_id is not None)
    return Answer(body, headers={"ETag": f'"{version}"'})


@endpoint(
    routes,
    "PATCH /v1/customers/{customer_id}",
    me="PATCH /v1/me",
    body=CustomerPatch,
    answer=CustomerAnswer,
    media_types=MERGE_PATCH,
)
def change_customer(call: Call[CustomerPatch, None], customer_id: str) -> Answer:
    """Set or delete traits, give or withdraw consents. With If-Match it fails (412) if somebody was faster."""
    body, version = service.edit(
        customer_id,
        call.body,
        if_match=call.headers.get("if-match", "").strip(),
        by_customer=call.caller.customer_id is not None,
        now=call.now,
    )
    return Answer(body, headers={"ETag": f'"{version}"'})


@endpoint(routes, "POST /v1/customer-tokens", body=TokenBody, answer=TokenAnswer)
def create_customer_token(call: Call[TokenBody, None]) -> TokenAnswer:
    """A token for an app in the hands of one customer, after your own server has logged them in."""
    return service.token(call.body.customer_id, call.body.ttl_seconds, now=call.now)
