"""A customer whose every word can be recognised, wherever it turns up: what she does on every route that takes a body."""

from __future__ import annotations

import base64
import re
from typing import Any

from chalicelib.shared.http import Contract
from tests.support.routes import method_and_path

MARK = "zqx7"
ADDRESS = f"{MARK}.hanako@example.com"
AT = "2026-11-01T09:00:00.000Z"
TRAITS = {
    "email": ADDRESS,
    "firstName": f"Hanako {MARK}",
    "phone": f"+81 90 1234 {MARK}",
    "address": {"street": f"{MARK} 1-2-3", "city": MARK},
    "locale": "en-GB",
    f"note_{MARK}": MARK,
}
CONSENT = {"status": "granted", "wording_version": MARK, "source": MARK}
_WHO = {
    "userId": "u1",
    "anonymousId": "a1",
    "context": {"userAgent": MARK, "ip": MARK, "page": {"url": MARK}},
}
_TRACK = _WHO | {"event": "Product Viewed", "properties": {"product_id": "85123A", "note": MARK}}
_IDENTIFY = _WHO | {
    "traits": TRAITS,
    "context": {"consent": {"categoryPreferences": {"email_marketing": True}}, "ip": MARK},
}
_PAGE = _WHO | {"name": MARK, "properties": {"url": f"https://example.com/?{MARK}"}}
_GROUP = _WHO | {"groupId": "g1", "traits": {"name": MARK}}
_ALIAS = {"userId": "u1", "previousId": "a2", "context": {"ip": MARK}}
_ORDERED = _WHO | {
    "event": "Order Completed",
    "properties": {
        "order_id": "o2",
        "currency": "GBP",
        "coupon": MARK,
        "products": [{"product_id": "85123A", "price": 19.9, "quantity": 2, "name": MARK}],
    },
}
_BATCH = {
    "batch": [
        {"type": "identify", **_IDENTIFY},
        {"type": "track", **_TRACK},
        {"type": "track", **_ORDERED},
        {"type": "track", **_TRACK, "properties": {"price": MARK}},  # names no item: refused
    ]
}
_ITEM = {
    "title": MARK,
    "brand": MARK,
    "attributes": {"note": MARK},
    "price": {"amount": 1990, "currency": "GBP"},
}
_ME = {"traits": {"firstName": f"Hanako {MARK}"}, "consents": {"email_marketing": CONSENT}}
_RULE = {"trait": MARK, "value": MARK, "support": {"no_item_of": [MARK], "orders_at_least": 3}}
_HIDE = {"action": "hide", "items": {"brands": [MARK], "attributes": {"note": MARK}}}
_PROJECT = {"title": MARK, "room": MARK, "for_whom": MARK, "style": MARK, "colours": [MARK], "notes": MARK}

QUESTION = {
    "text": "Which pet lives with you?",
    "kind": "text",
    "trait": "pet",
    "purpose": "to show you what fits",
    "reward": {"coupon": {"title": "A gift", "valid_days": 30, "percent": 10}},
}


def _both(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """The same for the shop and for her own token."""
    return {f"{method} /v1/{whose}{path}": body for whose in ("customers/{customer_id}", "me")}


# What is right on each route that takes a body; paths are those of `tests.support.routes`.
BODIES: dict[str, Any] = {
    **dict.fromkeys(("POST /v1/track", "POST /v1/t"), _TRACK),
    **dict.fromkeys(("POST /v1/identify", "POST /v1/i"), _IDENTIFY),
    **dict.fromkeys(("POST /v1/page", "POST /v1/p", "POST /v1/screen", "POST /v1/s"), _PAGE),
    **dict.fromkeys(("POST /v1/group", "POST /v1/g"), _GROUP),
    **dict.fromkeys(("POST /v1/alias", "POST /v1/a"), _ALIAS),
    **dict.fromkeys(("POST /v1/batch", "POST /v1/import", "POST /v1/b"), _BATCH),
    "PATCH /v1/customers/{customer_id}": {"traits": TRAITS, "consents": {"email_marketing": CONSENT}},
    "PATCH /v1/me": _ME,
    "POST /v1/customer-tokens": {"customer_id": "u1"},
    "PUT /v1/items/{item_id}": _ITEM,
    "POST /v1/items/batch": {
        "items": [_ITEM | {"item_id": "i2"}, {"item_id": "i3", "title": MARK, "url": MARK}]
    },
    "POST /v1/customers/{customer_id}/loyalty/accruals": {"points": 5, "reason": MARK},
    "POST /v1/customers/{customer_id}/loyalty/redemptions": {"points": 3},
    "POST /v1/customers/{customer_id}/loyalty/redemptions/{redemption_id}/confirm": {"points": 2},
    "POST /v1/customers/{customer_id}/loyalty/redemptions/{redemption_id}/release": {},
    "POST /v1/customers/{customer_id}/loyalty/refunds": {
        "order_id": "o1",
        "lines": [{"item_id": "85123A", "quantity": 1}],
        "reason": MARK,
    },
    **_both("POST", "/loyalty/offers", {}),
    **_both("POST", "/loyalty/referral-code", {}),
    **_both(
        "POST",
        "/loyalty/incentives",
        {"currency": "GBP", "lines": [{"item_id": "85123A", "quantity": 2, "price": 1990}]},
    ),
    "POST /v1/loyalty/referrals": {"code": MARK, "customer_id": "u1"},
    "POST /v1/loyalty/quotes": {
        "customer_id": "u1",
        "currency": "JPY",
        "lines": [{"item_id": "85123A", "quantity": 2, "price": 1990}],
    },
    "PUT /v1/loyalty/program": {
        "currency": "GBP",
        "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
    },
    "PUT /v1/orders/{order_id}": {
        "customer_id": "u1",
        "placed_at": AT,
        "currency": "GBP",
        "total": 3980,
        "lines": [{"item_id": "85123A", "quantity": 2, "price": 1990}],
        "ship_to": {"country": "JP", "postal_code": MARK},
    },
    "POST /v1/orders/{order_id}/shipments": {
        "shipment_id": "s1",
        "carrier": "jp.yamato",
        "tracking_number": f"{MARK}-1234",
    },
    "POST /v1/shipments/{shipment_id}/events": {
        "event_id": "e1",
        "status": "in_transit",
        "at": AT,
        "raw_status": MARK,
        "location": MARK,
        "reason": MARK,
    },
    "POST /v1/customers/{customer_id}/merge": {"from": "u2", "reason": MARK},
    "POST /v1/merges/{merge_id}/undo": {},
    "POST /v1/customers/{customer_id}/notes": {
        "text": f"Talked with {MARK}",
        "topics": [MARK],
        "item_ids": ["85123A"],
        "author": {"name": MARK, "role": "sales"},
    },
    **_both("PUT", "/watchlist/{item_id}", {}),
    **_both("PUT", "/projects/{project_id}", _PROJECT),
    **_both("POST", "/complaints", {"text": f"{MARK} is late"}),
    "POST /v1/customers/{customer_id}/complaints/{complaint_id}/resolve": {},
    **_both("POST", "/satisfaction", {"score": 5, "scale": "csat"}),
    **_both("POST", "/export", {}),
    "PUT /v1/profile-questions/{question_id}": QUESTION,
    "POST /v1/profile-answers": {"customer_id": "u1", "answers": {"pet": MARK}},
    "POST /v1/coupons/{code}/redeem": {"customer_id": "u1", "order_id": "o1"},
    "PUT /v1/settings/sensitive-categories": {"categories": [MARK]},
    "PUT /v1/settings/interests": {"half_life_days": 10},
    "PUT /v1/computed-traits/{trait_name}": {"event": "Order Completed", "aggregate": "count"},
    "PUT /v1/inference-rules/{rule_id}": _RULE,
    "POST /v1/inference-rules/preview": {"customer_id": "u1", "rule": _RULE},
    "POST /v1/recommendations/rank": {"customer_id": "u1", "item_ids": ["85123A", MARK]},
    "PUT /v1/recommendation-rules/{rule_id}": _HIDE,
    "POST /v1/recommendation-rules/preview": {"rule": _HIDE, "placement": "for_you", "customer_id": "u1"},
    "PUT /v1/settings/audience": {"traits": [{"trait": MARK, "value": MARK, "categories": [MARK]}]},
    "POST /v1/api-keys": {"name": MARK, "kind": "secret", "scopes": ["*"]},
    "POST /u/{token}": {MARK: MARK},
}


def call_of(contract: Contract) -> tuple[str, str, Any]:
    """Method, path and body of what she does on a route; credentials are the caller's matter."""
    method, path = method_and_path(contract)
    path = path.replace("not-a-token", f"{MARK}-not-a-token")
    return method, path, BODIES[contract.signature] if method in ("POST", "PUT", "PATCH") else None


def found_in(text: str, secrets: list[str]) -> list[str]:
    """Every place where one of her words, or one of the secrets, stands in a text; with what stands around it."""
    wanted = [MARK, base64.b64encode(MARK.encode()).decode().rstrip("="), *secrets]
    pattern = re.compile("|".join(map(re.escape, wanted)), re.IGNORECASE)
    return [text[max(0, hit.start() - 80) : hit.end() + 40] for hit in pattern.finditer(text)]
