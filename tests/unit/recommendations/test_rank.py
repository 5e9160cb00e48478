"""The order of a caller's own list."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from benchmarks.meter import Meter
from chalicelib.shared import clock, tokens
from tests.support.embedded import PUBLISHABLE
from tests.support.faults import FaultyWire
from tests.support.recommender import Recommender, reason_of
from tests.support.waves import Rounds

LIST = ["soap", "never", "rice", "tea", "either", "butter", "bread", "coffee"]


def rank(shop: Recommender, headers: dict[str, str] | None = None, **asked: Any) -> Any:
    answer = shop.api.post("/v1/recommendations/rank", {"item_ids": LIST} | asked, headers)
    assert answer.status_code == 200, answer.body
    return answer.json_body


def ids(answer: dict[str, Any]) -> list[str]:
    return [each["item_id"] for each in answer["items"]]


def test_a_list_is_ordered_as_for_you_and_nothing_is_lost(shop: Recommender) -> None:
    shop.train()
    shop.order("o1", "u1", "bread", days_ago=3)

    answer = rank(shop, customer_id="u1")

    for_you = [each for each in shop.ids("for_you", customer_id="u1", limit=100) if each in LIST]
    scored = ["bread", "tea", "butter", "rice"]
    assert for_you[:4] == scored
    assert ids(answer) == [*scored, "soap", "coffee", "never", "either"]
    assert answer["left_out"] == []
    assert reason_of(answer, "butter")["text"] == "Because you bought BREAD"
    assert [reason_of(answer, each)["code"] for each in ("soap", "never")] == ["as_given", "unknown_item"]
    scores = [each["score"] for each in answer["items"]]
    assert scores == sorted(scores, reverse=True)
    assert (scores[3] > 0, scores[4:]) == (True, [0, 0, 0, 0])
    lists = {each["item_id"]: each for each in shop.ask("for_you", customer_id="u1")["items"]}
    assert all(each["score"] == lists[each["item_id"]]["score"] for each in answer["items"][:4])


def test_a_stranger_gets_what_sells_first_and_then_the_order_given(shop: Recommender) -> None:
    assert ids(rank(shop)) == ["soap", "rice", "tea", "butter", "bread", "coffee", "never", "either"]
    shop.train()
    for who in ({}, {"customer_id": "nobody"}, {"anonymous_id": "nobody"}):
        assert ids(rank(shop, **who))[:3] == ["bread", "rice", "soap"]


def test_an_event_changes_the_next_order_and_twice_is_once(shop: Recommender) -> None:
    shop.event("Product Viewed", item_id="tea", anonymousId="a1")

    answer = rank(shop, anonymous_id="a1", item_ids=["soap", "tea", "soap", "rice"])

    assert ids(answer) == ["tea", "rice", "soap"]
    assert [reason_of(answer, each)["code"] for each in ids(answer)] == [
        "viewed",
        "same_category",
        "as_given",
    ]


def test_what_may_not_be_shown_now_is_left_out(shop: Recommender) -> None:
    shop.train()
    shop.item("bread", in_stock=False)
    shop.item("tea", hidden=True)
    shop.item("rice", audience={"genders": ["male"]})
    rule = {"action": "hide", "items": {"item_ids": ["soap"]}, "placements": ["rank"]}
    assert shop.api.put("/v1/recommendation-rules/r", rule).status_code == 200
    shop.api.post("/v1/identify", {"messageId": "i", "userId": "u1", "traits": {"gender": "female"}})

    answer = rank(shop, customer_id="u1")

    assert ids(answer) == ["butter", "coffee", "never", "either"]
    assert answer["left_out"] == ["soap", "rice", "tea", "bread"]
    assert "soap" in shop.ids("for_you", customer_id="u1", limit=100)


def test_a_boost_counts_in_it(shop: Recommender) -> None:
    rule = {"action": "boost", "percent": 120, "items": {"item_ids": ["coffee"]}, "placements": ["rank"]}
    assert shop.api.put("/v1/recommendation-rules/r", rule).status_code == 200

    assert ids(rank(shop))[:2] == ["coffee", "soap"]


def test_who_may_ask_for_whom(shop: Recommender) -> None:
    shop.order("o1", "u1", "tea")
    token = tokens.customer_token("u1", now=clock.now(), ttl=timedelta(hours=1))
    own = {"Authorization": f"Bearer {token}"}

    assert reason_of(rank(shop, own), "tea")["code"] == "bought_before"
    assert reason_of(rank(shop, PUBLISHABLE, anonymous_id="a1"), "tea")["code"] == "as_given"
    for headers in (PUBLISHABLE, own):
        refused = shop.api.post(
            "/v1/recommendations/rank", {"customer_id": "u2", "item_ids": ["tea"]}, headers
        )
        assert refused.status_code == 403


def test_a_withdrawal_makes_a_stranger(shop: Recommender) -> None:
    shop.order("o1", "u1", "tea")
    assert ids(rank(shop, customer_id="u1"))[0] == "tea"
    shop.withdraw("u1")

    assert rank(shop, customer_id="u1")["items"] == rank(shop)["items"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "item_ids"),
        ({"item_ids": []}, "item_ids"),
        ({"item_ids": "tea"}, "item_ids"),
        ({"item_ids": [f"i{number}" for number in range(501)]}, "item_ids"),
        ({"item_ids": ["a b"]}, "item_ids.0"),
        ({"item_ids": ["a"], "customer_id": "a#b"}, "customer_id"),
        ({"item_ids": ["a"], "limit": 3}, "limit"),
    ],
)
def test_a_wrong_list_names_the_field(api: Any, sent: dict[str, Any], field: str) -> None:
    refused = api.post("/v1/recommendations/rank", sent)

    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field


def test_five_hundred_of_the_longest_ids_are_taken(shop: Recommender) -> None:
    longest = [f"{number:0128d}" for number in range(500)]

    assert ids(rank(shop, item_ids=longest)) == longest


@pytest.mark.parametrize(("count", "pages"), [(8, 1), (250, 3)])
def test_it_takes_three_trips(shop: Recommender, aws: Any, count: int, pages: int) -> None:
    shop.train()
    shop.order("o1", "u1", "bread")
    shop.api.post("/v1/identify", {"messageId": "i0", "userId": "u1"})
    FaultyWire(aws).gate = rounds = Rounds(6, 1, pages)

    rank(shop, customer_id="u1", item_ids=[f"i{number}" for number in range(count)])

    assert rounds.is_over


def test_it_reads_each_item_once(shop: Recommender, aws: Any) -> None:
    shop.train()
    shop.order("o1", "u1", "bread")
    rank(shop, customer_id="u1")  # reads what sells, once per process and model
    meter = Meter().attach(aws)
    rank(shop, customer_id="u1", item_ids=["soap", "tea", "bread", "never"])
    meter.detach()

    # pointer and a row: 0.5 each; rules, profile and whether it was erased, orders, two timelines: 1 each; items: 1 each
    assert meter.read_units == 0.5 + 0.5 + 7 + 4
