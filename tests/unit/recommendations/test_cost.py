"""How many trips an answer takes."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.meter import Meter
from tests.support.faults import FaultyWire
from tests.support.recommender import Recommender
from tests.support.waves import Rounds


@pytest.mark.parametrize(
    ("placement", "asked", "sizes"),
    [
        # model, rules, person, orders, events, what browsers say; rows (and what sells); candidates
        ("for_you", {"customer_id": "u1"}, (6, 1, 1)),
        ("for_you", {"customer_id": "linked"}, (6, 1, 1, 1)),  # and the events of the linked browser
        ("for_you", {"anonymous_id": "new"}, (4, 1, 1)),  # model, rules, link, events
        ("for_you", {"anonymous_id": "a1"}, (4, 1, 1, 1)),  # and the consent of whoever it is linked to
        ("discover", {"customer_id": "u1"}, (6, 1, 1)),
        ("session", {"anonymous_id": "new"}, (4, 1, 1)),
        ("for_you", {"anonymous_id": "looker"}, (4, 2, 1)),  # and whether what was looked at is content
        ("help", {"customer_id": "u1"}, (6, 3, 1)),  # and what is owned, and the newest content
        ("similar", {"item_id": "bread"}, (2, 1, 1)),
        ("bought_together", {"item_id": "bread"}, (2, 1, 1)),
        ("buy_again", {"customer_id": "u1"}, (6, 1, 1)),
        ("trending", {}, (2, 1, 1)),
    ],
)
def test_a_list_takes_three_trips_and_a_fourth_to_follow_a_link(
    shop: Recommender, aws: Any, placement: str, asked: dict[str, str], sizes: tuple[int, ...]
) -> None:
    shop.train()
    shop.order("o1", "u1", "bread", "soap")
    shop.api.post("/v1/identify", {"messageId": "i0", "userId": "u1"})
    shop.api.post("/v1/identify", {"messageId": "i1", "userId": "linked", "anonymousId": "a1"})
    shop.item("guide", kind="content")
    shop.event("Product Viewed", item_id="guide", anonymousId="looker")
    rounds = Rounds(*sizes)
    FaultyWire(aws).gate = rounds

    shop.ask(placement, **asked, limit=3)

    assert rounds.is_over


def test_a_visitor_of_a_shop_without_a_model_costs_no_more(shop: Recommender, aws: Any) -> None:
    rounds = Rounds(4, 1, 1)  # model, rules, link, events; the newest of the shelf; those that fit
    FaultyWire(aws).gate = rounds

    shop.ask("for_you", anonymous_id="a1")

    assert rounds.is_over


def test_a_list_reads_eleven_units_and_one_for_each_candidate(shop: Recommender, aws: Any) -> None:
    """With rules of the shop, and for somebody of whom it is known what is made for them."""
    shop.train()
    for number in range(20):
        shop.order(f"o{number}", "u1", "bread", "soap", "milk", days_ago=number)
    shop.api.post("/v1/identify", {"messageId": "i0", "userId": "u1", "traits": {"gender": "female"}})
    for number in range(10):
        rule = {"action": "boost", "percent": 120, "items": {"item_ids": [f"i{number}", "tea"]}}
        assert shop.api.put(f"/v1/recommendation-rules/r{number}", rule).status_code == 200
    shop.ask("for_you", customer_id="u1")  # reads what sells, once per process and model
    meter = Meter().attach(aws)
    shop.ask("for_you", customer_id="u1", limit=5)
    meter.detach()

    candidates = 5 + 5 // 2 + 5
    assert meter.read_units <= 11 + candidates
