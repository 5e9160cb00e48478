"""Privacy over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.privacy import explanation, exports, service
from chalicelib.privacy.schemas import (
    ErasureAnswer,
    ExplanationAnswer,
    ExportAccepted,
    ExportAnswer,
    ReceiptAnswer,
    SensitiveAnswer,
    SensitiveBody,
)
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(routes, "DELETE /v1/customers/{customer_id}", me="DELETE /v1/me", answer=ErasureAnswer, status=202)
def erase_customer(call: Call[None, None], customer_id: str) -> ErasureAnswer:
    """Erase a customer under every id they go by. From the answer on they are gone for everybody (410).

    What is stored is taken away within minutes; the receipt lists it. It cannot be undone, and the id cannot be used
    again. Asking again names the same erasure.
    """
    is_own = call.caller.customer_id is not None
    return ErasureAnswer(erasure_id=service.request(customer_id, by_customer=is_own, now=call.now))


@endpoint(routes, "GET /v1/erasures/{erasure_id}", answer=ReceiptAnswer)
def read_receipt(call: Call[None, None], erasure_id: str) -> ReceiptAnswer:
    """What an erasure has touched, and what is kept and why. It names nobody."""
    return service.receipt(erasure_id, customer_id=call.caller.customer_id)


@endpoint(
    routes,
    "POST /v1/customers/{customer_id}/export",
    me="POST /v1/me/export",
    answer=ExportAccepted,
    status=202,
    needs_key=True,
)
def request_export(call: Call[None, None], customer_id: str) -> ExportAccepted:
    """Have a copy of everything stored about a customer made. It is ready within seconds, and kept for a week."""
    return ExportAccepted(export_id=exports.request(customer_id, key=call.key, now=call.now))


@endpoint(routes, "GET /v1/exports/{export_id}", answer=ExportAnswer)
def read_export(call: Call[None, None], export_id: str) -> ExportAnswer:
    """Whether a copy is ready, with a link to it that works for 15 minutes."""
    return exports.find(export_id, customer_id=call.caller.customer_id, now=call.now)


@endpoint(
    routes,
    "GET /v1/me/explanation",
    answer=ExplanationAnswer,
    headers=("Accept-Language",),
)
def explain(call: Call[None, None], customer_id: str) -> Answer:
    """What is known about you, where it came from, what it is used for, and how to switch each use off.

    In English or Japanese, by `Accept-Language`.
    """
    body = explanation.explain(customer_id, call.language)
    return Answer(body, headers={"Content-Language": call.language, "Vary": "Accept-Language"})


@endpoint(routes, "GET /v1/settings/sensitive-categories", answer=SensitiveAnswer)
def read_sensitive_categories(call: Call[None, None]) -> SensitiveAnswer:
    """Which categories of inferred traits need a consent of their own."""
    return service.sensitive()


@endpoint(routes, "PUT /v1/settings/sensitive-categories", body=SensitiveBody, answer=SensitiveAnswer)
def replace_sensitive_categories(call: Call[SensitiveBody, None]) -> SensitiveAnswer:
    """Name the categories that are sensitive for your shop; the next inference heeds them."""
    return service.replace_sensitive(call.body)
