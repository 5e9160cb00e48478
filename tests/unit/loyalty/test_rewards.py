"""Rewards: points become a coupon in one transaction, as often as the program says, whatever breaks off."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.coupons import reads as coupons
from chalicelib.loyalty import reads as loyalty
from chalicelib.loyalty import reward_store, spending
from chalicelib.loyalty.redeeming import HoldOver
from chalicelib.loyalty.rewards import RewardExhausted, RewardLimit
from chalicelib.loyalty.schemas import ConfirmRequest, RedemptionRequest
from chalicelib.shared import clock
from chalicelib.shared.errors import Busy
from tests.support.faults import Baton, Crash, FaultyWire

REWARD = {
    "reward_id": "tenth_off", "title": "10% off", "title_ja": "10%オフ", "points": 100, "percent_off": 10,
    "valid_days": 30,
}  # fmt: skip
EARN = [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}]
HOLDS = "/v1/customers/u1/loyalty/redemptions"
CALLS_MAX = 30


def offer(api: Any, **changed: Any) -> None:
    program = {"currency": "JPY", "earn": EARN, "rewards": [REWARD | changed]}
    answer = api.put("/v1/loyalty/program", program)
    assert answer.status_code == 200, answer.body


def earn(api: Any, points: int, customer: str = "u1") -> None:
    path = f"/v1/customers/{customer}/loyalty/accruals"
    answer = api.post(path, {"points": points, "reason": "x"}, **{"Idempotency-Key": "earned"})
    assert answer.status_code == 201, answer.body


def hold(api: Any, key: str = "k1", reward: str = "tenth_off") -> Any:
    return api.post(HOLDS, {"reward_id": reward}, **{"Idempotency-Key": key})


def confirm(api: Any, held: Any, body: Any = None) -> Any:
    return api.post(f"{HOLDS}/{held.json_body['redemption_id']}/confirm", body or {})


def test_points_become_a_coupon_once_and_the_code_stays_the_same(api: Any) -> None:
    offer(api)
    earn(api, 250)
    held = hold(api)
    assert (held.status_code, held.json_body["points"], held.json_body["coupon"]) == (201, 100, None)

    first, again = confirm(api, held), confirm(api, held)
    coupon = first.json_body["coupon"]
    assert first.body == again.body
    assert (coupon["title"], coupon["title_ja"], coupon["percent"]) == ("10% off", "10%オフ", 10)
    assert first.json_body["balance"]["active_points"] == 150
    [issued] = api.get("/v1/customers/u1/coupons").json_body["data"]
    assert (issued["code"], issued["origin"], issued["expires_at"]) == (
        coupon["code"], "reward", coupon["expires_at"],
    )  # fmt: skip
    redeemed = api.post(f"/v1/coupons/{coupon['code']}/redeem", {"customer_id": "u1", "order_id": "o1"})
    assert redeemed.json_body["order_id"] == "o1"


def test_released_or_timed_out_leaves_nothing_and_does_not_count(api: Any, aws: Any) -> None:
    offer(api, per_customer=1, in_total=1)
    earn(api, 250)
    released = hold(api, "k1")
    api.post(f"{HOLDS}/{released.json_body['redemption_id']}/release")
    timed_out = hold(api, "k2")
    clock.travel(timedelta(minutes=16))
    late = confirm(api, timed_out)

    assert (late.status_code, late.json_body["type"]) == (409, "/problems/hold-over")
    assert api.get("/v1/customers/u1/coupons").json_body["data"] == []
    assert api.get("/v1/customers/u1/loyalty").json_body["active_points"] == 250
    assert reward_store.given("tenth_off") == 0
    assert confirm(api, hold(api, "k3")).json_body["coupon"] is not None


def test_one_customer_has_it_as_often_as_the_program_says(api: Any) -> None:
    offer(api, per_customer=1)
    earn(api, 500)
    one, other = hold(api, "k1"), hold(api, "k2")
    assert confirm(api, one).status_code == 200

    refused = confirm(api, other)
    assert (refused.status_code, refused.json_body["type"]) == (409, "/problems/reward-limit")
    assert hold(api, "k3").json_body["type"] == "/problems/reward-limit"
    assert api.get("/v1/customers/u1/loyalty").json_body["reserved_points"] == 100
    api.post(f"{HOLDS}/{other.json_body['redemption_id']}/release")
    assert api.get("/v1/customers/u1/loyalty").json_body["active_points"] == 400


def test_a_limit_of_one_holds_over_all_ids_of_a_person(api: Any) -> None:
    offer(api, per_customer=1)
    for customer in ("u1", "u2"):
        earn(api, 300, customer)
        api.post("/v1/identify", {"userId": customer, "messageId": customer, "traits": {"plan": "x"}})
    assert confirm(api, hold(api)).status_code == 200
    api.post("/v1/customers/u2/merge", {"from": "u1", "reason": "x"}, **{"Idempotency-Key": "m"})

    path = HOLDS.replace("u1", "u2")
    refused = api.post(path, {"reward_id": "tenth_off"}, **{"Idempotency-Key": "k9"})
    assert refused.json_body["type"] == "/problems/reward-limit"


@pytest.mark.parametrize("number", range(12))
def test_confirmed_under_two_ids_at_once_it_is_had_once(api: Any, aws: Any, number: int) -> None:
    offer(api, per_customer=1)
    held = {}
    for customer in ("u1", "u2"):
        earn(api, 100, customer)
        asked = RedemptionRequest(reward_id="tenth_off")
        told = spending.reserve([customer], asked, key="k", now=clock.now(), dry_run=False)
        held[customer] = json.loads(told)["redemption_id"]

    def take(customer: str) -> str:
        return spending.confirm(
            ("u1", "u2"), held[customer], ConfirmRequest(), now=clock.now(), dry_run=False
        )

    baton = Baton([bool(int(bit)) for bit in f"{number * 341:012b}"])
    FaultyWire(aws).gate = baton.gate
    results = baton.run(lambda: take("u1"), lambda: take("u2"))

    assert [type(each) for each in results].count(RewardLimit) == 1, results
    assert len(coupons.newest(["u1", "u2"])) == 1


def test_of_three_thirty_customers_at_once_get_three(api: Any) -> None:
    offer(api, in_total=3)
    now = clock.now()
    held = {}
    for number in range(30):
        customer = f"c{number}"
        earn(api, 100, customer)
        answer = api.post(
            f"/v1/customers/{customer}/loyalty/redemptions",
            {"reward_id": "tenth_off"},
            **{"Idempotency-Key": "k"},
        )
        held[customer] = answer.json_body["redemption_id"]

    def take(customer: str) -> str:
        while True:
            try:
                spending.confirm([customer], held[customer], ConfirmRequest(), now=now, dry_run=False)
            except RewardExhausted:
                return "exhausted"
            except Busy:
                continue
            return "had"

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(take, held))

    assert sorted(results) == ["exhausted"] * 27 + ["had"] * 3
    assert reward_store.given("tenth_off") == 3
    assert len(coupons.newest(held)) == 3


def test_it_is_offered_on_its_days_only_and_kept_when_it_was_reserved_then(api: Any) -> None:
    today = clock.now().date()
    offer(api, starts_on=(today + timedelta(days=2)).isoformat())
    earn(api, 300)
    early = hold(api)
    assert (early.status_code, early.json_body["type"]) == (409, "/problems/reward-not-offered")
    assert early.json_body["starts_on"] == (today + timedelta(days=2)).isoformat()

    offer(api)
    held = hold(api)
    program = {"currency": "JPY", "earn": EARN}
    assert api.put("/v1/loyalty/program", program).status_code == 200
    assert confirm(api, held).json_body["coupon"]["percent"] == 10
    assert hold(api).body == held.body, "the first answer, although the reward is gone"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reward_id": "unknown"}, "reward_id"),
        ({"reward_id": "tenth_off", "points": 100}, "points"),
        ({}, "points"),
        ({"reward_id": "x" * 41}, "reward_id"),
        ({"reward_id": "\ud800"}, "body"),
    ],
)
def test_what_cannot_be_had_is_refused_and_holds_nothing(api: Any, body: Any, field: str) -> None:
    offer(api)
    earn(api, 300)

    refused = api.post(HOLDS, body, **{"Idempotency-Key": "k1"})
    assert refused.status_code == 400
    assert refused.json_body["errors"][0]["field"] == field
    assert api.get("/v1/customers/u1/loyalty").json_body["reserved_points"] == 0


def test_a_reward_is_had_whole_and_not_without_points(api: Any) -> None:
    offer(api)
    earn(api, 120)
    held = hold(api)
    partly = confirm(api, held, {"points": 50})
    assert partly.json_body["errors"] == [{"field": "points", "message": "the reward costs all 100"}]

    assert confirm(api, held).status_code == 200
    poor = hold(api, "k2")
    assert (poor.status_code, poor.json_body["active_points"]) == (409, 20)


def test_a_dry_run_says_what_would_be_and_gives_no_code(api: Any) -> None:
    offer(api, in_total=1)
    earn(api, 100)
    held = hold(api)
    path = f"{HOLDS}/{held.json_body['redemption_id']}/confirm?dry_run=true"

    assert api.post(path, {}).json_body["coupon"] | {"expires_at": ""} == {
        "code": None, "title": "10% off", "title_ja": "10%オフ", "percent": 10, "amount": None, "item_ids": [],
        "category": None, "expires_at": "",
    }  # fmt: skip
    assert reward_store.given("tenth_off") == 0
    assert confirm(api, held).json_body["coupon"]["code"]


@pytest.mark.parametrize("fault", ["crash_before", "crash_after", "reply_lost"])
def test_whatever_breaks_off_there_is_one_coupon_for_the_points(api: Any, aws: Any, fault: str) -> None:
    offer(api, in_total=1000)
    earn(api, 10_000)
    wire = FaultyWire(aws)
    broken = 0
    for call in range(CALLS_MAX):
        held = RedemptionRequest(reward_id="tenth_off")
        answer = spending.reserve(["u1"], held, key=f"k{call}", now=clock.now(), dry_run=False)
        redemption_id = json.loads(answer)["redemption_id"]
        wire.plan = ["ok"] * call + [fault]
        try:
            spending.confirm(["u1"], redemption_id, ConfirmRequest(), now=clock.now(), dry_run=False)
        except Crash:
            broken += 1
        reached = not wire.plan
        wire.plan = []
        first, again = (
            spending.confirm(["u1"], redemption_id, ConfirmRequest(), now=clock.now(), dry_run=False)
            for _ in range(2)
        )
        assert first == again
        assert len(coupons.newest(["u1"])) == reward_store.given("tenth_off") == call + 1
        assert loyalty.active_points("u1") == 10_000 - 100 * (call + 1)
        if not reached:
            break
    assert call > 5
    assert broken == (0 if fault == "reply_lost" else call)


def test_of_a_confirm_and_a_release_at_once_one_wins(api: Any) -> None:
    offer(api, per_customer=1)
    earn(api, 100)
    redemption_id = hold(api).json_body["redemption_id"]

    def end(number: int) -> str:
        try:
            if number % 2:
                spending.confirm(["u1"], redemption_id, ConfirmRequest(), now=clock.now(), dry_run=False)
                return "confirmed"
            spending.release(["u1"], redemption_id, now=clock.now(), dry_run=False)
        except (HoldOver, RewardLimit):
            return "refused"
        return "released"

    with ThreadPoolExecutor(8) as threads:
        ended = set(threads.map(end, range(8))) - {"refused"}

    assert len(ended) == 1
    assert len(coupons.newest(["u1"])) == (ended == {"confirmed"})
    assert loyalty.active_points("u1") == (0 if ended == {"confirmed"} else 100)
