"""Events as Segment's browser SDK posts them, and what a browser must be told before it shows any answer to a page."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests

from tests.support.shop import Shop

ORIGIN = {"Origin": "https://shop.example"}
SHORT = {
    "track": ("t", {"event": "Product Viewed", "properties": {"product_id": "p1"}}),
    "identify": ("i", {"traits": {"name": "Hanako"}}),
    "page": ("p", {"name": "Home", "properties": {"path": "/", "url": "https://shop.example/"}}),
    "screen": ("s", {"name": "Home", "properties": {}}),
    "group": ("g", {"groupId": "g1", "traits": {}}),
    "alias": ("a", {"userId": "browser-user", "previousId": "browser-before"}),
}


def event(kind: str, message_id: str, **more: Any) -> dict[str, Any]:
    """One event with everything the SDK wraps around it."""
    return {
        "type": kind,
        "messageId": message_id,
        "anonymousId": "browser-visitor",
        "userId": None,
        "timestamp": "2026-11-01T09:00:00.123Z",
        "sentAt": "2026-11-01T09:00:00.456Z",
        "integrations": {},
        "writeKey": "pk_test_local",
        "context": {
            "library": {"name": "analytics.js", "version": "npm:next-1.84.3"},
            "page": {
                "path": "/",
                "referrer": "",
                "search": "",
                "title": "Shop",
                "url": "https://shop.example/",
            },
            "userAgent": "Mozilla/5.0",
            "locale": "ja-JP",
            "timezone": "Asia/Tokyo",
        },
        "_metadata": {"bundled": ["Segment.io"], "unbundled": [], "bundledIds": []},
    } | more


def post(shop: Shop, path: str, document: Any, **headers: str) -> requests.Response:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return shop.post(path, body, ORIGIN | {"Content-Type": "text/plain"} | headers)


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.mark.parametrize("kind", SHORT)
@pytest.mark.parametrize("content_type", ["text/plain", "text/plain;charset=UTF-8", "application/json"])
def test_the_key_in_the_body_is_enough(shop: Shop, kind: str, content_type: str) -> None:
    path, more = SHORT[kind]
    told = event(
        kind, f"browser-{kind}-{content_type}".replace("/", "-").replace(";", "-").replace("=", "-"), **more
    )
    answer = post(shop, f"/v1/{path}", told, **{"Content-Type": content_type})

    assert answer.json() == {"success": True, "accepted": 1, "duplicates": 0, "refused": []}
    assert_a_page_may_read(answer)
    assert post(shop, f"/v1/{path}", told).json()["duplicates"] == 1


def test_the_newer_sdk_says_its_key_in_two_places(shop: Shop) -> None:
    told = event("track", "browser-basic", **SHORT["track"][1])
    answer = post(shop, "/v1/t", told, Authorization=basic("pk_test_local"))

    assert answer.json()["accepted"] == 1


@pytest.mark.parametrize("where", ["batch", "first event"])
def test_a_batch_names_its_key_or_its_first_event_does(shop: Shop, where: str) -> None:
    events = [
        event(kind, f"browser-{where.replace(' ', '-')}-{kind}", **more) for kind, (_, more) in SHORT.items()
    ]
    body = {"batch": events, "sentAt": "2026-11-01T09:00:00.456Z"}
    if where == "batch":
        body["writeKey"] = "pk_test_local"
        for each in events:
            del each["writeKey"], each["sentAt"]
    answer = post(shop, "/v1/b", body)

    assert answer.json() == {"success": True, "accepted": len(SHORT), "duplicates": 0, "refused": []}
    assert_a_page_may_read(answer)


def test_what_a_browser_told_is_found_once_the_shop_says_whose_it_was(shop: Shop) -> None:
    told = event("track", "browser-found", anonymousId="browser-device", **SHORT["track"][1])
    assert post(shop, "/v1/t", told).status_code == 200
    claimed = event("identify", "browser-claim", anonymousId="browser-device", userId="browser-customer")
    assert post(shop, "/v1/i", claimed).status_code == 200
    timeline = "/v1/customers/browser-customer/timeline"
    assert shop.get(timeline).json()["data"] == []  # a browser may claim to be anybody

    shop.post(
        "/v1/identify",
        {"userId": "browser-customer", "anonymousId": "browser-device", "messageId": "shop-says"},
    )
    found = shop.get(timeline).json()["data"]

    views = [entry for entry in found if entry["kind"] == "view"]
    assert [(view["trusted"], view["details"]["product_id"]) for view in views] == [(False, "p1")]
    assert views[0]["at"] == "2026-11-01T09:00:00.123Z"


@pytest.mark.parametrize(
    ("path", "document", "status"),
    [
        ("/v1/t", b"{", 401),  # whose body it is comes before what is in it
        ("/v1/t", {"event": "x", "userId": "u1"}, 401),
        ("/v1/t", event("track", "m", event="x", writeKey="pk_unknown"), 401),
        ("/v1/t", event("track", "m", event="x", writeKey=["pk_test_local"]), 401),
        ("/v1/t", event("track", "m"), 400),
        ("/v1/t", event("track", "m", event="x", anonymousId=None), 400),
        ("/v1/b", {"writeKey": "pk_test_local", "batch": {}}, 400),
        ("/v1/b", {"writeKey": "pk_test_local", "batch": []}, 400),
        ("/v1/q", event("track", "m", event="x"), 404),
        ("/v1/t", event("track", "m", event="x", properties={"a": "x" * 33_000}), 413),
    ],
)
def test_a_refusal_too_is_for_the_page_to_read(shop: Shop, path: str, document: Any, status: int) -> None:
    answer = post(shop, path, document)

    assert answer.status_code == status
    assert answer.json()["status"] == status
    assert_a_page_may_read(answer)


def test_a_publishable_key_reads_nobody(shop: Shop) -> None:
    answer = shop.get("/v1/customers/browser-customer", ORIGIN | shop.pk)

    assert answer.status_code == 403
    assert_a_page_may_read(answer)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *[("POST", f"/v1/{path}") for path, _ in SHORT.values()],
        ("POST", "/v1/b"),
        ("GET", "/v1/recommendations/for_you"),
        ("GET", "/v1/me/loyalty"),
        ("PATCH", "/v1/me"),
    ],
)
def test_a_browser_may_ask_first(shop: Shop, method: str, path: str) -> None:
    wanted = ["authorization", "content-type", "x-api-key", "x-retry-count"]
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": ",".join(wanted)}
    answer = shop.request("OPTIONS", path, headers=ORIGIN | asked)

    allowed = answer.headers["Access-Control-Allow-Headers"].lower().split(",")
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert method in answer.headers["Access-Control-Allow-Methods"].split(",")
    assert set(wanted) <= set(allowed)
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def assert_a_page_may_read(answer: requests.Response) -> None:
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    exposed = answer.headers["Access-Control-Expose-Headers"].split(",")
    assert {"ETag", "Retry-After", "X-Correlation-Id"} <= {name.strip() for name in exposed}
    assert answer.headers["X-Correlation-Id"]
