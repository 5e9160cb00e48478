"""What is known of a person under all their ids, and of nobody where a device is everybody's."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.recommender import Recommender, reason_of

FOR_ANYBODY = {"newest", "popular"}


@pytest.fixture
def merged(api: Any) -> Recommender:
    shop = Recommender(api)
    for item_id in ("bread", "butter", "jam", "milk", "coffee", "eggs", "rice", "tea", "honey"):
        shop.item(item_id)
    shop.train()
    shop.order("o1", "u2", "bread")
    shop.event("Product Viewed", userId="u3", item_id="milk")
    for customer_id in ("u1", "u2", "u3"):
        api.patch(f"/v1/customers/{customer_id}", {"traits": {"name": "Hana"}})
    for number, other in enumerate(("u2", "u3")):
        body = {"from": other, "reason": "same"}
        answer = api.post("/v1/customers/u1/merge", body, None, **{"Idempotency-Key": f"k{number}"})
        assert answer.status_code == 201, answer.body
    return shop


@pytest.mark.parametrize("asked", ["u1", "u2", "u3"])
def test_orders_and_views_of_every_id_speak(merged: Recommender, asked: str) -> None:
    answer = merged.ask("for_you", customer_id=asked)

    butter, coffee = reason_of(answer, "butter"), reason_of(answer, "coffee")
    assert [each["id"] for each in butter["evidence"]] == ["o1"]
    assert [each["item_id"] for each in coffee["evidence"]] == ["milk"]
    assert merged.ids("buy_again", customer_id=asked) == ["bread"]


def test_a_withdrawal_under_one_id_counts_for_the_person(merged: Recommender) -> None:
    merged.withdraw("u3")

    answer = merged.ask("for_you", customer_id="u2")
    assert {each["reason"]["code"] for each in answer["items"]} <= FOR_ANYBODY


def test_what_happens_on_a_shared_tablet_is_nobodys(merged: Recommender) -> None:
    for number in range(6):
        event = {"messageId": f"i{number}", "userId": f"t{number}", "anonymousId": "tablet"}
        assert merged.api.post("/v1/identify", event).status_code == 200
    merged.event("Product Viewed", anonymousId="tablet", item_id="bread")

    answer = merged.ask("for_you", customer_id="t0", anonymous_id="tablet")
    assert {each["reason"]["code"] for each in answer["items"]} <= FOR_ANYBODY
