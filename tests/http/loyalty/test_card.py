"""The card of a shop on the running service: points that follow the order, and a birthday in a year without its day."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.shop import Shop

CAKE = {
    "reward_id": "cake", "title": "A birthday cake", "title_ja": "お誕生日ケーキ", "points": 500, "amount_off": 500,
    "currency": "JPY",
}  # fmt: skip
PROGRAM = {
    "currency": "JPY",
    "timezone": "Asia/Tokyo",
    "earn": [
        {"name": "spend", "kind": "amount", "points": 1, "per_amount": 100},
        {"name": "visits", "kind": "stamps", "every": 5, "points": 200},
    ],
    "rewards": [CAKE],
    "gifts": [{"occasion": "birthday", "points": 100, "reward_id": "cake"}],
}


@pytest.fixture
def supermarket(real_time: Shop) -> Iterator[Shop]:
    """A shop with a card: a point for every 100 yen, 200 for every fifth visit, and something on birthdays."""
    before = real_time.get("/v1/loyalty/program").json()["program"]
    assert real_time.put("/v1/loyalty/program", PROGRAM).status_code == 200
    yield real_time
    assert real_time.put("/v1/loyalty/program", before).status_code == 200


def balance(shop: Shop, customer_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = shop.get(f"/v1/customers/{customer_id}/loyalty").json()
    return answer


def kinds(shop: Shop, customer_id: str) -> list[str]:
    entries = shop.get(f"/v1/customers/{customer_id}/loyalty/entries").json()["data"]
    return [each["kind"] for each in reversed(entries)]


def completed(customer_id: str, number: int) -> dict[str, Any]:
    return {
        "userId": customer_id,
        "event": "Order Completed",
        "messageId": f"{customer_id}-{number}",
        "timestamp": f"2026-11-0{number}T09:00:00+09:00",
        "properties": {
            "order_id": f"{customer_id}-{number}",
            "currency": "JPY",
            "total": 1980,
            "products": [{"product_id": "milk", "quantity": 1, "price": 1980}],
            "store_id": "ueno",
        },
    }


def test_five_visits_sent_three_times_and_the_fifth_given_back(supermarket: Shop):
    shop, customer_id = supermarket, uuid.uuid4().hex[:10]
    for number in (1, 2, 3, 4, 5):
        for _ in range(3):
            assert shop.post("/v1/track", completed(customer_id, number)).status_code == 200
    shop.idle()
    assert balance(shop, customer_id)["active_points"] == 5 * 19 + 200

    for message in ("r1", "r1", "r2"):
        back = {
            "userId": customer_id,
            "event": "Order Refunded",
            "messageId": f"{customer_id}-{message}",
            "properties": {"order_id": f"{customer_id}-5"},
        }
        assert shop.post("/v1/track", back).status_code == 200
    shop.idle()

    assert balance(shop, customer_id)["active_points"] == 4 * 19


def test_a_birthday_on_29_february_is_one_mail_on_the_28th_of_2027(supermarket: Shop):
    shop, customer_id = supermarket, uuid.uuid4().hex[:10]
    address = f"{customer_id}@example.com"
    event = {
        "userId": customer_id,
        "messageId": uuid.uuid4().hex,
        "traits": {"email": address, "locale": "ja-JP", "timezone": "Asia/Tokyo", "birthday": "2000-02-29"},
        "context": {"consent": {"categoryPreferences": {"email_marketing": True}}},
    }
    assert shop.post("/v1/identify", event).status_code == 200
    shop.idle()

    shop.clock("2027-02-27T23:30:00+09:00")
    at_once(shop, "loyalty_daily")
    assert "campaign_birthday" not in [mail["reason"] for mail in shop.mails(address)]
    shop.clock("2027-02-28T00:30:00+09:00")
    for _ in range(2):
        at_once(shop, "loyalty_daily")
        at_once(shop, "campaigns_tick")

    assert [mail["reason"] for mail in shop.mails(address)].count("campaign_birthday") == 1
    [mail] = [mail for mail in shop.mails(address) if mail["reason"] == "campaign_birthday"]
    [coupon] = shop.get(f"/v1/customers/{customer_id}/coupons").json()["data"]
    assert coupon["code"] in mail["text"]
    assert "お誕生日ケーキ" in mail["text"]
    assert "List-Unsubscribe" in mail["headers"]
    assert balance(shop, customer_id)["active_points"] == 100


def test_points_are_told_of_and_expire_when_their_month_is_over(supermarket: Shop):
    shop, customer_id = supermarket, uuid.uuid4().hex[:10]
    shop.clock("2026-11-22T09:00:00+09:00")
    assert shop.post("/v1/track", completed(customer_id, 1)).status_code == 200
    shop.idle()

    for moment in ("2027-11-10T09:00:00+09:00", "2027-12-01T00:10:00+09:00"):
        shop.clock(moment)
        shop.run_schedule("loyalty_daily")
        shop.run_schedule("loyalty_daily")

    assert kinds(shop, customer_id) == ["accrue", "expiring", "expire"]
    assert balance(shop, customer_id)["active_points"] == 0


def at_once(shop: Shop, schedule: str) -> None:
    runs = [threading.Thread(target=shop.run_schedule, args=(schedule,)) for _ in range(10)]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    shop.idle()
