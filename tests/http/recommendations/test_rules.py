"""The shop's rules, whom things are made for, and a caller's own list, in a running shop: each counts in the next answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.shop import Shop

PREFIX = "rules-http"
MENS, KIDS, DRESS, BAG = (f"{PREFIX}-{name}" for name in ("mens", "kids", "dress", "bag"))
AUDIENCES: dict[str, Any] = {
    MENS: {"genders": ["male"]},
    KIDS: {"age_max": 12},
    DRESS: {"genders": ["female"], "age_min": 18, "age_max": 25},
    BAG: None,
}
ALL = set(AUDIENCES)


@pytest.fixture(autouse=True)
def clothes(shop: Shop) -> None:
    for item_id, audience in AUDIENCES.items():
        assert shop.put(f"/v1/items/{item_id}", {"title": item_id, "audience": audience}).status_code in (
            200,
            201,
        )


@pytest.fixture
def rule(shop: Shop) -> Iterator[str]:
    """The shop is shared with other tests, so no rule stays."""
    path = f"/v1/recommendation-rules/{PREFIX}"
    yield path
    assert shop.delete(path).status_code == 204


def ranked(shop: Shop, **who: str) -> list[str]:
    answer = shop.post("/v1/recommendations/rank", {"item_ids": [BAG, MENS, KIDS, DRESS]} | who)
    assert answer.status_code == 200, answer.text
    return [each["item_id"] for each in answer.json()["items"]]


def shown(shop: Shop, placement: str, query: str = "") -> list[str]:
    answer = shop.get(f"/v1/recommendations/{placement}?limit=100{query}")
    assert answer.status_code == 200, answer.text
    return [each["item_id"] for each in answer.json()["items"]]


def test_the_clothes_shop(shop: Shop) -> None:
    misaki = f"{PREFIX}-misaki"
    assert set(shown(shop, "for_you", f"&anonymous_id={PREFIX}-visitor")) >= ALL
    shop.post("/v1/identify", {"userId": misaki, "traits": {"gender": "female", "birthday": "2004-05-02"}})

    assert not {MENS, KIDS} & set(shown(shop, "for_you", f"&customer_id={misaki}"))
    assert set(ranked(shop, customer_id=misaki)) == {DRESS, BAG}

    products = [{"product_id": KIDS, "quantity": 1, "price": 500}]
    order = {"order_id": f"{PREFIX}-o1", "total": 500, "currency": "JPY", "products": products}
    shop.post("/v1/track", {"userId": misaki, "event": "Order Completed", "properties": order})
    assert ranked(shop, customer_id=misaki)[0] == KIDS
    assert set(ranked(shop, customer_id=misaki)) == {KIDS, DRESS, BAG}
    assert MENS not in shown(shop, "for_you", f"&customer_id={misaki}")


def test_a_rule_counts_in_the_next_list_and_no_longer_once_it_is_gone(shop: Shop, rule: str) -> None:
    cold = {"countries": ["JP"], "regions": ["北海道"]}
    pin = {
        "action": "pin",
        "items": {"item_ids": [MENS]},
        "position": 1,
        "placements": ["popular_nearby"],
        "where": cold,
    }
    preview = {"rule": pin, "placement": "popular_nearby", "country": "JP", "region": "北海道", "limit": 3}
    moved = shop.post("/v1/recommendation-rules/preview", preview).json()["moved"]
    assert moved[0]["item_id"] == MENS
    assert moved[0]["after"] == 1

    assert shop.put(rule, pin).json()["position"] == 1
    assert shown(shop, "popular_nearby", f"&region={quote('北海道')}")[0] == MENS
    assert shown(shop, "popular_nearby", f"&region={quote('沖縄')}")[0] != MENS
    shop.put(f"/v1/items/{MENS}", {"title": MENS, "in_stock": False})
    assert MENS not in shown(shop, "popular_nearby", f"&region={quote('北海道')}")

    assert shop.put(rule, {"action": "hide", "items": {"item_ids": [KIDS]}}).status_code == 200
    assert KIDS not in shown(shop, "trending")
    assert shop.delete(rule).status_code == 204
    assert KIDS in shown(shop, "for_you")


def test_a_cart_never_shows_what_is_in_it(shop: Shop, rule: str) -> None:
    visitor = f"{PREFIX}-cart"
    shop.put(
        rule, {"action": "pin", "items": {"item_ids": [BAG, KIDS]}, "position": 1, "placements": ["cart"]}
    )
    assert shown(shop, "cart", f"&anonymous_id={visitor}")[:2] == [BAG, KIDS]
    shop.post(
        "/v1/track",
        {"anonymousId": visitor, "event": "Product Added", "properties": {"product_id": BAG}},
        shop.pk,
    )
    assert shown(shop, "cart", f"&anonymous_id={visitor}")[1] == KIDS
    assert BAG not in shown(shop, "cart", f"&anonymous_id={visitor}")
    assert KIDS not in shown(shop, "cart", f"&anonymous_id={visitor}&item_id={KIDS}")


def test_who_may_change_the_rules(shop: Shop, rule: str) -> None:
    for headers in (shop.pk, {}):
        assert shop.put(rule, {"action": "hide", "items": {"item_ids": [BAG]}}, headers).status_code in (
            401,
            403,
        )
        assert shop.get("/v1/recommendation-rules", headers).status_code in (401, 403)
    wrong = shop.put(rule, {"action": "hide"})
    assert wrong.status_code == 400
    assert wrong.headers["Content-Type"] == "application/problem+json"
