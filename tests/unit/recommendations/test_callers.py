"""Who may ask what, and what a wrong question is answered."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock, tokens
from tests.support.embedded import PUBLISHABLE
from tests.support.recommender import PLACEMENTS, Recommender, reason_of


def bearer(customer_id: str) -> dict[str, str]:
    token = tokens.customer_token(customer_id, now=clock.now(), ttl=timedelta(hours=1))
    return {"Authorization": f"Bearer {token}"}


def test_a_customer_asks_for_herself_only(shop: Recommender) -> None:
    shop.order("o1", "u1", "milk")
    for query in ("", "?customer_id=u1"):
        answer = shop.api.get(f"/v1/recommendations/buy_again{query}", bearer("u1"))
        assert [each["item_id"] for each in answer.json_body["items"]] == ["milk"]

    assert shop.api.get("/v1/recommendations/buy_again?customer_id=u1", bearer("u2")).status_code == 403
    assert shop.ask("buy_again", bearer("u2"))["fallback"] == "newest"


def test_a_browser_asks_for_its_visitor_and_learns_nothing_of_orders(shop: Recommender) -> None:
    """Anybody can hold a publishable key and guess a visitor's id: neither reasons nor lists may tell of purchases."""
    strangers = shop.ask("buy_again", PUBLISHABLE, anonymous_id="nobody")
    shop.completed("o1", "milk", anonymousId="a1")  # a server tells of a guest's order

    told = shop.ask("for_you", PUBLISHABLE, anonymous_id="a1")
    again = shop.ask("buy_again", PUBLISHABLE, anonymous_id="a1")

    assert reason_of(shop.ask("for_you", anonymous_id="a1"), "milk")["code"] == "bought_before"
    assert reason_of(told, "milk")["code"] == "newest"
    assert {**again, "request_id": ""} == {**strangers, "request_id": ""}
    assert shop.api.get("/v1/recommendations/for_you?customer_id=u1", PUBLISHABLE).status_code == 403
    assert shop.api.get("/v1/recommendations/for_you", {}).status_code == 401


def test_a_customer_learns_nothing_of_a_visitor_who_may_be_somebody_else(shop: Recommender) -> None:
    shop.completed("o1", "milk", anonymousId="a1")
    shop.event("Product Viewed", item_id="bread", anonymousId="a1")

    answer = shop.api.get("/v1/recommendations/for_you?anonymous_id=a1", bearer("mallory"))

    assert {each["reason"]["code"] for each in answer.json_body["items"]} == {"newest"}


def test_a_browsers_claim_of_an_order_is_no_purchase(shop: Recommender) -> None:
    shop.completed("o1", "milk", userId="u1", headers=PUBLISHABLE)

    assert shop.ask("buy_again", customer_id="u1")["fallback"] == "newest"
    assert reason_of(shop.ask("for_you", customer_id="u1"), "milk")["code"] == "recent_activity"


def test_a_visitors_id_never_shows_what_its_customer_did(shop: Recommender) -> None:
    shop.order("o1", "u1", "soap")
    shop.event("Product Viewed", item_id="milk", anonymousId="a1")
    shop.api.post("/v1/identify", {"messageId": "i1", "userId": "u1", "anonymousId": "a1"})

    codes = {
        each["item_id"]: each["reason"]["code"]
        for each in shop.ask("for_you", PUBLISHABLE, anonymous_id="a1")["items"]
    }
    assert codes["milk"] == "viewed"
    assert codes["soap"] == "newest"


def test_a_customer_brings_along_what_the_browser_saw_before_the_login(shop: Recommender) -> None:
    shop.event("Product Viewed", item_id="milk", anonymousId="a1")
    assert shop.ask("for_you", customer_id="u1")["fallback"] == "newest"
    shop.api.post("/v1/identify", {"messageId": "i1", "userId": "u1", "anonymousId": "a1"})

    assert reason_of(shop.ask("for_you", customer_id="u1"), "milk")["code"] == "viewed"


def test_a_shared_browser_does_not_join_two_people(shop: Recommender) -> None:
    shop.event("Product Viewed", item_id="milk", anonymousId="a1")
    mine = shop.ask("for_you", customer_id="u2", anonymous_id="a1")
    shop.api.post("/v1/identify", {"messageId": "i1", "userId": "u1", "anonymousId": "a1"})

    assert mine["fallback"] is None
    assert shop.ask("for_you", customer_id="u2", anonymous_id="a1")["fallback"] == "newest"


def test_who_withdraws_consent_is_a_stranger(shop: Recommender) -> None:
    shop.train()
    shop.event("Product Viewed", item_id="milk", anonymousId="a1")
    shop.order("o1", "u1", "soap")
    shop.withdraw("u1", anonymousId="a1")

    for placement in PLACEMENTS:
        for asked in ({"customer_id": "u1"}, {"anonymous_id": "a1"}):
            mine, strangers = shop.ask(placement, **asked), shop.ask(placement)
            assert mine["items"] == strangers["items"]
            assert mine["fallback"] == strangers["fallback"]
    assert shop.ids("bought_together", item_id="bread", customer_id="u1") == ["butter", "jam"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("nowhere", "placement"),
        ("for_you?limit=0", "limit"),
        ("for_you?limit=-1", "limit"),
        ("for_you?limit=101", "limit"),
        ("for_you?limit=ten", "limit"),
        ("for_you?limit=1&limit=2", "limit"),
        ("for_you?customer_id=a%2Fb", "customer_id"),
        ("for_you?anonymous_id=", "anonymous_id"),
        ("for_you?item_id=a%23b", "item_id.0"),
        ("for_you?" + "&".join(f"item_id=i{number}" for number in range(51)), "item_id"),
        ("for_you?exclude=" + ",".join(f"i{number}" for number in range(10_000)), "exclude"),
        ("for_you?exclude=ok,a%20b", "exclude.1"),
        ("for_you?" + "&".join(f"exclude=i{number}" for number in range(201)), "exclude"),
        ("for_you?country=jp", "country"),
        ("for_you?region=", "region"),
        ("for_you?explain=perhaps", "explain"),
        ("for_you?max_price=-1", "max_price"),
        ("for_you?max_price=1.5", "max_price"),
        ("for_you?currency=yen", "currency"),
        ("for_you?colour=red", "colour"),
    ],
)
def test_a_wrong_question_names_the_parameter(api: Any, path: str, field: str) -> None:
    refused = api.get(f"/v1/recommendations/{path}")

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json_body["errors"][0]["field"] == field


def test_whoever_was_erased_is_a_stranger(shop: Recommender) -> None:
    """Before anything of theirs is taken away: nothing may rest on it from the answer to the erasure on."""
    shop.order("o1", "u1", "milk")
    shop.event("Product Viewed", item_id="bread", userId="u1", anonymousId="a1")
    assert shop.api.post("/v1/identify", {"userId": "u1", "anonymousId": "a1"}).status_code == 200
    assert reason_of(shop.ask("for_you", customer_id="u1"), "milk")["code"] == "bought_before"

    assert shop.api.delete("/v1/customers/u1").status_code == 202
    for placement in PLACEMENTS:
        stranger = shop.ask(placement, customer_id="nobody") | {"request_id": ""}
        for who in (
            {"customer_id": "u1"},
            {"anonymous_id": "a1"},
            {"customer_id": "u1", "anonymous_id": "a1"},
        ):
            assert shop.ask(placement, **who) | {"request_id": ""} == stranger
