"""The tipping point: who gets an incentive, the smallest, once; and why everybody else gets none."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.activity.reads import Touch
from chalicelib.coupons import reads as coupons
from chalicelib.loyalty import incentives, offering
from chalicelib.loyalty.incentives import Bought, Given, Signal
from chalicelib.loyalty.offer_schemas import CartLine, IncentiveRequest
from chalicelib.loyalty.program import Incentive, IncentiveLevel
from chalicelib.shared import clock, tokens
from chalicelib.shared.errors import Busy
from tests.support.embedded import PUBLISHABLE
from tests.support.faults import Crash, FaultyWire

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TERMS = Incentive(40, 79, (IncentiveLevel(amount=100), IncentiveLevel(percent=10)), 30, 1, 5, 24)
PATH = "/v1/customers/u1/loyalty/incentives"
CART = {"currency": "JPY", "lines": [{"item_id": "lamp", "quantity": 1, "price": 4000}]}
INCENTIVE = {
    "min_intent": 40, "max_intent": 79, "levels": [{"amount": 100}, {"amount": 300}, {"percent": 10}],
    "once_per_days": 30, "abandoned_max": 0, "carts_max": 2, "valid_hours": 24,
}  # fmt: skip


def touch(kind: str, hours_ago: float, *item_ids: str) -> Touch:
    at = NOW - timedelta(hours=hours_ago)
    return Touch(f"{kind}{hours_ago}", kind, kind, "web", at, item_ids, None, trusted=True)


# --- the rules alone


def test_an_intent_is_made_of_what_somebody_did_lately() -> None:
    did = [
        touch("view", 0.5, "lamp"),
        touch("view", 2, "lamp"),
        touch("cart", 3, "lamp"),
        touch("view", 200, "x"),
    ]
    found = incentives.signals(did, None, NOW)

    assert found == [Signal("views", 4), Signal("repeats", 6), Signal("cart", 12), Signal("recency", 16)]
    assert incentives.intent_of(found) == 38


def test_an_order_begins_anew() -> None:
    did = [touch("cart", 3, "lamp"), touch("checkout", 2.5)]
    assert incentives.signals(did, NOW - timedelta(hours=1), NOW) == []


def test_no_flood_makes_more_than_all() -> None:
    did = [touch(kind, n / 100, f"i{n % 7}") for n in range(300) for kind in ("view", "cart", "checkout")]
    assert incentives.intent_of(incentives.signals(did, None, NOW)) == 100


@pytest.mark.parametrize(
    ("hours", "points"), [(1, 16), (1.01, 8), (24, 8), (24.1, 4), (72, 4), (72.1, None), (168, None)]
)
def test_what_is_long_ago_says_less(hours: float, points: int | None) -> None:
    found = {each.signal: each.points for each in incentives.signals([touch("view", hours, "a")], None, NOW)}
    assert found.get("recency") == points


def test_carts_that_were_left_are_counted_and_those_that_were_bought_are_not() -> None:
    days = [2, 5, 9, 20, 40]
    left = [touch("cart", 24 * each, "a") for each in days]
    assert (
        incentives.abandoned_carts([*left, touch("cart", 1, "a")], [], NOW) == 4
    )  # 40 days are over; 1 hour is open
    bought = NOW - timedelta(days=5) + timedelta(hours=3)
    assert incentives.abandoned_carts(left, [bought], NOW) == 3


def test_many_additions_are_one_cart_until_it_rests_or_is_bought() -> None:
    steps = [touch("cart", hours, "a") for hours in (100, 90, 80)]
    assert incentives.abandoned_carts(steps, [], NOW) == 1
    assert (
        incentives.abandoned_carts(steps, [NOW - timedelta(hours=85)], NOW) == 1
    )  # what came after it was left


@pytest.mark.parametrize(
    ("days_ago", "full_price", "as_usual"),
    [
        ((3, 10, 17), (True, True, True), True),
        ((10, 17, 24), (True, True, True), True),  # half again as long as usual
        ((11, 18, 25), (True, True, True), False),
        ((3, 10, 17), (True, False, True), False),
        ((3, 10), (True, True), False),
        ((), (), False),
    ],
)
def test_who_buys_at_full_price_in_time_buys_anyway(
    days_ago: tuple[int, ...], full_price: tuple[bool, ...], as_usual: bool
) -> None:
    past = [Bought(NOW - timedelta(days=days), full) for days, full in zip(days_ago, full_price, strict=True)]
    assert incentives.buys_as_usual(past, NOW) is as_usual


@pytest.mark.parametrize(
    ("intent", "carts", "given", "objection"),
    [
        (39, 0, [], "not-interested"),
        (40, 0, [], None),
        (79, 5, [], None),
        (80, 0, [], "buys-anyway"),
        (50, 6, [], "abandons-carts"),
        (50, 0, [Given(NOW - timedelta(days=29), let_go=False)], "once-per-window"),
        (50, 0, [Given(NOW - timedelta(days=30), let_go=True)], None),
        (50, 0, [Given(NOW - timedelta(days=days), let_go=True) for days in (40, 80)], "abandons-carts"),
        (50, 0, [Given(NOW - timedelta(days=days), let_go=True) for days in (40, 91)], None),
    ],
)
def test_every_no_has_its_reason(intent: int, carts: int, given: list[Given], objection: str | None) -> None:
    assert incentives.objection(TERMS, intent=intent, carts=carts, given=given, now=NOW) == objection


@pytest.mark.parametrize(
    ("total", "smallest"), [(900, 1), (1100, 0), (1000, 0), (100, 1), (9, None), (0, None), (101, 1)]
)
def test_what_is_worth_least_for_the_cart_is_offered(total: int, smallest: int | None) -> None:
    level = incentives.smallest(TERMS.levels, total)
    assert level == (None if smallest is None else TERMS.levels[smallest])


# --- over HTTP


@pytest.fixture
def shop(api: Any) -> Any:
    set_up(api)
    return api


def set_up(api: Any, **changed: Any) -> None:
    program = {
        "currency": "JPY", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
        "incentive": INCENTIVE | changed,
    }  # fmt: skip
    assert api.put("/v1/loyalty/program", program).status_code == 200


def tell(api: Any, event: str, *, ago: timedelta = timedelta(0), item: str = "lamp", who: str = "u1") -> None:
    at = clock.to_text(clock.now() - ago)
    body = {
        "userId": who, "event": event, "timestamp": at, "messageId": f"{who}-{event.replace(' ', '-')}-{at}-{item}",
        "properties": {"product_id": item, "price": 4000, "currency": "JPY"},
    }  # fmt: skip
    answer = api.post("/v1/track", body)
    assert answer.json_body["accepted"] == 1, answer.body


def tip(api: Any, who: str = "u1") -> None:
    for minutes in (30, 20, 10):
        tell(api, "Product Viewed", ago=timedelta(minutes=minutes), who=who)
    tell(api, "Product Added", ago=timedelta(minutes=5), who=who)


def order(api: Any, number: int, ago: timedelta, discount: int = 0, who: str = "u1") -> None:
    body = {
        "customer_id": who, "placed_at": clock.to_text(clock.now() - ago), "currency": "JPY", "total": 3000,
        "discount": discount, "lines": [{"item_id": "milk", "quantity": 1, "price": 3000}],
    }  # fmt: skip
    assert api.put(f"/v1/orders/{who}-{number}", body).status_code in (200, 201)


def test_who_hesitates_gets_the_smallest_once(shop: Any) -> None:
    tip(shop)
    answer = shop.post(PATH, CART)
    body = answer.json_body

    assert (answer.status_code, body["reason"], body["intent"]) == (200, "offered", 46)
    assert body["lines"] == [
        {"signal": "views", "points": 6}, {"signal": "repeats", "points": 12}, {"signal": "cart", "points": 12},
        {"signal": "recency", "points": 16},
    ]  # fmt: skip
    assert body["incentive"]["amount"] == {"amount": 100, "currency": "JPY"}
    assert body["incentive"]["title"] == "JPY 100 off this order"
    again = shop.post(PATH, CART).json_body
    assert (again["reason"], again["incentive"]) == ("offered-already", body["incentive"])
    [coupon] = shop.get("/v1/customers/u1/loyalty/offers").json_body["data"]
    assert (coupon["code"], coupon["origin"]) == (body["incentive"]["code"], "incentive")


def test_used_up_there_is_none_until_the_window_is_over_and_letting_one_go_by_is_the_last(shop: Any) -> None:
    tip(shop)
    code = shop.post(PATH, CART).json_body["incentive"]["code"]
    shop.post(f"/v1/coupons/{code}/redeem", {"customer_id": "u1", "order_id": "o1"})
    assert shop.post(PATH, CART).json_body["reason"] == "once-per-window"

    clock.travel(timedelta(days=31))
    tip(shop)
    assert shop.post(PATH, CART).json_body["reason"] == "offered"
    clock.travel(timedelta(days=62))
    tip(shop)
    third = shop.post(PATH, CART).json_body
    assert (third["reason"], third["incentive"]) == ("abandons-carts", None)


def test_who_only_looks_and_who_buys_anyway_get_none(shop: Any) -> None:
    assert shop.post(PATH, CART).json_body == {
        "incentive": None, "reason": "not-interested", "intent": 0, "lines": [],
    }  # fmt: skip
    tip(shop)
    tell(shop, "Product Added", item="chair")
    tell(shop, "Checkout Started")
    for minutes in range(1, 9):
        tell(shop, "Product Viewed", ago=timedelta(minutes=minutes))
    assert shop.post(PATH, CART).json_body["reason"] == "buys-anyway"


def test_who_comes_every_week_at_full_price_gets_none_and_who_waits_for_discounts_does(shop: Any) -> None:
    for number, days in enumerate((3, 10, 17)):
        order(shop, number, timedelta(days=days))
        order(shop, number, timedelta(days=days), discount=500 * (number == 1), who="u2")
    tip(shop)
    tip(shop, "u2")
    assert shop.post(PATH, CART).json_body["reason"] == "buys-as-usual"
    assert shop.post(PATH.replace("u1", "u2"), CART).json_body["reason"] == "offered"


def test_carts_left_on_purpose_earn_nothing(shop: Any) -> None:
    for days in (4, 8, 12):
        tell(shop, "Product Added", ago=timedelta(days=days))
    tip(shop)
    assert shop.post(PATH, CART).json_body["reason"] == "abandons-carts"


def test_without_consent_nothing_is_reckoned(shop: Any) -> None:
    tip(shop)
    shop.patch("/v1/customers/u1", {"consents": {"personalization": {"status": "withdrawn"}}})
    assert shop.post(PATH, CART).json_body == {
        "incentive": None, "reason": "personalization-withdrawn", "intent": 0, "lines": [],
    }  # fmt: skip


def test_a_cart_that_nothing_can_come_off_gets_none(shop: Any) -> None:
    tip(shop)
    small = CART | {"total": 9}
    assert shop.post(PATH, small).json_body["reason"] == "cart-too-small"


def test_a_dry_run_says_it_and_gives_nothing(shop: Any) -> None:
    tip(shop)
    tried = shop.post(f"{PATH}?dry_run=true", CART).json_body
    assert (tried["reason"], tried["incentive"]["code"]) == ("offered", None)
    assert coupons.newest(["u1"]) == []
    assert shop.post(PATH, CART).json_body["reason"] == "offered"


def test_a_customer_asks_for_herself_and_a_browser_for_nobody(shop: Any) -> None:
    tip(shop)
    token = tokens.customer_token("u1", now=clock.now(), ttl=timedelta(hours=1))
    hers = {"Authorization": f"Bearer {token}"}

    assert shop.post("/v1/me/loyalty/incentives", CART, PUBLISHABLE).status_code == 403
    assert shop.post(PATH.replace("u1", "u2"), CART, hers).status_code == 403
    assert shop.post("/v1/me/loyalty/incentives", CART, hers).json_body["reason"] == "offered"


def test_what_an_unlinked_browser_says_of_her_counts_for_nothing(shop: Any) -> None:
    for number in range(9):
        body = {
            "userId": "u1", "anonymousId": "strange", "event": "Product Added", "messageId": f"m{number}",
            "properties": {"product_id": f"i{number}"},
        }  # fmt: skip
        shop.post("/v1/track", body, PUBLISHABLE)
    assert shop.post(PATH, CART).json_body["reason"] == "not-interested"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (CART | {"currency": "USD"}, "currency"),
        (CART | {"lines": []}, "lines"),
        ({"currency": "JPY", "lines": [{"item_id": "lamp", "quantity": 0, "price": 1}]}, "lines.0.quantity"),
        ({"currency": "JPY", "lines": [{"item_id": "lamp", "quantity": 1, "price": 0.5}]}, "lines.0.price"),
        (CART | {"total": -1}, "total"),
        (CART | {"intent": 50}, "intent"),
    ],
)
def test_wrong_carts_are_refused_with_the_field(shop: Any, body: Any, field: str) -> None:
    refused = shop.post(PATH, body)
    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"min_intent": 80}, "incentive.max_intent"),
        ({"levels": [{}]}, "incentive.levels.0"),
        ({"levels": [{"amount": 1, "percent": 1}]}, "incentive.levels.0"),
        ({"levels": [{"amount": 300}, {"amount": 100}]}, "incentive.levels"),
        ({"levels": []}, "incentive.levels"),
        ({"valid_hours": 0}, "incentive.valid_hours"),
    ],
)
def test_a_program_that_contradicts_itself_is_refused(api: Any, changed: Any, field: str) -> None:
    program = {
        "currency": "JPY", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}],
        "incentive": INCENTIVE | changed,
    }  # fmt: skip
    refused = api.put("/v1/loyalty/program", program)
    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field


# --- at once, and broken off

REQUEST = IncentiveRequest(currency="JPY", lines=[CartLine(item_id="lamp", quantity=1, price=4000)])


def test_asked_for_many_times_at_once_there_is_one(shop: Any) -> None:
    tip(shop)

    def ask(_: int) -> str | None:
        try:
            answer = offering.invite("u1", REQUEST, own=False, dry_run=False, now=clock.now())
        except Busy:
            return None
        return answer.incentive.code if answer.incentive else "none"

    with ThreadPoolExecutor(8) as threads:
        codes = {each for each in threads.map(ask, range(16)) if each}

    assert codes == {each.code for each in coupons.newest(["u1"])}
    assert len(codes) == 1


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_broken_off_anywhere_there_is_one_in_the_window(shop: Any, aws: Any, fault: str) -> None:
    wire = FaultyWire(aws)
    broken = 0
    for call in range(20):
        who = f"u{call}"
        tip(shop, who)
        wire.plan = ["ok"] * call + [fault]
        try:
            offering.invite(who, REQUEST, own=False, dry_run=False, now=clock.now())
        except Crash:
            broken += 1
        reached = not wire.plan
        wire.plan = []
        answer = offering.invite(who, REQUEST, own=False, dry_run=False, now=clock.now())
        [coupon] = coupons.newest([who])
        assert answer.incentive
        assert answer.incentive.code == coupon.code
        if not reached:
            break
    assert broken == call > 5
