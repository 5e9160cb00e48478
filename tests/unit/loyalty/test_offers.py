"""Something off what a customer buys often: in stock, once for each item and window, with her consent."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.coupons import reads as coupons
from chalicelib.coupons import service as coupons_service
from chalicelib.loyalty import offering, price_downs
from chalicelib.loyalty import reads as loyalty
from chalicelib.loyalty import service as loyalty_service
from chalicelib.loyalty.program import PriceDowns
from chalicelib.orders.reads import PastOrder
from chalicelib.shared import clock, tokens
from chalicelib.shared.dynamo import unpack_item
from chalicelib.shared.errors import Busy
from tests.support.faults import Crash, FaultyWire
from tests.unit.privacy.data_map import DataMap

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
PATH = "/v1/customers/u1/loyalty/offers"
DOWNS = {
    "min_purchases": 3, "within_days": 60, "percent_off": 15, "items_max": 2, "every_days": 30, "valid_days": 14,
}  # fmt: skip
TERMS = PriceDowns(**DOWNS)


def past(days: int, *item_ids: str, gifts: tuple[str, ...] = ()) -> PastOrder:
    lines = tuple((each, 9) for each in item_ids)
    return PastOrder(f"o{days}", NOW - timedelta(days=days), lines, gift_item_ids=gifts)


def test_often_is_many_orders_and_not_many_pieces_nor_presents_nor_long_ago() -> None:
    orders = [past(1, "milk", "tea"), past(8, "milk", "wine", gifts=("wine",)), past(15, "milk", "tea")]
    orders += [past(22, "tea", "wine", gifts=("wine",)), past(29, "wine"), past(29, "milk"), past(61, "jam")]
    orders += [past(62, "jam"), past(63, "jam")]

    assert price_downs.often(orders, TERMS, NOW) == ["milk", "tea"]


def test_no_item_and_no_customer_gets_more_than_the_window_has_room_for() -> None:
    lately = [("milk", NOW - timedelta(days=29)), ("jam", NOW - timedelta(days=30))]
    assert price_downs.due(["milk", "tea", "jam"], lately, TERMS, NOW) == ["tea"]
    assert price_downs.due(["milk", "tea", "jam"], [], TERMS, NOW) == ["milk", "tea"]
    assert price_downs.due(["rice"], [*lately[:1], ("tea", NOW)], TERMS, NOW) == []


@pytest.fixture
def shop(api: Any) -> Any:
    program = {
        "currency": "JPY", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
        "price_downs": DOWNS,
    }  # fmt: skip
    assert api.put("/v1/loyalty/program", program).status_code == 200
    for item, title in (("milk", "牛乳"), ("tea", "お茶"), ("jam", "ジャム")):
        stock(api, item, title)
    return api


def stock(api: Any, item: str, title: str, **more: Any) -> None:
    price = {"amount": 240, "currency": "JPY"}
    body = {"kind": "product", "title": item.title(), "title_ja": title, "price": price}
    assert api.put(f"/v1/items/{item}", body | more).status_code in (200, 201)


def buy(api: Any, *items: str, days: tuple[int, ...] = (2, 9, 16), who: str = "u1") -> None:
    for day in days:
        at = clock.to_text(clock.now() - timedelta(days=day))
        lines = [{"item_id": each, "quantity": 1, "price": 240} for each in items]
        body = {"customer_id": who, "placed_at": at, "currency": "JPY", "total": 240, "lines": lines}
        assert api.put(f"/v1/orders/{who}-{day}-{items[0]}", body).status_code in (200, 201)


def test_what_she_buys_often_costs_less_once_in_a_window(shop: Any) -> None:
    buy(shop, "milk")
    buy(shop, "jam", days=(3,))
    assert shop.get(PATH).json_body == {"data": [], "reason": "nothing-due"}

    first = shop.post(PATH, {}, **{"Accept-Language": "ja"})
    [coupon] = first.json_body["data"]
    assert (coupon["item_ids"], coupon["percent"], coupon["origin"]) == (["milk"], 15, "price_down")
    assert coupon["title"] == "牛乳 15%オフ"
    assert shop.post(PATH, {}, **{"Accept-Language": "ja"}).body == first.body
    assert shop.get(PATH, **{"Accept-Language": "ja"}).body == first.body

    clock.travel(timedelta(days=15))
    buy(shop, "milk", days=(1,))
    assert shop.post(PATH, {}).json_body == {"data": [], "reason": "nothing-due"}
    clock.travel(timedelta(days=30))
    buy(shop, "milk", days=(4, 3))
    [again] = shop.post(PATH, {}).json_body["data"]
    assert again["code"] != coupon["code"]


def test_nothing_for_who_bought_once_for_what_is_gone_and_for_what_is_hidden(shop: Any) -> None:
    buy(shop, "milk", days=(2,))
    buy(shop, "tea")
    stock(shop, "tea", "お茶", in_stock=False)
    buy(shop, "jam", days=(4, 5, 6))
    stock(shop, "jam", "ジャム", hidden=True)
    buy(shop, "unknown", days=(7, 8, 10))

    assert shop.post(PATH, {}).json_body == {"data": [], "reason": "nothing-due"}
    stock(shop, "tea", "お茶")
    assert [each["item_ids"] for each in shop.post(PATH, {}).json_body["data"]] == [["tea"]]


def test_without_consent_nothing_is_offered_or_shown_and_the_coupon_stays_good(shop: Any) -> None:
    buy(shop, "milk")
    [coupon] = shop.post(PATH, {}).json_body["data"]
    shop.patch("/v1/customers/u1", {"consents": {"personalization": {"status": "withdrawn"}}})

    withdrawn = {"data": [], "reason": "personalization-withdrawn"}
    assert shop.post(PATH, {}).json_body == shop.get(PATH).json_body == withdrawn
    used = shop.post(f"/v1/coupons/{coupon['code']}/redeem", {"customer_id": "u1", "order_id": "o9"})
    assert used.status_code == 200


def test_a_shop_without_price_downs_and_a_dry_run_issue_nothing(api: Any, shop: Any) -> None:
    buy(shop, "milk")
    assert shop.post(f"{PATH}?dry_run=true", {}).json_body == {"data": [], "reason": "offered"}
    assert coupons.newest(["u1"]) == []
    plain = {"currency": "JPY", "earn": [{"name": "s", "kind": "amount", "points": 1, "per_amount": 100}]}
    shop.put("/v1/loyalty/program", plain)
    assert shop.post(PATH, {}).json_body == {"data": [], "reason": "no-price-downs"}


def test_her_own_page_and_two_ids_of_one_person_share_a_window(shop: Any) -> None:
    for who in ("u1", "u2"):
        shop.post("/v1/identify", {"userId": who, "messageId": who, "traits": {"plan": "x"}})
    buy(shop, "milk")
    shop.post(PATH, {})
    shop.post("/v1/customers/u2/merge", {"from": "u1", "reason": "x"}, **{"Idempotency-Key": "m"})
    token = tokens.customer_token("u1", now=clock.now(), ttl=timedelta(hours=1))

    hers = shop.post("/v1/me/loyalty/offers", {}, {"Authorization": f"Bearer {token}"})
    assert [each["item_ids"] for each in hers.json_body["data"]] == [["milk"]]
    assert len(coupons.newest(["u1", "u2"])) == 1
    assert shop.post(PATH, {}).status_code == 308


def test_all_of_it_is_declared_told_and_erased(shop: Any, aws: Any) -> None:
    issue_everything(shop)
    stored = {name: items(aws, name) for name in ("ledger", "people")}
    kinds = {item["sk"].partition("#")[0] for item in stored["ledger"]}
    assert kinds >= {"OFFERS", "INCENTIVES", "GIVEN", "REFCODE", "REFERRAL", "REFERRALS", "CODE"}
    assert DataMap.load().undeclared(stored) == set()
    told = {**loyalty.export_of(["u1"], []), **coupons.export_of(["u1"], [])}
    assert {each["kind"] for each in told["offers"]} == {"offers", "incentives"}
    assert {each["kind"] for each in told["referrals"]} == {"refcode", "referral"}
    assert {each["origin"] for each in told["coupons"]} == {"price_down", "incentive", "reward"}

    for _ in range(2):
        loyalty_service.erase(["u1"], [], now=clock.now(), pseudonym="erased:x")
        coupons_service.erase(["u1"], [], now=clock.now())
    left = [item for name in ("ledger", "people") for item in items(aws, name) if "u1" in str(item)]
    assert [item for item in left if item["sk"] not in ("PROFILE", "C#u1")] == []


def issue_everything(shop: Any) -> None:
    program = shop.get("/v1/loyalty/program").json_body["program"] | {
        "incentive": {"min_intent": 1, "levels": [{"amount": 10}]},
        "referral": {"points": 5, "friend_points": 3},
        "rewards": [
            {"reward_id": "r", "title": "r", "title_ja": "r", "points": 1, "percent_off": 5, "in_total": 5}
        ],
    }
    assert shop.put("/v1/loyalty/program", program).status_code == 200
    code = shop.post("/v1/customers/u2/loyalty/referral-code", {}).json_body["code"]
    assert shop.post("/v1/loyalty/referrals", {"code": code, "customer_id": "u1"}).status_code == 201
    shop.post("/v1/customers/u1/loyalty/referral-code", {})
    shop.post("/v1/track", {"userId": "u1", "event": "Product Viewed", "properties": {"product_id": "milk"}})
    cart = {"currency": "JPY", "lines": [{"item_id": "milk", "quantity": 9, "price": 240}]}
    assert shop.post("/v1/customers/u1/loyalty/incentives", cart).json_body["reason"] == "offered"
    buy(shop, "milk")
    assert "price_down" in {each["origin"] for each in shop.post(PATH, {}).json_body["data"]}
    give = {"points": 9, "reason": "x"}
    shop.post("/v1/customers/u1/loyalty/accruals", give, **{"Idempotency-Key": "k"})
    path = "/v1/customers/u1/loyalty/redemptions"
    held = shop.post(path, {"reward_id": "r"}, **{"Idempotency-Key": "k"}).json_body["redemption_id"]
    assert shop.post(f"{path}/{held}/confirm", {}).json_body["coupon"]


def items(aws: Any, name: str) -> list[Any]:
    return [unpack_item(item) for item in aws.scan(TableName=f"kokyaku-test-{name}")["Items"]]


def test_asked_for_many_times_at_once_each_item_has_one(shop: Any) -> None:
    buy(shop, "milk", "tea")

    def ask(_: int) -> None:
        try:
            offering.offer("u1", own=False, language="en", dry_run=False, now=clock.now())
        except Busy:
            return

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(ask, range(16)))

    assert sorted(each.item_ids[0] for each in coupons.newest(["u1"])) == ["milk", "tea"]


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_broken_off_anywhere_each_item_has_one(shop: Any, aws: Any, fault: str) -> None:
    wire = FaultyWire(aws)
    broken = 0
    for call in range(20):
        who = f"u{call}"
        buy(shop, "milk", "tea", who=who)
        wire.plan = ["ok"] * call + [fault]
        try:
            offering.offer(who, own=False, language="en", dry_run=False, now=clock.now())
        except Crash:
            broken += 1
        reached = not wire.plan
        wire.plan = []
        answer = offering.offer(who, own=False, language="en", dry_run=False, now=clock.now())
        assert sorted(each.item_ids[0] for each in answer.data) == ["milk", "tea"]
        if not reached:
            break
    assert broken == call > 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_purchases", 1), ("percent_off", 101), ("items_max", 0), ("every_days", 367), ("valid_days", 0.5),
        ("within_days", -1), ("unknown", 1),
    ],
)  # fmt: skip
def test_a_setting_out_of_bounds_is_refused(api: Any, name: str, value: float) -> None:
    program = {
        "currency": "JPY", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
        "price_downs": DOWNS | {name: value},
    }  # fmt: skip
    refused = api.put("/v1/loyalty/program", program)
    assert refused.json_body["errors"][0]["field"] == f"price_downs.{name}"
