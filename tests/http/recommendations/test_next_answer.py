"""Recommendations of a running shop: what was accepted a moment ago is in the next answer, with no waiting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.shop import Shop

PREFIX = "recommendations-http"
TEA, CUP = f"{PREFIX}-tea", f"{PREFIX}-cup"


@pytest.fixture(autouse=True)
def two_items(shop: Shop) -> None:
    """On the shelf for these tests; the shop is shared with others."""
    for item_id in (TEA, CUP):
        answer = shop.put(f"/v1/items/{item_id}", {"title": item_id, "categories": [f"{PREFIX}/table"]})
        assert answer.status_code in (200, 201)


def ask(shop: Shop, placement: str, headers: dict[str, str] | None = None, **query: Any) -> dict[str, Any]:
    answer = shop.get(f"/v1/recommendations/{placement}", headers, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def reasons(answer: dict[str, Any]) -> dict[str, str]:
    return {each["item_id"]: each["reason"]["code"] for each in answer["items"]}


@pytest.mark.parametrize("headers", [Shop.sk, Shop.pk])
@pytest.mark.parametrize(("event", "code"), [("Product Viewed", "viewed"), ("Product Added", "in_cart")])
def test_a_visitors_view_or_cart(shop: Shop, headers: dict[str, str], event: str, code: str) -> None:
    visitor = f"{PREFIX}-{code}-{headers['X-Api-Key']}"
    before = ask(shop, "for_you", headers, anonymous_id=visitor)
    shop.post(
        "/v1/track", {"anonymousId": visitor, "event": event, "properties": {"product_id": TEA}}, headers
    )
    after = ask(shop, "for_you", headers, anonymous_id=visitor)

    assert before["fallback"] is not None
    assert after["fallback"] is None
    assert reasons(after)[TEA] == code
    assert reasons(after)[CUP] == "same_category"


def test_an_order_told_by_an_event_and_the_same_order_recorded(shop: Shop) -> None:
    customer = f"{PREFIX}-buyer"
    products = [{"product_id": TEA, "quantity": 1, "price": 500}]
    order = {"order_id": f"{PREFIX}-o1", "total": 500, "currency": "JPY", "products": products}
    assert ask(shop, "buy_again", customer_id=customer)["fallback"] is not None

    shop.post("/v1/track", {"userId": customer, "event": "Order Completed", "properties": order})
    told = ask(shop, "buy_again", customer_id=customer)
    shop.idle()
    recorded = ask(shop, "buy_again", customer_id=customer)

    assert told["items"] == recorded["items"], "first from the event, then from the order's record: one order"
    [item] = told["items"]
    assert item["item_id"] == TEA
    assert item["reason"]["text"] == "You bought this before"
    assert [each["id"] for each in item["reason"]["evidence"]] == [f"{PREFIX}-o1"]


def test_sold_out_hidden_or_deleted_a_moment_ago(shop: Shop) -> None:
    visitor = f"{PREFIX}-looker"
    shop.post(
        "/v1/track", {"anonymousId": visitor, "event": "Product Viewed", "properties": {"product_id": CUP}}
    )
    for change in ({"in_stock": False}, {"hidden": True}, None):
        assert CUP in reasons(ask(shop, "for_you", anonymous_id=visitor))
        if change:
            shop.put(f"/v1/items/{CUP}", {"title": CUP} | change)
        else:
            shop.delete(f"/v1/items/{CUP}")
        assert CUP not in reasons(ask(shop, "for_you", anonymous_id=visitor, limit=100))
        shop.put(f"/v1/items/{CUP}", {"title": CUP})


def test_a_customer_token_sees_its_own(shop: Shop) -> None:
    customer = f"{PREFIX}-token"
    token = shop.post("/v1/customer-tokens", {"customer_id": customer, "ttl_seconds": 600}).json()["token"]
    mine = {"Authorization": f"Bearer {token}"}
    shop.post("/v1/track", {"userId": customer, "event": "Product Viewed", "properties": {"product_id": TEA}})

    assert reasons(ask(shop, "for_you", mine))[TEA] == "viewed"
    assert shop.get("/v1/recommendations/for_you?customer_id=other", mine).status_code == 403
    assert shop.get(f"/v1/recommendations/for_you?customer_id={customer}", shop.pk).status_code == 403


@pytest.mark.parametrize(
    ("path", "field"),
    [("nowhere", "placement"), ("for_you?limit=0", "limit"), ("similar?exclude=a%20b", "exclude.0")],
)
def test_a_wrong_question(shop: Shop, path: str, field: str) -> None:
    refused = shop.get(f"/v1/recommendations/{path}")

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json()["errors"][0]["field"] == field
