"""What was accepted a moment ago is in the next answer; strangers get something sensible."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.recommendations import service
from chalicelib.shared import clock
from tests.support.recommender import PLACEMENTS, Recommender, reason_of
from tests.support.trained import Model


@pytest.mark.parametrize("trained", [False, True])
@pytest.mark.parametrize("event", ["Product Viewed", "Product Added"])
@pytest.mark.parametrize(
    ("who", "asked"),
    [({"userId": "u1"}, {"customer_id": "u1"}), ({"anonymousId": "a1"}, {"anonymous_id": "a1"})],
)
def test_an_event_changes_the_next_answer(
    shop: Recommender, event: str, who: dict[str, str], asked: dict[str, str], trained: bool
) -> None:
    if trained:
        shop.train()
    before = shop.ask("for_you", **asked)
    shop.event(event, item_id="milk", **who)
    after = shop.ask("for_you", **asked)

    act = {"Product Viewed": "view", "Product Added": "cart"}[event]
    assert before["fallback"] == ("popular" if trained else "newest")
    assert after["fallback"] is None
    assert [each["item_id"] for each in before["items"]] != [each["item_id"] for each in after["items"]]
    assert trained or after["items"][0]["item_id"] == "milk"
    assert reason_of(after, "milk")["evidence"][0]["kind"] == act
    if trained:
        reason = reason_of(after, "coffee")
        assert (
            reason["text"]
            == {"view": "Because you looked at MILK", "cart": "Goes with MILK in your cart"}[act]
        )
        assert reason["evidence"][0]["item_id"] == "milk"


@pytest.mark.parametrize("trained", [False, True])
def test_an_order_changes_the_next_answer_before_its_record_is_there(
    shop: Recommender, trained: bool
) -> None:
    if trained:
        shop.train()
    assert shop.ask("buy_again", customer_id="u1")["fallback"] is not None
    shop.completed("o1", "milk", userId="u1")  # nothing has worked off the queues: no order record exists

    for_you, again = shop.ask("for_you", customer_id="u1"), shop.ask("buy_again", customer_id="u1")

    assert [each["item_id"] for each in again["items"]] == ["milk"]
    assert reason_of(for_you, "milk") == reason_of(again, "milk")
    assert [(each["kind"], each["id"]) for each in reason_of(again, "milk")["evidence"]] == [("order", "o1")]


def test_an_order_told_of_and_recorded_is_one_order(shop: Recommender) -> None:
    shop.order("o1", "u1", "milk")
    once = shop.ask("buy_again", customer_id="u1")
    shop.completed("o1", "milk", userId="u1")

    again = shop.ask("buy_again", customer_id="u1")
    assert reason_of(again, "milk")["text"] == reason_of(once, "milk")["text"] == "You bought this before"
    assert len(reason_of(again, "milk")["evidence"]) == 1


def test_a_new_model_serves_from_the_next_request(shop: Recommender) -> None:
    assert shop.ask("bought_together", item_id="bread")["fallback"] == "newest"
    shop.train()
    assert shop.ids("bought_together", item_id="bread") == ["butter", "jam"]
    service.save_model(Model(neighbours={"bread": {"together": [("tea", 0.1, 3)]}}))
    assert shop.ids("bought_together", item_id="bread") == ["tea"]


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_what_may_not_be_shown_is_gone_from_the_next_answer(shop: Recommender, placement: str) -> None:
    shop.train()
    shop.order("o1", "u1", "milk", "bread", "eggs", "rice", "tea", days_ago=9)
    asked = {"customer_id": "u1"} | (
        {"item_id": "bread"} if placement in ("similar", "bought_together") else {}
    )
    gone = []
    for change in ("hidden", "sold out", "deleted", "excluded"):
        gone.append(shop.ids(placement, **asked)[0])
        if change == "deleted":
            assert shop.api.delete(f"/v1/items/{gone[-1]}").status_code == 204
        elif change == "excluded":
            asked["exclude"] = gone[-1]
        else:
            shop.item(gone[-1], hidden=change == "hidden", in_stock=change != "sold out")
        after = shop.ids(placement, **asked)
        assert after, change
        assert not set(after) & set(gone), change


def test_the_price_is_that_of_this_second(shop: Recommender) -> None:
    shop.item("soap", price={"amount": 300, "currency": "JPY"})
    for amount in (300, 250):
        shop.item("soap", price={"amount": amount, "currency": "JPY"})
        prices = {each["item_id"]: each["item"]["price"] for each in shop.ask("for_you")["items"]}
        assert prices["soap"] == {"amount": amount, "currency": "JPY"}
        assert prices["rice"] is None


@pytest.mark.parametrize("trained", [False, True])
def test_strangers_get_something_sensible(shop: Recommender, trained: bool) -> None:
    if trained:
        shop.train()
    for placement in PLACEMENTS:
        for who in ({}, {"customer_id": "nobody"}, {"anonymous_id": "nobody"}):
            answer = shop.ask(placement, **who)
            stood_in = None if trained and placement == "trending" else "popular" if trained else "newest"
            assert answer["fallback"] == stood_in
            assert len(answer["items"]) == 10
            first = answer["items"][0]
            assert not trained or first["item_id"] == "bread"
            assert first["reason"]["code"] == ("popular" if trained else "newest")
            assert first["due_in_days"] is None


def test_an_item_never_seen_is_no_error(shop: Recommender) -> None:
    shop.train()
    for placement in PLACEMENTS:
        assert shop.ask(placement, item_id="never", exclude="never,either")["items"]


def test_an_empty_shop_has_an_empty_list(api: Any) -> None:
    for placement in PLACEMENTS:
        answer = Recommender(api).ask(placement, customer_id="u1", item_id="x")
        assert (answer["items"], answer["fallback"]) == ([], None)


def test_a_list_is_never_empty_while_one_item_can_be_shown(api: Any) -> None:
    shop = Recommender(api)
    hidden = [{"item_id": f"h{number:03d}", "title": "x", "in_stock": False} for number in range(250)]
    shop.item("old")
    clock.travel(timedelta(hours=1))
    api.post("/v1/items/batch", {"items": hidden})

    assert shop.ids("for_you") == ["old"]
    shop.item("old", hidden=True)
    shop.item("guide", kind="content")
    assert shop.ids("buy_again") == ["guide"]


def test_new_products_fill_a_list_and_articles_do_not(shop: Recommender) -> None:
    shop.item("guide", kind="content")

    assert "guide" not in shop.ids("for_you", limit=50)
