"""The shop's own rules for its lists, through the API: the next list follows them, and none shows what may not be shown."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.shared import clock
from tests.support.embedded import PUBLISHABLE
from tests.support.recommender import PLACEMENTS, Recommender, reason_of

BREAD = {"item_ids": ["bread"]}


def put(shop: Recommender, rule_id: str, expect: int = 200, **rule: Any) -> Any:
    answer = shop.api.put(f"/v1/recommendation-rules/{rule_id}", rule)
    assert answer.status_code == expect, answer.body
    return answer.json_body


def pin(shop: Recommender, rule_id: str = "pin", position: int = 1, **more: Any) -> Any:
    rule = {
        "action": "pin",
        "items": {"item_ids": ["soap"]},
        "placements": ["trending"],
        "position": position,
    }
    return put(shop, rule_id, **rule | more)


def test_a_rule_is_kept_listed_replaced_and_removed(shop: Recommender) -> None:
    made = put(
        shop,
        "winter",
        action="boost",
        percent=150,
        items={
            "categories": ["food"],
            "brands": ["Acme"],
            "attributes": {"season": "winter", "warm": True, "togs": 4},
            "price": {"currency": "JPY", "min": 100},
        },
        placements=["for_you", "rank"],
        where={"countries": ["JP"], "regions": ["北海道"], "seasons": ["winter"]},
        starts_at="2026-11-01T00:00:00Z",
        ends_at="2027-03-01T00:00:00Z",
    )
    assert shop.api.get("/v1/recommendation-rules/winter").json_body == made
    assert made["items"]["attributes"] == {"season": "winter", "warm": True, "togs": 4}
    assert (made["starts_at"], made["position"], made["cap"]) == ("2026-11-01T00:00:00.000Z", None, None)

    put(shop, "winter", action="hide", items=BREAD)
    assert [each["action"] for each in shop.api.get("/v1/recommendation-rules").json_body["data"]] == ["hide"]
    for _ in range(2):
        assert shop.api.delete("/v1/recommendation-rules/winter").status_code == 204
    assert shop.api.get("/v1/recommendation-rules/winter").status_code == 404
    assert shop.api.get("/v1/recommendation-rules", PUBLISHABLE).status_code == 403


@pytest.mark.parametrize("placement", PLACEMENTS)
def test_what_a_rule_hides_is_gone_from_the_next_answer(shop: Recommender, placement: str) -> None:
    shop.train()
    shop.order("o1", "u1", "milk", "bread", "eggs", days_ago=9)
    for item_id in ("tea", "jam"):
        shop.event("Product Viewed", item_id=item_id, userId="u1")
    shop.event("Product Added", item_id="bread", userId="u1")
    first = shop.ids(placement, customer_id="u1")[0]
    put(shop, "gone", action="hide", items={"item_ids": [first]})

    assert first not in shop.ids(placement, customer_id="u1", limit=100)
    put(shop, "gone", action="hide", items={"item_ids": [first]}, enabled=False)
    assert shop.ids(placement, customer_id="u1")[0] == first


def test_a_category_a_brand_or_an_attribute_can_be_hidden_or_all_that_is_shown(shop: Recommender) -> None:
    shop.item("bread", brand="Acme", categories=["food/fresh"], attributes={"diet": ["vegan", "halal"]})
    shop.item("eggs", brand="Acme", attributes={"age": 1, "local": True})
    shop.item("candle", categories=["home/candles"], price={"amount": 900, "currency": "JPY"})
    everything = set(shop.ids("trending", limit=100))

    for items, held in (
        ({"categories": ["food"]}, {"bread", "butter", "jam", "honey", "tea", "milk", "coffee", "rice"}),
        ({"categories": ["home/candles"]}, {"candle"}),
        ({"categories": ["home/cand"]}, set()),
        ({"brands": ["Acme"]}, {"bread", "eggs"}),
        ({"brands": ["Acme"], "categories": ["food"]}, {"bread"}),
        ({"attributes": {"diet": "vegan"}}, {"bread"}),
        ({"attributes": {"local": True}}, {"eggs"}),
        ({"attributes": {"local": 1}}, set()),
        ({"price": {"currency": "JPY", "max": 900}}, {"candle"}),
        ({"price": {"currency": "JPY", "max": 899}}, set()),
        ({"price": {"currency": "GBP"}}, set()),
    ):
        put(shop, "r", action="hide", items=items)
        assert set(shop.ids("trending", limit=100)) == everything - held, items
        put(shop, "r", action="only", items=items)
        assert set(shop.ids("trending", limit=100)) == held, items


def test_a_pin_stands_at_its_place_and_says_who_put_it_there(shop: Recommender) -> None:
    shop.train()
    pin(shop, items={"item_ids": ["soap", "tea"]}, position=2)

    answer = shop.ask("trending", limit=4, explain="true")

    assert [each["item_id"] for each in answer["items"]] == ["bread", "soap", "tea", "milk"]
    assert reason_of(answer, "soap") == {"code": "featured", "text": "Picked by the shop", "evidence": []}
    assert answer["items"][1]["explanation"]["rules"] == ["pin"]
    scores = [each["score"] for each in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    assert shop.ids("buy_again", limit=4) == ["bread", "milk", "eggs", "rice"]


def test_of_two_pins_for_one_place_both_stand(shop: Recommender) -> None:
    shop.train()
    pin(shop, "b", items={"item_ids": ["tea"]})
    pin(shop, "a", items={"item_ids": ["soap", "tea"]})

    assert shop.ids("trending", limit=3) == ["soap", "tea", "bread"]


def test_a_pin_shows_nothing_that_may_not_be_shown(shop: Recommender) -> None:
    shop.train()
    pin(shop)
    assert shop.ids("trending", limit=2) == ["soap", "bread"]

    assert "soap" not in shop.ids("trending", exclude="soap")
    assert "soap" not in shop.ids("trending", item_id="soap")
    assert "soap" not in shop.ids("trending", currency="JPY")
    for change in ({"in_stock": False}, {"hidden": True}):
        shop.item("soap", **change)
        assert "soap" not in shop.ids("trending", limit=100), change
    shop.item("soap")
    put(shop, "hide", action="hide", items={"item_ids": ["soap"]})
    assert "soap" not in shop.ids("trending", limit=100)
    shop.api.delete("/v1/recommendation-rules/hide")
    assert shop.api.delete("/v1/items/soap").status_code == 204
    assert "soap" not in shop.ids("trending", limit=100)


def test_a_pin_in_a_cart_is_never_what_is_in_it(shop: Recommender) -> None:
    shop.train()
    pin(shop, placements=["cart"], items={"item_ids": ["soap"]})
    shop.event("Product Added", item_id="bread", anonymousId="a1")
    assert shop.ids("cart", anonymous_id="a1")[0] == "soap"
    shop.event("Product Added", item_id="soap", anonymousId="a1")
    assert "soap" not in shop.ids("cart", anonymous_id="a1")


def test_a_list_of_nothing_but_pins_is_no_fallback_and_not_empty(api: Any) -> None:
    shop = Recommender(api)
    shop.item("guide", kind="content")
    pin(shop, items={"item_ids": ["guide"]}, placements=["buy_again"])

    assert shop.ids("buy_again") == ["guide"]


def test_a_boost_moves_and_a_weak_one_buries(shop: Recommender) -> None:
    shop.train()
    shop.item("eggs", categories=["food/fresh"])
    assert shop.ids("trending", limit=3) == ["bread", "milk", "eggs"]

    put(shop, "fresh", action="boost", percent=1000, items={"categories": ["food/fresh"]})
    assert (
        shop.ids("trending", limit=3)[0] == "bread"
    )  # a tenth of what bread sells, and ten times that is as much
    put(shop, "more", action="boost", percent=200, items={"item_ids": ["eggs"]})
    assert shop.ids("trending", limit=3)[0] == "eggs"
    put(shop, "less", action="boost", percent=1, items={"item_ids": ["bread"]})
    assert shop.ids("trending", limit=3) == ["eggs", "milk", "bread"]


def test_a_boost_orders_what_has_no_score_yet(shop: Recommender) -> None:
    put(shop, "home", action="boost", percent=110, items={"categories": ["home"]})

    assert shop.ids("trending")[0] == "soap"


def test_caps_count_brands_categories_and_what_they_are_about(shop: Recommender) -> None:
    shop.train()
    for item_id in ("bread", "milk", "eggs"):
        shop.item(item_id, brand="Acme", categories=["food/fresh"])

    put(shop, "cap", action="cap", cap={"per": "brand", "most": 1})
    assert [each for each in shop.ids("trending", limit=100) if each in ("bread", "milk", "eggs")] == [
        "bread"
    ]
    put(shop, "cap", action="cap", cap={"per": "category", "most": 2})
    assert len(shop.ids("trending", limit=100)) == 2 + 2 + 1  # fresh, basic, home
    put(shop, "cap", action="cap", cap={"per": "all", "most": 3}, items={"categories": ["food"]})
    assert sorted(shop.ids("trending", limit=100)) == ["bread", "eggs", "milk", "soap"]
    pin(shop, items={"item_ids": ["rice"]})
    assert sorted(shop.ids("trending", limit=100)) == ["bread", "milk", "rice", "soap"]


def test_a_rule_counts_in_its_time_only(shop: Recommender) -> None:
    now = clock.now()
    times = [clock.to_text(now + timedelta(hours=hours)) for hours in (1, 2)]
    put(shop, "r", action="hide", items={"item_ids": ["soap"]}, starts_at=times[0], ends_at=times[1])

    for hours, is_shown in ((0, True), (1, False), (1.9, False), (2, True)):
        moment = clock.to_text(now + timedelta(hours=hours))
        assert ("soap" in shop.ids("trending", now=moment)) is is_shown, hours


def test_a_rule_counts_in_its_place_and_season_only(shop: Recommender) -> None:
    where = {"countries": ["JP"], "regions": ["北海道"], "seasons": ["winter"]}
    put(
        shop,
        "cold",
        action="pin",
        items={"item_ids": ["soap"]},
        placements=["popular_nearby"],
        position=1,
        where=where,
    )
    january, july = "2027-01-10T00:00:00Z", "2027-07-10T00:00:00Z"

    def leads(moment: str, headers: dict[str, str] | None = None, **place: str) -> bool:
        return shop.ask("popular_nearby", headers, now=moment, **place)["items"][0]["item_id"] == "soap"

    assert leads(january, country="JP", region="Hokkaido")
    assert leads(january, region="%E5%8C%97%E6%B5%B7%E9%81%93")  # only one country has it
    assert not leads(july, country="JP", region="Hokkaido")
    assert not leads(january, country="JP", region="Okinawa")
    assert not leads(january, country="JP")
    assert not leads(january)
    seen = {"CloudFront-Viewer-Country": "JP", "CloudFront-Viewer-Country-Region": "01"}
    assert leads(january, {"X-Api-Key": "sk_test_local"} | seen)
    shop.api.post(
        "/v1/identify",
        {"messageId": "i", "userId": "u1", "traits": {"address": {"country": "JP", "state": "Hokkaido"}}},
    )
    assert leads(january, customer_id="u1")


def test_a_preview_shows_before_and_after_and_stores_nothing(shop: Recommender) -> None:
    shop.train()
    rule = {
        "action": "hide",
        "items": {"item_ids": ["bread"]},
        "starts_at": "2027-06-01T00:00:00Z",
        "enabled": False,
    }
    asked = {"rule": rule, "placement": "trending", "customer_id": "u1", "limit": 3}

    seen = shop.api.post("/v1/recommendation-rules/preview", asked).json_body

    assert [each["item_id"] for each in seen["before"]] == ["bread", "milk", "eggs"]
    assert [each["item_id"] for each in seen["after"]] == ["milk", "eggs", "rice"]
    assert seen["moved"] == [
        {"item_id": "milk", "before": 2, "after": 1},
        {"item_id": "eggs", "before": 3, "after": 2},
        {"item_id": "rice", "before": None, "after": 3},
        {"item_id": "bread", "before": 1, "after": None},
    ]
    assert shop.api.get("/v1/recommendation-rules").json_body["data"] == []

    put(shop, "r", action="hide", items={"item_ids": ["milk"]})
    instead = shop.api.post("/v1/recommendation-rules/preview", asked | {"rule_id": "r"}).json_body
    assert [each["item_id"] for each in instead["before"]] == ["bread", "eggs", "rice"]
    assert [each["item_id"] for each in instead["after"]] == ["milk", "eggs", "rice"]


def test_rules_have_an_end(shop: Recommender) -> None:
    for number in range(50):
        put(shop, f"r{number}", action="hide", items={"item_ids": ["never"]})

    refused = put(shop, "one-more", 409, action="hide", items=BREAD)
    assert refused["type"] == "/problems/too-many-rules"
    put(shop, "r7", action="boost", percent=200)


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        ({}, "action"),
        ({"action": "sell"}, "action"),
        ({"action": "hide"}, "body"),
        ({"action": "only", "items": {}}, "body"),
        ({"action": "boost"}, "body"),
        ({"action": "boost", "percent": 0}, "percent"),
        ({"action": "boost", "percent": 1001}, "percent"),
        ({"action": "boost", "percent": 100, "position": 1}, "body"),
        ({"action": "pin", "items": BREAD, "position": 1}, "body"),
        ({"action": "pin", "position": 1, "placements": ["for_you"]}, "body"),
        ({"action": "pin", "items": BREAD, "placements": ["for_you"]}, "body"),
        ({"action": "pin", "items": BREAD, "placements": ["rank"], "position": 1}, "body"),
        ({"action": "pin", "items": BREAD, "placements": ["nowhere"], "position": 1}, "placements.0"),
        ({"action": "cap", "cap": {"per": "shop", "most": 1}}, "cap.per"),
        ({"action": "cap", "cap": {"per": "brand", "most": 0}}, "cap.most"),
        ({"action": "hide", "items": {"item_ids": ["a b"]}}, "items.item_ids.0"),
        (
            {"action": "hide", "items": {"item_ids": [f"i{number}" for number in range(201)]}},
            "items.item_ids",
        ),
        ({"action": "hide", "items": {"categories": ["/x"]}}, "items.categories.0"),
        ({"action": "hide", "items": {"attributes": {"a": [1]}}}, "items.attributes.a"),
        ({"action": "hide", "items": {"price": {"min": 1}}}, "items.price.currency"),
        ({"action": "hide", "items": {"price": {"currency": "JPY", "min": 2, "max": 1}}}, "items.price"),
        ({"action": "hide", "items": BREAD, "where": {"seasons": ["monsoon"]}}, "where.seasons.0"),
        ({"action": "hide", "items": BREAD, "where": {"countries": ["jp"]}}, "where.countries.0"),
        ({"action": "hide", "items": BREAD, "starts_at": "tomorrow"}, "starts_at"),
        (
            {
                "action": "hide",
                "items": BREAD,
                "starts_at": "2027-01-01T00:00:00Z",
                "ends_at": "2027-01-01T00:00:00Z",
            },
            "body",
        ),
    ],
)
def test_a_wrong_rule_names_the_field_and_is_not_kept(api: Any, rule: dict[str, Any], field: str) -> None:
    refused = api.put("/v1/recommendation-rules/r", rule)

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.json_body["errors"][0]["field"] == field
    assert api.get("/v1/recommendation-rules").json_body["data"] == []
    preview = api.post("/v1/recommendation-rules/preview", {"rule": rule, "placement": "for_you"})
    assert preview.status_code == 400
