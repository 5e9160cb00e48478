"""What each placement shows, and in which words."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.recommendations import service
from chalicelib.shared import clock
from tests.support.embedded import PUBLISHABLE, SECRET
from tests.support.recommender import Recommender, reason_of
from tests.support.trained import Model


def test_for_you_is_a_mixed_list_with_the_reason_of_each(shop: Recommender) -> None:
    shop.train()
    shop.order("o1", "u1", "bread", days_ago=3)

    answer = shop.ask("for_you", customer_id="u1")

    assert (answer["placement"], answer["fallback"], len(answer["request_id"])) == ("for_you", None, 26)
    assert [each["item_id"] for each in answer["items"]][:3] == ["bread", "milk", "tea"]
    assert {each["item_id"]: each["reason"]["code"] for each in answer["items"]} == {
        "bread": "bought_before",
        "tea": "next",
        "milk": "popular",
        "eggs": "popular",
        "butter": "bought_together",
        "honey": "similar_customers",
        "jam": "bought_together",
        "rice": "popular",
        "coffee": "newest",
        "soap": "newest",
    }
    assert reason_of(answer, "butter")["text"] == "Because you bought BREAD"
    assert [
        (each["kind"], each["id"], each["item_id"]) for each in reason_of(answer, "butter")["evidence"]
    ] == [("order", "o1", "bread")]
    scores = [each["score"] for each in answer["items"]]
    assert scores == sorted(scores, reverse=True)


def test_the_page_one_is_on_speaks_and_is_not_recommended(shop: Recommender) -> None:
    shop.train()
    answer = shop.ask("for_you", anonymous_id="a1", item_id="milk")

    assert [each["item_id"] for each in answer["items"]][:2] == ["bread", "coffee"]
    assert reason_of(answer, "coffee")["text"] == "Bought together 4 times"
    assert "milk" not in {each["item_id"] for each in answer["items"]}


def test_bought_together_counts_truly(shop: Recommender) -> None:
    shop.train()
    answer = shop.ask("bought_together", item_id="bread")

    assert [each["item_id"] for each in answer["items"]] == ["butter", "jam"]
    assert reason_of(answer, "butter")["text"] == "Bought together 6 times"
    assert reason_of(answer, "butter")["evidence"] == [{"kind": "together", "item_id": "bread", "count": 6}]


def test_several_items_of_a_page_speak_together(shop: Recommender) -> None:
    shop.train()
    answer = shop.api.get("/v1/recommendations/bought_together?item_id=bread&item_id=milk&item_id=butter")

    assert [each["item_id"] for each in answer.json_body["items"]] == ["coffee", "jam"]


def test_similar_is_customers_baskets_and_category(shop: Recommender) -> None:
    shop.train()
    answer = shop.ask("similar", item_id="bread")

    assert {each["item_id"]: each["reason"]["code"] for each in answer["items"]} == {
        "butter": "similar_customers",
        "honey": "similar_customers",
        "jam": "same_category",
        "milk": "same_category",
        "eggs": "same_category",
        "rice": "same_category",
    }
    assert reason_of(answer, "honey")["text"] == "Customers who bought BREAD bought this too"
    assert reason_of(answer, "milk")["text"] == "More from basic"


def test_similar_works_by_category_before_any_training(shop: Recommender) -> None:
    shop.item("candle", categories=["home/candles"])

    assert shop.ids("similar", item_id="candle") == ["soap"]


def test_buy_again_says_when_it_is_due(shop: Recommender) -> None:
    shop.train()
    shop.order("o1", "u1", "bread", "soap", days_ago=20)
    shop.order("o2", "u1", "bread", "milk", days_ago=10)

    due = {each["item_id"]: each["due_in_days"] for each in shop.ask("buy_again", customer_id="u1")["items"]}

    # bread: one own gap of 10 days, the item's 7 counts twice: 8 - 10; milk: the item's 4 - 10; soap: nobody knows
    assert due == {"bread": -2, "milk": -6, "soap": None}


def test_trending_is_what_sells(shop: Recommender) -> None:
    shop.train()
    answer = shop.ask("trending", limit=4)

    assert [each["item_id"] for each in answer["items"]] == ["bread", "milk", "eggs", "rice"]
    assert reason_of(answer, "eggs")["text"] == "Bought once in the last 14 days"
    assert reason_of(answer, "rice")["text"] == "Bought 20 times in the last 90 days"


def test_a_list_follows_price_and_currency(shop: Recommender) -> None:
    shop.train()
    shop.item("bread", price={"amount": 300, "currency": "JPY"})
    shop.item("rice", price={"amount": 900, "currency": "JPY"})
    shop.item("tea", price={"amount": 200, "currency": "GBP"})

    assert shop.ids("trending", currency="JPY") == ["bread", "rice"]
    assert shop.ids("trending", max_price=300) == ["bread", "tea"]
    assert shop.ids("trending", currency="JPY", max_price=299) == []


def test_the_customer_reads_it_in_the_language_asked_for(shop: Recommender) -> None:
    shop.train()
    shop.item("bread", title_ja="食パン")
    shop.order("o1", "u1", "bread")

    answer = shop.api.get(
        "/v1/recommendations/for_you?customer_id=u1", SECRET, **{"Accept-Language": "ja-JP,ja;q=0.9,en;q=0.5"}
    )

    assert answer.headers["Content-Language"] == "ja"
    assert answer.json_body["items"][0]["item"]["title"] == "食パン"
    assert reason_of(answer.json_body, "butter")["text"] == "「食パン」をお買い上げになった方へ"


def test_a_hidden_items_name_is_not_told_as_a_reason(shop: Recommender) -> None:
    shop.train()
    shop.order("o1", "u1", "bread")
    shop.item("bread", hidden=True)

    assert (
        reason_of(shop.ask("for_you", customer_id="u1"), "butter")["text"] == "Goes with something you bought"
    )


def test_asking_as_of_another_time_moves_what_is_due(shop: Recommender) -> None:
    shop.train()
    shop.order("o1", "u1", "milk")

    later = clock.to_text(clock.now() + timedelta(days=10))
    [milk] = shop.ask("buy_again", customer_id="u1", now=later)["items"]

    assert milk["due_in_days"] == -6


def test_a_long_list_is_filled_round_after_round_past_what_is_sold_out(shop: Recommender) -> None:
    names = [f"n{number:03d}" for number in range(160)]
    for start in (0, 80):
        items = [
            {"item_id": name, "title": name, "in_stock": int(name[1:]) % 3 != 0}
            for name in names[start : start + 80]
        ]
        assert shop.api.post("/v1/items/batch", {"items": items}).json_body["accepted"] == 80
    on_sale = [name for name in names if int(name[1:]) % 3]
    service.save_model(
        Model(
            neighbours={
                "bread": {
                    "users": [(name, 1 - place / 1000, 2) for place, name in enumerate(names[:80])],
                    "together": [(name, 0.5 - place / 1000, 2) for place, name in enumerate(names[80:])],
                }
            },
            popularity={14: [(name, 200 - place) for place, name in enumerate(names)], 90: []},
        )
    )

    assert shop.ids("trending", limit=100) == on_sale[:100]
    assert sorted(shop.ids("similar", item_id="bread", limit=100)) == on_sale[:100]
    assert len(shop.ids("bought_together", item_id="bread", limit=100)) == 53


def test_discover_comes_back_to_what_is_bought_before_it_shows_nothing(api: Any) -> None:
    shop = Recommender(api)
    shop.item("only")
    shop.order("o1", "u1", "only")

    assert shop.ids("discover", customer_id="u1") == ["only"]


def test_recently_viewed_is_what_was_looked_at_newest_first(shop: Recommender) -> None:
    shop.train()
    for item_id in ("tea", "soap", "jam", "soap"):
        shop.event("Product Viewed", item_id=item_id, anonymousId="a1")
    shop.event("Product Added", item_id="rice", anonymousId="a1")

    answer = shop.ask("recently_viewed", anonymous_id="a1")

    assert [each["item_id"] for each in answer["items"]] == ["soap", "jam", "tea"]
    assert reason_of(answer, "jam")["text"] == "You looked at this lately"
    assert [each["kind"] for each in reason_of(answer, "jam")["evidence"]] == ["view"]
    assert shop.ids("recently_viewed", anonymous_id="a1", item_id="soap") == ["jam", "tea"]
    assert shop.ask("recently_viewed", anonymous_id="nobody")["fallback"] == "popular"


def test_what_goes_with_a_cart_is_never_what_is_in_it(shop: Recommender) -> None:
    shop.train()
    named = shop.ask("cart", item_id="bread")
    both = shop.api.get("/v1/recommendations/cart?item_id=bread&item_id=butter").json_body

    assert [each["item_id"] for each in named["items"]] == ["butter", "jam", "honey"]
    assert reason_of(named, "butter")["text"] == "Bought together 6 times"
    assert [each["item_id"] for each in both["items"]] == ["jam", "honey"]


def test_the_persons_own_cart_speaks_and_is_left_out(shop: Recommender) -> None:
    shop.train()
    for item_id in ("bread", "milk", "soap"):
        shop.event("Product Added", item_id=item_id, anonymousId="a1")
    shop.event("Product Removed", item_id="milk", anonymousId="a1")

    answer = shop.ask("cart", anonymous_id="a1")

    assert [each["item_id"] for each in answer["items"]] == ["butter", "jam", "honey"]
    assert reason_of(answer, "butter")["text"] == "Goes with BREAD in your cart"
    assert not {"bread", "soap"} & set(shop.ids("cart", anonymous_id="a1", item_id="milk"))


def test_a_cart_is_empty_once_it_is_ordered(shop: Recommender) -> None:
    shop.train()
    shop.event("Product Added", item_id="bread", userId="u1")
    assert shop.ask("cart", customer_id="u1")["fallback"] is None
    shop.completed("o1", "bread", userId="u1")

    assert shop.ask("cart", customer_id="u1")["fallback"] == "popular"


def test_nothing_goes_with_a_cart_that_holds_everything(api: Any) -> None:
    shop = Recommender(api)
    shop.item("only")

    assert shop.ids("cart", item_id="only") == []


def test_what_is_popular_nearby_says_that_it_is_what_sells_everywhere(shop: Recommender) -> None:
    shop.train()
    nearby = shop.ask("popular_nearby", country="JP", region="Hokkaido")

    assert [each["item_id"] for each in nearby["items"]] == [
        each["item_id"] for each in shop.ask("trending")["items"]
    ]
    assert nearby["fallback"] == "popular"


def test_the_shop_is_told_how_a_score_came_about(shop: Recommender) -> None:
    shop.train()
    shop.order("o1", "u1", "bread")
    answer = shop.ask("for_you", customer_id="u1", explain="true")

    for each in answer["items"]:
        told = each["explanation"]
        assert each["score"] == pytest.approx(
            sum(part["share"] for part in told["parts"]) * told["factor"], abs=1e-5
        )
    bread = answer["items"][0]
    assert [part["part"] for part in bread["explanation"]["parts"]] == ["own", "popular"]
    assert shop.ask("for_you", customer_id="u1")["items"][0]["explanation"] is None
    assert shop.api.get("/v1/recommendations/for_you?explain=true", PUBLISHABLE).status_code == 403
