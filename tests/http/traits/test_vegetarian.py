"""The vegetarian, on a running shop: eight grocery orders, a gift of meat, and a consent withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.shop import Shop

PREFIX = "traits-http"
HANAKO, TANAKA = f"{PREFIX}-佐藤花子", f"{PREFIX}-田中"
TOFU, RICE, GREENS, BEEF = (f"{PREFIX}-{name}" for name in ("豆腐", "米", "野菜", "牛肉"))
FOOD, MEAT = f"{PREFIX}-食料品", f"{PREFIX}-肉"
CATEGORIES = {TOFU: f"{FOOD}/大豆", RICE: f"{FOOD}/米", GREENS: f"{FOOD}/野菜", BEEF: f"{MEAT}/牛肉"}
RULE = {
    "trait": "diet",
    "value": "vegetarian",
    "among": {"categories": [FOOD]},
    "support": {"orders_at_least": 8, "no_item_of": [MEAT]},
    "within": "P365D",
}
NOW = datetime.now(UTC)


@pytest.fixture
def groceries(shop: Shop) -> Shop:
    """The shelf, the rule, and two customers who agreed to be known."""
    for item_id, category in CATEGORIES.items():
        assert shop.put(f"/v1/items/{item_id}", {"title": item_id, "categories": [category]}).ok
    assert shop.put(f"/v1/inference-rules/{PREFIX}", RULE).ok
    for customer_id in (HANAKO, TANAKA):
        consent(shop, customer_id, email_marketing=True, personalization=True)
    return shop


def consent(shop: Shop, customer_id: str, **consents: bool) -> None:
    answer = shop.patch(f"/v1/customers/{customer_id}", {"traits": {"shop": PREFIX}, "consents": consents})
    assert answer.ok, answer.text


def order(shop: Shop, number: int, customer_id: str, *item_ids: str, **more: Any) -> str:
    order_id = f"{PREFIX}-{customer_id[-1]}{number}"
    body = {
        "customer_id": customer_id,
        "placed_at": (NOW - timedelta(days=60 - number)).isoformat(timespec="seconds"),
        "currency": "JPY",
        "total": 500,
        "lines": [{"item_id": item_id, "quantity": 1, "price": 500} for item_id in item_ids],
    }
    answer = shop.put(f"/v1/orders/{order_id}", body | more)
    assert answer.status_code == 201, answer.text
    return order_id


def inferred(shop: Shop, customer_id: str) -> dict[str, Any]:
    answer = shop.get(f"/v1/customers/{customer_id}")
    assert answer.status_code == 200, answer.text
    traits: dict[str, Any] = answer.json()["inferred_traits"]
    return traits


def test_the_vegetarian(groceries: Shop) -> None:
    bought = [order(groceries, number, HANAKO, TOFU, (RICE, GREENS)[number % 2]) for number in range(7)]
    order(groceries, 0, TANAKA, RICE, BEEF)
    assert inferred(groceries, HANAKO) == {}, "seven are not eight"
    bought.append(order(groceries, 7, HANAKO, GREENS))

    diet = inferred(groceries, HANAKO)["diet"]
    assert diet["value"] == "vegetarian"
    assert diet["confidence"] > 0.7
    assert [each["order_id"] for each in diet["evidence"]] == bought[::-1]
    assert diet["counter_evidence"] == []
    assert inferred(groceries, TANAKA) == {}

    present = order(groceries, 8, HANAKO, BEEF, gift=True)
    softened = inferred(groceries, HANAKO)["diet"]
    assert softened["value"] == "vegetarian"
    assert diet["confidence"] - 0.05 < softened["confidence"] < diet["confidence"]
    assert [(each["order_id"], each["item_ids"]) for each in softened["counter_evidence"]] == [
        (present, [BEEF])
    ]

    consent(groceries, HANAKO, personalization=False)
    assert inferred(groceries, HANAKO) == {}
    everything = groceries.get(f"/v1/customers/{HANAKO}/traits").json()
    assert {each["outcome"] for each in everything["rules"]} == {"personalization_withdrawn"}
    assert everything["interests"]["categories"] == []

    consent(groceries, HANAKO, personalization=True)
    assert inferred(groceries, HANAKO)["diet"] == softened


def test_a_window_ends_with_the_clock_and_no_run_in_between(groceries: Shop) -> None:
    customer_id = f"{PREFIX}-clock"
    definition = {"event": "Order Completed", "aggregate": "sum", "property": "total", "within": "P30D"}
    assert groceries.put(f"/v1/computed-traits/{PREFIX}-month", definition).ok
    consent(groceries, customer_id, personalization=True)
    placed_at = NOW.replace(microsecond=0) - timedelta(days=29)
    order(groceries, 1, customer_id, TOFU, placed_at=placed_at.isoformat())

    def month(asked_at: datetime) -> Any:
        answer = groceries.get(f"/v1/customers/{customer_id}", params={"now": asked_at.isoformat()})
        return answer.json()["computed_traits"][f"{PREFIX}-month"]

    end = placed_at + timedelta(days=30)
    assert month(end - timedelta(seconds=1)) == {"value": {"JPY": 500}, "complete": True}
    assert month(end) == {"value": {}, "complete": True}


def test_a_definition_that_makes_no_sense_is_refused_by_its_field(shop: Shop) -> None:
    wrong = shop.put(f"/v1/inference-rules/{PREFIX}-x", RULE | {"within": "a year"})

    assert wrong.status_code == 400
    assert wrong.headers["Content-Type"] == "application/problem+json"
    assert [each["field"] for each in wrong.json()["errors"]] == ["within"]
    assert shop.get(f"/v1/inference-rules/{PREFIX}-x").status_code == 404
