"""What the marked customer does, on every route once, and what of it is no use; through any door that has `request`."""

from __future__ import annotations

import json
import re
from typing import Any

from chalicelib.shared.http import Contract
from tests.support.marked import BODIES, MARK, call_of
from tests.support.routes import contracts
from tests.support.shop import SECRET

JSON = SECRET | {"Content-Type": "application/json"}
# What has to succeed, or nothing would come of it that could be logged.
LIVELY = {
    *(signature for signature in BODIES if re.fullmatch("POST /v1/[a-z]+", signature)),
    "PATCH /v1/customers/{customer_id}",
    "GET /v1/customers/{customer_id}",
    "GET /v1/customers/{customer_id}/timeline",
    "PATCH /v1/me",
    "GET /v1/me/timeline",
    "POST /v1/customer-tokens",
    "PUT /v1/items/{item_id}",
    "POST /v1/items/batch",
    "GET /v1/recommendations/{placement}",
    "POST /v1/customers/{customer_id}/loyalty/accruals",
    "POST /v1/customers/{customer_id}/loyalty/redemptions",
    "PUT /v1/orders/{order_id}",
    "POST /v1/orders/{order_id}/shipments",
    "POST /v1/shipments/{shipment_id}/events",
    "GET /v1/orders/{order_id}/tracking",
    "GET /v1/customers/{customer_id}/messages",
    "POST /v1/api-keys",
}
# After these there would be nobody left to speak of.
LEAVING = {"DELETE /v1/customers/{customer_id}", "DELETE /v1/me"}
BASIC = {"Authorization": f"Basic {MARK}"}


def live(door: Any) -> list[str]:
    """Everything once on every route; answers the secrets that were handed out."""
    bearer = bearer_of(door)
    done = set()
    secrets = [bearer["Authorization"].partition(" ")[2]]
    for contract in sorted(_staying(), key=_when):
        answer = call(door, contract, bearer)
        assert answer.status_code < 500, contract.signature
        if answer.status_code < 300:
            done.add(contract.signature)
        if contract.signature in ("POST /v1/customer-tokens", "POST /v1/api-keys"):
            told = _document(answer)
            secrets.append(told.get("token") or told["key"])
    assert done >= LIVELY
    return secrets


def _staying() -> list[Contract]:
    return [each for each in contracts() if each.signature not in LEAVING]


def _when(contract: Contract) -> tuple[int, str]:
    # What others refer to comes first: the customer, the item, the order, its parcel; what removes them comes last.
    path = contract.signature
    first = (
        "PATCH /v1/customers",
        "PUT /v1/items",
        "PUT /v1/orders",
        "POST /v1/orders",
        "POST /v1/shipments",
    )
    return next(
        (place for place, start in enumerate(first) if path.startswith(start)), 9 + path.startswith("DELETE")
    ), path


def refused(door: Any) -> list[str]:
    """Everything that is no use, with her words in it; answers the secrets that were sent."""
    keys = [f"sk_live_{MARK}", f"pk_live_{MARK}"]
    for contract in _staying():
        method, path, _ = call_of(contract)
        for body in (
            b"{" + MARK.encode(),
            json.dumps({MARK: MARK}).encode(),
            json.dumps([MARK] * 9).encode(),
        ):
            answer = door.request(method, path, body, _headers(contract, SECRET))
            assert answer.status_code < 500, contract.signature
        assert (
            door.request(method, f"{path}?{MARK}={MARK}", b"{}", _headers(contract, SECRET)).status_code < 500
        )
        for headers in (
            BASIC,
            {"X-Api-Key": keys[0]},
            {"Authorization": f"Bearer {MARK}"},
            {"Authorization": MARK},
        ):
            status = door.request(method, path, b"{}", _headers(contract, headers)).status_code
            assert status == 401 or contract.rule.public, contract.signature
    door.request(
        "POST",
        "/v1/t",
        json.dumps({"writeKey": keys[1], "event": MARK}).encode(),
        {"Content-Type": "text/plain"},
    )
    door.request("GET", f"/v1/{MARK}/{MARK}", None, SECRET)
    return keys


def call(door: Any, contract: Contract, bearer: dict[str, str]) -> Any:
    """Do on a route what she does there, with the key or the token that it takes."""
    method, path, body = call_of(contract)
    if "{placement}" in contract.signature:
        path += "?customer_id=u1"
    credentials = bearer if contract.rule.customer and not contract.rule.scope else SECRET
    sent = None if body is None else json.dumps(body).encode()
    return door.request(method, path, sent, _headers(contract, credentials))


def _headers(contract: Contract, credentials: dict[str, str]) -> dict[str, str]:
    media_type = contract.media_types[0].replace("*/*", "application/x-www-form-urlencoded")
    more = {
        "Content-Type": media_type,
        "Idempotency-Key": "k1",
        "User-Agent": MARK,
        "X-Actor": MARK,
        "Cookie": MARK,
    }
    return more | credentials


def bearer_of(door: Any) -> dict[str, str]:
    """A token of hers as a header."""
    answer = door.request("POST", "/v1/customer-tokens", json.dumps({"customer_id": "u1"}).encode(), JSON)
    return {"Authorization": f"Bearer {_document(answer)['token']}"}


def _document(answer: Any) -> dict[str, Any]:
    told: dict[str, Any] = answer.json() if callable(getattr(answer, "json", None)) else answer.json_body
    return told
