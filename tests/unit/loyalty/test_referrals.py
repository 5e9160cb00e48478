"""Referral: both sides get points for a friend's first delivered order, once; nobody earns by referring themself."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.loyalty import ordering, referral_store, referring
from chalicelib.loyalty import reads as loyalty
from chalicelib.loyalty.offer_schemas import ReferralRequest
from chalicelib.loyalty.referring import ReferralRefused
from chalicelib.loyalty.schemas import RefundRequest
from chalicelib.shared import clock, tokens
from chalicelib.shared.codes import ALPHABET
from chalicelib.shared.errors import Busy
from tests.support.circuit import Circuit
from tests.support.embedded import PUBLISHABLE
from tests.support.faults import Baton, Crash, FaultyWire

EARN = [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}]
TERMS = {"points": 500, "friend_points": 300, "per_month": 3, "lifetime": 4}
REFERRALS = "/v1/loyalty/referrals"


@pytest.fixture
def shop(api: Any) -> Any:
    set_up(api)
    return api


@pytest.fixture
def circuit(shop: Any) -> Iterator[Circuit]:
    with Circuit() as carried:
        yield carried


def set_up(api: Any, **changed: Any) -> None:
    program = {"currency": "JPY", "earn": EARN, "referral": TERMS | changed}
    answer = api.put("/v1/loyalty/program", program)
    assert answer.status_code == 200, answer.body


def code_of(api: Any, who: str = "anna") -> str:
    answer = api.post(f"/v1/customers/{who}/loyalty/referral-code", {})
    assert answer.status_code == 200, answer.body
    return str(answer.json_body["code"])


def refer(api: Any, code: str, friend: str = "ben") -> Any:
    return api.post(REFERRALS, {"code": code, "customer_id": friend})


def order(api: Any, friend: str = "ben", order_id: str = "o1", **more: Any) -> None:
    body = {
        "customer_id": friend, "placed_at": clock.to_text(clock.now()), "currency": "JPY", "total": 2000,
        "lines": [{"line_id": "1", "item_id": "tea", "quantity": 2, "price": 1000}],
    }  # fmt: skip
    assert api.put(f"/v1/orders/{order_id}", body | more).status_code in (200, 201)
    ship = {"shipment_id": f"s-{order_id}", "carrier": "jp.yamato", "tracking_number": "1"}
    assert api.post(f"/v1/orders/{order_id}/shipments", ship).status_code == 201


def deliver(api: Any, order_id: str = "o1") -> None:
    event = {"event_id": "e1", "status": "delivered", "at": clock.to_text(clock.now())}
    answer = api.post(f"/v1/shipments/s-{order_id}/events", event)
    assert answer.status_code in (200, 201), answer.body


def points(*customers: str) -> list[int]:
    return [loyalty.active_points(each) for each in customers]


def refuse(answer: Any, reason: str, field: str) -> None:
    body = answer.json_body
    assert (answer.status_code, body["type"]) == (409, "/problems/referral-refused"), answer.body
    assert (body["reason"], body["errors"][0]["field"]) == (reason, field)


# --- codes


def test_a_code_is_short_hers_and_the_same_each_time(shop: Any) -> None:
    first = shop.post("/v1/customers/anna/loyalty/referral-code", {}).json_body
    code = first["code"]
    assert first == {"code": code, "points": 500, "friend_points": 300, "left_this_month": 3, "left": 4}
    token = tokens.customer_token("anna", now=clock.now(), ttl=timedelta(hours=1))

    assert len(code) == 8
    assert set(code) <= set(ALPHABET)
    mine = shop.post("/v1/me/loyalty/referral-code", {}, {"Authorization": f"Bearer {token}"})
    assert mine.json_body["code"] == code
    assert len({code_of(shop, f"c{number}") for number in range(20)} | {code}) == 21


def test_asked_for_by_eight_at_once_it_is_one(shop: Any) -> None:
    def ask(_: int) -> str | None:
        try:
            return referring.code_for("anna", own=False, now=clock.now()).code
        except Busy:
            return None

    with ThreadPoolExecutor(8) as threads:
        codes = {each for each in threads.map(ask, range(16)) if each}

    assert codes == {code_of(shop)}


# --- the whole way


def test_both_get_points_when_the_first_order_is_delivered_and_not_before(
    shop: Any, circuit: Circuit
) -> None:
    typed = code_of(shop).lower().replace("1", "l")
    answer = refer(shop, f"{typed[:4]}-{typed[4:]}")
    assert (answer.status_code, answer.json_body["status"]) == (201, "waiting")
    order(shop)
    circuit.settle()
    assert points("anna", "ben") == [0, 20]

    deliver(shop)
    circuit.settle()
    assert points("anna", "ben") == [500, 320]
    assert refer(shop, typed).json_body["status"] == "rewarded"
    [entry] = shop.get("/v1/customers/anna/loyalty/entries").json_body["data"]
    assert (entry["reason"], entry["points"], entry["rules"]) == (
        "referral", 500, [{"rule": "referral", "points": 500}],
    )  # fmt: skip
    assert "ben" not in entry["entry_id"], "an entry that outlives an erasure names nobody"


def test_every_fact_delivered_again_and_a_second_order_change_nothing(shop: Any, circuit: Circuit) -> None:
    refer(shop, code_of(shop))
    order(shop)
    deliver(shop)
    circuit.settle()
    order(shop, order_id="o2")
    deliver(shop, "o2")
    circuit.settle()
    for fact in reversed(circuit.published):
        if fact.type in ("shipment.status_changed", "order.placed"):
            circuit.deliver("loyalty", fact)

    assert points("anna", "ben") == [500, 340]
    assert circuit.dead == []


def test_a_whole_refund_takes_both_back_once_and_what_was_spent_is_owed(shop: Any, circuit: Circuit) -> None:
    refer(shop, code_of(shop))
    order(shop)
    deliver(shop)
    circuit.settle()
    held = shop.post(
        "/v1/customers/anna/loyalty/redemptions", {"points": 400}, **{"Idempotency-Key": "k"}
    ).json_body
    shop.post(f"/v1/customers/anna/loyalty/redemptions/{held['redemption_id']}/confirm", {})
    half = {"order_id": "o1", "lines": [{"line_id": "1", "quantity": 1}]}
    path = "/v1/customers/ben/loyalty/refunds"
    assert shop.post(path, half, **{"Idempotency-Key": "r1"}).status_code == 201
    circuit.settle()
    assert points("anna", "ben") == [100, 310]

    assert shop.post(path, half, **{"Idempotency-Key": "r2"}).status_code == 201
    circuit.settle()
    for fact in circuit.published:
        if fact.type in ("loyalty.order_refunded", "shipment.status_changed"):
            circuit.deliver("loyalty", fact)
    assert points("anna", "ben") == [0, 0]
    assert shop.get("/v1/customers/anna/loyalty").json_body["negative_points"] == 400
    assert shop.get("/v1/customers/anna/loyalty").json_body["lifetime_points"] == 0
    order(shop, order_id="o2")
    deliver(shop, "o2")
    circuit.settle()
    assert points("anna", "ben") == [0, 20], "a second order is not a first one"


@pytest.mark.parametrize("when", ["before it arrives", "with its delivery on the way", "before the reward"])
def test_given_back_first_earns_nothing(shop: Any, circuit: Circuit, when: str) -> None:
    refer(shop, code_of(shop))
    order(shop)
    circuit.settle()
    refund = {"order_id": "o1"}
    path = "/v1/customers/ben/loyalty/refunds"
    if when == "before it arrives":
        shop.post(path, refund, **{"Idempotency-Key": "r1"})
        circuit.settle()
        deliver(shop)
    elif when == "with its delivery on the way":
        deliver(shop)
        circuit.pump_streams()
        shop.post(path, refund, **{"Idempotency-Key": "r1"})
    else:
        assert referral_store.claim("ben", "o1")
        shop.post(path, refund, **{"Idempotency-Key": "r1"})
        referring.take_back("ben", "o1", now=clock.now())
        deliver(shop)
    circuit.settle()

    assert points("anna", "ben") == [0, 0]
    assert shop.get("/v1/customers/anna/loyalty").json_body["negative_points"] == 0


@pytest.mark.parametrize(
    "more", [{"placed_at": "2026-01-01T00:00:00Z"}, {"total": 0}], ids=["placed before", "free"]
)
def test_an_order_of_before_or_for_nothing_is_not_the_first(
    shop: Any, circuit: Circuit, more: dict[str, Any]
) -> None:
    refer(shop, code_of(shop))
    order(shop, **more)
    deliver(shop)
    circuit.settle()
    assert points("anna")[0] == 0
    order(shop, order_id="o2")
    deliver(shop, "o2")
    circuit.settle()
    assert points("anna")[0] == 500


def test_an_order_that_is_changed_to_nothing_takes_both_back(shop: Any, circuit: Circuit) -> None:
    refer(shop, code_of(shop))
    placed_at = clock.to_text(clock.now())
    order(shop, placed_at=placed_at)
    deliver(shop)
    circuit.settle()
    assert points("anna", "ben") == [500, 320]

    body = shop.get("/v1/orders/o1").json_body
    kept = {name: body[name] for name in ("customer_id", "placed_at", "currency")}
    lines = [{"line_id": "1", "item_id": "tea", "quantity": 2, "price": 0}]
    assert shop.put("/v1/orders/o1", kept | {"total": 0, "lines": lines}).status_code == 200
    circuit.settle()
    assert points("anna", "ben") == [0, 0]


def test_what_was_promised_is_given_whatever_the_program_says_by_then(shop: Any, circuit: Circuit) -> None:
    refer(shop, code_of(shop))
    shop.put("/v1/loyalty/program", {"currency": "JPY", "earn": EARN})
    order(shop)
    deliver(shop)
    circuit.settle()
    assert points("anna", "ben") == [500, 320]


# --- who does not count


def test_the_same_again_is_the_same_and_another_code_too_late(shop: Any) -> None:
    first = refer(shop, code_of(shop))
    assert refer(shop, code_of(shop)).body == first.body
    refuse(refer(shop, code_of(shop, "carl")), "already-referred", "customer_id")
    assert shop.post("/v1/customers/anna/loyalty/referral-code", {}).json_body["left"] == 3


def test_nobody_refers_themself_under_any_sign(shop: Any) -> None:
    code = code_of(shop)
    refuse(refer(shop, code, "anna"), "self-referral", "customer_id")
    signs = {
        "b1": {"email": "ANNA+new@example.com"}, "b2": {"phone": "+81 90-1234-5678"}, "b3": {"card": "7788 1234"},
    }  # fmt: skip
    mine = {"email": "anna@example.com", "phone": "090-1234-5678", "card": "77881234"}
    identify(shop, "anna", mine, "a1")
    for friend, traits in signs.items():
        identify(shop, friend, traits)
        refuse(refer(shop, code, friend), "self-referral", "customer_id")
    identify(shop, "b4", {"plan": "x"}, "a1")
    refuse(refer(shop, code, "b4"), "self-referral", "customer_id")
    identify(shop, "b5", {"email": "other@example.com"}, "a5")
    assert refer(shop, code, "b5").status_code == 201


def test_merged_ids_are_one_person(shop: Any) -> None:
    code = code_of(shop)
    for who in ("anna", "anna2", "ben", "ben2"):
        identify(shop, who, {"plan": "x"})
    merge(shop, "anna2", "anna")
    refuse(refer(shop, code, "anna2"), "self-referral", "customer_id")
    assert refer(shop, code, "ben").status_code == 201
    merge(shop, "ben2", "ben")
    refuse(refer(shop, code_of(shop, "carl"), "ben2"), "already-referred", "customer_id")
    assert refer(shop, code_of(shop, "carl"), "ben").status_code == 308
    assert code_of(shop, "anna2") == code


def test_who_turns_out_to_be_the_same_before_the_order_arrives_gets_nothing(
    shop: Any, circuit: Circuit
) -> None:
    code = code_of(shop)
    identify(shop, "anna", {"email": "anna@example.com"})
    assert refer(shop, code).status_code == 201
    identify(shop, "ben", {"email": "anna@example.com"})
    order(shop)
    deliver(shop)
    circuit.settle()
    assert points("anna", "ben") == [0, 20]
    assert refer(shop, code).json_body["status"] == "refused"


def test_who_has_ordered_is_no_new_customer(shop: Any) -> None:
    order(shop)
    refuse(refer(shop, code_of(shop)), "has-ordered", "customer_id")


def test_no_ring_is_closed(shop: Any) -> None:
    row = ["anna", "ben", "carl", "dora"]
    codes = {each: code_of(shop, each) for each in row}
    for referrer, friend in pairwise(row):
        assert refer(shop, codes[referrer], friend).status_code == 201
    for referrer in row[1:]:
        refuse(refer(shop, codes[referrer], "anna"), "ring", "customer_id")


def test_two_who_refer_each_other_at_once_close_no_ring(shop: Any, aws: Any) -> None:
    codes = {each: code_of(shop, each) for each in ("anna", "ben")}
    wire = FaultyWire(aws)
    for number in range(20):
        for who in ("anna", "ben"):
            referral_store.erase(who)
            referral_store.give_code(who, codes[who], now=clock.now())
        baton = Baton([bool(int(bit)) for bit in f"{number * 3277:020b}"])
        wire.gate = baton.gate

        def say(code: str, friend: str) -> Any:
            request = ReferralRequest(code=code, customer_id=friend)
            return referring.refer(request, friend, own=False, now=clock.now())

        results = baton.run(lambda: say(codes["anna"], "ben"), lambda: say(codes["ben"], "anna"))
        wire.gate = lambda: None
        assert sum(isinstance(each, ReferralRefused) for each in results) == 1, results
        assert {each.reason for each in results if isinstance(each, ReferralRefused)} == {"ring"}


def test_limits_of_a_month_and_for_ever(shop: Any) -> None:
    code = code_of(shop)
    for number in range(3):
        assert refer(shop, code, f"f{number}").status_code == 201
    refuse(refer(shop, code, "f3"), "month-limit", "code")
    clock.travel(timedelta(days=32))
    assert refer(shop, code, "f3").status_code == 201
    refuse(refer(shop, code, "f4"), "lifetime-limit", "code")


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"code": "00000000", "customer_id": "ben"}, 409, "code"),
        ({"code": "", "customer_id": "ben"}, 400, "code"),
        ({"code": "x" * 41, "customer_id": "ben"}, 400, "code"),
        ({"code": 7, "customer_id": "ben"}, 400, "code"),
        ({"code": "a\u0000b", "customer_id": "ben"}, 400, "code"),
        ({"code": "\ud800", "customer_id": "ben"}, 400, "body"),
        ({"code": "A#B/../REFERRAL", "customer_id": "ben"}, 409, "code"),
        ({"code": "00000000"}, 400, "customer_id"),
        ({"code": "00000000", "customer_id": "a/b"}, 400, "customer_id"),
        ({"customer_id": "ben"}, 400, "code"),
        ({"code": "00000000", "customer_id": "ben", "points": 9}, 400, "points"),
    ],
)
def test_wrong_input_is_refused_with_the_field_and_writes_nothing(
    shop: Any, body: Any, status: int, field: str
) -> None:
    refused = shop.post(REFERRALS, body)
    assert refused.status_code == status
    assert refused.json_body["errors"][0]["field"] == field
    assert referral_store.referral_of(["ben"]) is None


def test_without_a_program_for_it_there_are_no_codes(shop: Any) -> None:
    code = code_of(shop)
    shop.put("/v1/loyalty/program", {"currency": "JPY", "earn": EARN})
    refuse(shop.post("/v1/customers/anna/loyalty/referral-code", {}), "no-referral", "code")
    refuse(refer(shop, code), "no-referral", "code")


def test_a_customer_speaks_for_herself_and_a_browser_for_nobody(shop: Any) -> None:
    code = code_of(shop)
    token = tokens.customer_token("ben", now=clock.now(), ttl=timedelta(hours=1))
    hers = {"Authorization": f"Bearer {token}"}
    assert shop.post(REFERRALS, {"code": code}, PUBLISHABLE).status_code == 403
    assert shop.post(REFERRALS, {"code": code, "customer_id": "carl"}, hers).status_code == 403
    assert shop.post(REFERRALS, {"code": code}, hers).json_body["customer_id"] == "ben"


# --- erased


def test_of_who_was_erased_nothing_is_left_and_the_other_side_still_gets_hers(
    shop: Any, circuit: Circuit, aws: Any
) -> None:
    code = code_of(shop)
    refer(shop, code)
    exported = loyalty.export_of(["anna"], [])["referrals"] + loyalty.export_of(["ben"], [])["referrals"]
    assert {each["kind"] for each in exported} == {"refcode", "referrals", "referral"}
    shop.delete("/v1/customers/anna")
    circuit.settle()
    left = [
        item
        for item in aws.scan(TableName="kokyaku-test-ledger")["Items"]
        if "anna" in str(item) or "CODE" in str(item)
    ]
    assert left == []

    order(shop)
    deliver(shop)
    circuit.settle()
    assert points("ben") == [320]
    refuse(refer(shop, code, "carl"), "unknown-code", "code")
    shop.delete("/v1/customers/ben")
    circuit.settle()
    assert [item for item in aws.scan(TableName="kokyaku-test-ledger")["Items"] if "A#ben" in str(item)] == []


# --- at once, and broken off


def one_within_the_other(calls: int) -> list[list[bool]]:
    """Orders in which one of two goes through whole between two calls of the other."""
    return [[who] * call + [not who] * 99 for who in (False, True) for call in range(calls)]


def test_the_last_place_is_taken_once(shop: Any, aws: Any) -> None:
    set_up(shop, per_month=1, lifetime=100)
    code = code_of(shop)
    stored = ledger_items(aws)
    wire = FaultyWire(aws)

    def say(friend: str) -> Any:
        request = ReferralRequest(code=code, customer_id=friend)
        return referring.refer(request, friend, own=False, now=clock.now())

    for turns in one_within_the_other(12):
        restore(aws, stored)
        baton = Baton(turns)
        wire.gate = baton.gate
        results = baton.run(lambda: say("ben"), lambda: say("carl"))
        wire.gate = lambda: None
        assert [each.reason for each in results if isinstance(each, ReferralRefused)] == ["month-limit"]


def test_a_refund_at_any_call_of_the_reward_leaves_nobody_anything(
    shop: Any, aws: Any, circuit: Circuit
) -> None:
    refer(shop, code_of(shop))
    order(shop)
    deliver(shop)
    circuit.pump_streams()
    circuit.queues.clear()
    stored = ledger_items(aws)
    wire = FaultyWire(aws)
    request = RefundRequest(order_id="o1")

    def reward() -> None:
        referring.reward("ben", "o1", now=clock.now())

    def give_back() -> None:
        ordering.refund(["ben"], request, key="r", now=clock.now(), dry_run=False)
        referring.take_back("ben", "o1", now=clock.now())  # as the fact of it does

    for turns in one_within_the_other(28):
        restore(aws, stored)
        baton = Baton(turns)
        wire.gate = baton.gate
        results = baton.run(reward, give_back)
        wire.gate = lambda: None
        assert results == [None, None]
        assert points("anna", "ben") == [0, 0], turns
        reward()
        assert points("anna", "ben") == [0, 0], turns


@pytest.mark.slow
def test_of_a_thousand_sign_ups_at_once_as_many_count_as_may(shop: Any, figure: Any) -> None:
    set_up(shop, per_month=25, lifetime=100)
    code = code_of(shop)
    now = clock.now()

    def sign_up(number: int) -> str:
        friend = f"f{number % 950}"  # some of them twice
        while True:
            try:
                referring.refer(ReferralRequest(code=code, customer_id=friend), friend, own=False, now=now)
            except ReferralRefused as refused:
                return refused.reason
            except Busy:
                continue
            return "counts"

    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(sign_up, range(1000)))

    referred = [each for each in range(950) if referral_store.referral_of([f"f{each}"])]
    assert len(referred) == 25
    assert set(results) == {"counts", "month-limit"}
    figure(f"E7  1,000 sign-ups with one code, 8 at a time: {len(referred)} of 25 allowed count")


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_broken_off_anywhere_the_sign_up_counts_once(shop: Any, aws: Any, fault: str) -> None:
    set_up(shop, per_month=100, lifetime=100)
    code = code_of(shop)
    wire = FaultyWire(aws)
    for call in range(20):
        request = ReferralRequest(code=code, customer_id=f"f{call}")
        wire.plan = ["ok"] * call + [fault]
        broke = False
        try:
            referring.refer(request, f"f{call}", own=False, now=clock.now())
        except Crash:
            broke = True
        wire.plan = []
        answer = referring.refer(request, f"f{call}", own=False, now=clock.now())
        assert answer.status == "waiting"
        left = referring.code_for("anna", own=False, now=clock.now()).left
        assert left == 100 - call - 1
        if not broke:
            break
    assert call > 6


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
@pytest.mark.parametrize("step", ["reward", "take back"])
def test_broken_off_anywhere_both_sides_have_it_once_and_lose_it_once(
    shop: Any, aws: Any, circuit: Circuit, step: str, fault: str
) -> None:
    refer(shop, code_of(shop))
    order(shop)
    deliver(shop)
    circuit.pump_streams()
    circuit.queues.clear()
    run, after = referring.reward, [500, 300]
    if step == "take back":
        referring.reward("ben", "o1", now=clock.now())
        shop.post("/v1/customers/ben/loyalty/refunds", {"order_id": "o1"}, **{"Idempotency-Key": "r"})
        run, after = referring.take_back, [0, 0]
    stored = ledger_items(aws)
    wire = FaultyWire(aws)
    for call in range(60):
        restore(aws, stored)
        wire.plan = ["ok"] * call + [fault]
        broke = False
        try:
            run("ben", "o1", now=clock.now())
        except Crash:
            broke = True
        wire.plan = []
        for _ in range(2):
            run("ben", "o1", now=clock.now())
        assert points("anna", "ben") == after, call
        if not broke:
            break
    assert call > 12


def ledger_items(aws: Any) -> list[dict[str, Any]]:
    return list(aws.scan(TableName="kokyaku-test-ledger")["Items"])


def restore(aws: Any, stored: list[dict[str, Any]]) -> None:
    for item in ledger_items(aws):
        if item not in stored:
            aws.delete_item(TableName="kokyaku-test-ledger", Key={"pk": item["pk"], "sk": item["sk"]})
    for item in stored:
        aws.put_item(TableName="kokyaku-test-ledger", Item=item)


def identify(api: Any, who: str, traits: dict[str, Any], device: str | None = None) -> None:
    body = {"userId": who, "messageId": f"{who}-{device}", "traits": traits}
    answer = api.post("/v1/identify", body | ({"anonymousId": device} if device else {}))
    assert answer.json_body["success"], answer.body


def merge(api: Any, into: str, absorbed: str) -> None:
    body = {"from": absorbed, "reason": "one person"}
    assert api.post(f"/v1/customers/{into}/merge", body, **{"Idempotency-Key": into}).status_code in (
        200,
        201,
    )
