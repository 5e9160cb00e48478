"""Events into a running shop, and what becomes of them."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest

from tests.support.shop import PUBLISHABLE, SECRET, Shop

PREFIX = "activity-http"
BASIC = {"Authorization": "Basic " + base64.b64encode(b"sk_test_local:").decode()}


@pytest.fixture
def u() -> str:
    """A customer of this test's own."""
    return f"{PREFIX}-{next(_numbers)}"


_numbers: Iterator[int] = count()


def timeline(shop: Shop, customer_id: str, **query: Any) -> list[dict[str, Any]]:
    """The whole timeline, page by page."""
    found: list[dict[str, Any]] = []
    cursor = None
    while True:
        page = shop.get(f"/v1/customers/{customer_id}/timeline", params=query | {"cursor": cursor}).json()
        found += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return found


def test_a_batch_of_the_contract_ends_in_profile_points_and_timeline(shop: Shop, u: str) -> None:
    order = {"order_id": f"{u}-o1", "total": 3980, "currency": "JPY"}
    batch = {
        "batch": [
            {
                "type": "identify",
                "messageId": f"{u}-m1",
                "userId": u,
                "anonymousId": f"{u}-a1",
                "timestamp": (datetime.now(UTC) - timedelta(hours=1)).isoformat(),
                "traits": {"email": "hana@example.com", "firstName": "Hana", "address": {"country": "JP"}},
                "context": {
                    "locale": "ja-JP",
                    "timezone": "Asia/Tokyo",
                    "consent": {"categoryPreferences": {"email_marketing": True, "personalization": True}},
                },
            },
            {
                "type": "track",
                "messageId": f"{u}-m2",
                "userId": u,
                "event": "Product Viewed",
                "properties": {"product_id": "85123A"},
            },
            {
                "type": "track",
                "messageId": f"{u}-m3",
                "userId": u,
                "event": "Order Completed",
                "properties": order | {"products": [{"product_id": "85123A", "quantity": 2, "price": 1990}]},
            },
        ]
    }
    for accepted, duplicates in ((3, 0), (0, 3)):
        answer = shop.post("/v1/batch", batch, BASIC)
        assert answer.json() == {
            "success": True,
            "accepted": accepted,
            "duplicates": duplicates,
            "refused": [],
        }
    shop.idle()

    customer = shop.get(f"/v1/customers/{u}").json()
    assert customer["identifiers"] == {"email": "hana@example.com"}
    assert customer["anonymous_ids"] == [f"{u}-a1"]
    assert customer["loyalty"] == {"active_points": 39, "tier": None}
    assert shop.get(f"/v1/orders/{u}-o1").json()["total"] == 3980
    kinds = sorted(item["kind"] for item in timeline(shop, u))
    assert kinds == ["identify", "order", "points", "view"]


def test_an_order_put_and_told_is_one_order_in_the_timeline(shop: Shop, u: str) -> None:
    now = datetime.now(UTC)
    body = {
        "customer_id": u,
        "placed_at": now.isoformat(),
        "currency": "JPY",
        "total": 1000,
        "lines": [{"line_id": "1", "item_id": "a", "quantity": 1, "price": 1000}],
    }
    event = {
        "messageId": f"{u}-m1",
        "userId": u,
        "event": "Order Completed",
        "properties": {
            "order_id": f"{u}-o1",
            "currency": "JPY",
            "products": [{"product_id": "a", "price": 1000}],
        },
    }
    with ThreadPoolExecutor(2) as threads:
        put = threads.submit(shop.put, f"/v1/orders/{u}-o1", body)
        told = threads.submit(shop.post, "/v1/track", event)
        assert put.result().status_code in (200, 201)
        assert told.result().status_code == 200
    shop.idle()

    assert [item["kind"] for item in timeline(shop, u)].count("order") == 1
    assert shop.get(f"/v1/customers/{u}/loyalty").json()["active_points"] == 10


def test_what_a_browser_says_is_a_hint(shop: Shop, u: str) -> None:
    order = {"order_id": f"{u}-o1", "currency": "JPY", "products": [{"product_id": "a", "price": 1000}]}
    events = [
        {
            "type": "track",
            "messageId": f"{u}-1",
            "userId": u,
            "event": "Order Completed",
            "properties": order,
        },
        {
            "type": "track",
            "messageId": f"{u}-2",
            "userId": u,
            "event": "Product Viewed",
            "properties": {"product_id": "a"},
        },
    ]
    answer = shop.post(
        "/v1/b",
        json.dumps({"batch": events, "writeKey": "pk_test_local"}).encode(),
        {"Content-Type": "text/plain"},
    )
    assert answer.json()["accepted"] == 2
    shop.idle()

    assert {(item["kind"], item["trusted"]) for item in timeline(shop, u)} == {
        ("order_claimed", False),
        ("view", False),
    }
    assert shop.get(f"/v1/orders/{u}-o1").status_code == 404
    assert shop.get(f"/v1/customers/{u}/loyalty").json()["active_points"] == 0


def test_thirty_two_senders_of_one_event_make_one_entry(shop: Shop, u: str) -> None:
    """Against a store that really has several connections at once."""

    def send(number: int) -> dict[str, int]:
        at = datetime.now(UTC) - timedelta(seconds=number)
        event = {
            "type": "identify",
            "messageId": f"{u}-m1",
            "userId": u,
            "anonymousId": f"{u}-a1",
            "timestamp": at.isoformat(),
            "traits": {"plan": "gold"},
        }
        answer = shop.post("/v1/batch", {"batch": [event]})
        while answer.status_code == 503:
            answer = shop.post("/v1/batch", {"batch": [event]})
        assert answer.status_code == 200, answer.text
        counts: dict[str, int] = answer.json()
        return counts

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(send, range(32)))

    assert sum(answer["accepted"] for answer in answers) == 1
    assert sum(answer["duplicates"] for answer in answers) == 31
    assert len(timeline(shop, u)) == 1
    assert shop.get(f"/v1/customers/{u}").headers["ETag"] == '"1"'


def test_a_full_batch_is_taken_within_a_request(shop: Shop, u: str) -> None:
    events = [
        {"type": "track", "messageId": f"{u}-m{number}", "userId": u, "event": "Cart Viewed"}
        for number in range(1000)
    ]
    answer = shop.post("/v1/batch", {"batch": events})

    assert answer.json()["accepted"] == 1000
    assert answer.elapsed < timedelta(seconds=25), "the gateway waits no longer than 29 seconds"
    assert len({item["id"] for item in timeline(shop, u, limit=200)}) == 1000


def test_what_a_visitor_did_becomes_the_customers_past(shop: Shop, u: str) -> None:
    view = {
        "messageId": f"{u}-m1",
        "anonymousId": f"{u}-a1",
        "event": "Product Viewed",
        "properties": {"product_id": "a"},
    }
    shop.post("/v1/track", view, PUBLISHABLE)
    shop.post("/v1/alias", {"messageId": f"{u}-m2", "previousId": f"{u}-a1", "userId": u})

    assert [item["kind"] for item in timeline(shop, u)] == ["alias", "view"]
    assert [item["kind"] for item in timeline(shop, u, kind="view", channel="web")] == ["view"]


def test_browsers_may_ask_first_and_read_every_answer(shop: Shop, u: str) -> None:
    asked = {
        "Origin": "https://shop.example.com",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = shop.request("OPTIONS", "/v1/t", headers=asked)
    assert preflight.status_code in (200, 204)
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    assert "authorization" in preflight.headers["Access-Control-Allow-Headers"].lower()

    wrong = [
        shop.post("/v1/t", b"{", PUBLISHABLE),
        shop.post("/v1/t", {"userId": u}, {}),
        shop.post("/v1/t", {"userId": "a#b", "event": "x"}, PUBLISHABLE),
        shop.post("/v1/t", b"<x/>", PUBLISHABLE | {"Content-Type": "application/xml"}),
        shop.post("/v1/t", {"userId": u, "event": "x", "properties": {"a": "x" * 40_000}}, PUBLISHABLE),
    ]
    assert [answer.status_code for answer in wrong] == [400, 401, 400, 415, 413]
    for answer in wrong:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Content-Type"] == "application/problem+json"
    assert timeline(shop, u) == []


def test_bytes_that_mean_harm_spoil_their_own_event_only(shop: Shop, u: str) -> None:
    user = u.encode()
    harmful = {
        b'"\\ud800"': "may not hold half a character (a lone surrogate)",
        b"[" * 30_000 + b"]" * 30_000: "may be nested 12 levels deep at most",
        b"9" * 5000: "numbers must be finite and at most 10^15",
        b"NaN": "numbers must be finite and at most 10^15",
        b'"\x07"': "may not hold control characters",
    }
    view = b'{"type":"track","messageId":"%s-%%d","userId":"%s","event":"Seen","properties":{"a":%%s}}' % (
        user, user,
    )  # fmt: skip
    values = [b"1", *harmful, b"2"]
    batch = b",".join(view % pair for pair in enumerate(values))
    answer = shop.post("/v1/batch", b'{"batch":[%s]}' % batch, SECRET | {"Content-Type": "application/json"})

    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "success": True,
        "accepted": 2,
        "duplicates": 0,
        "refused": [
            {
                "index": index,
                "message_id": f"{u}-{index}",
                "errors": [{"field": "properties.a", "message": message}],
            }
            for index, message in enumerate(harmful.values(), 1)
        ],
    }
    assert sorted(item["details"]["a"] for item in timeline(shop, u)) == [1, 2]


def test_a_body_nobody_can_read_is_told_why(shop: Shop) -> None:
    for body, message in (
        (b'{"batch":[{"type" "track"}]}', "must be a JSON document"),
        (b'{"batch":["\xff"]}', "must be UTF-8"),
        (b"[]", "must be a JSON object"),
    ):
        answer = shop.post("/v1/batch", body, SECRET | {"Content-Type": "application/json"})
        assert answer.status_code == 400
        assert answer.json()["errors"] == [{"field": "body", "message": message}]
