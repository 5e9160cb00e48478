"""Redemptions and refunds over HTTP: what is refused, what a dry run says, and that nothing happens twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.support.embedded import PUBLISHABLE

U1 = "/v1/customers/u1/loyalty"
REDEMPTIONS, REFUNDS = f"{U1}/redemptions", f"{U1}/refunds"
ORDER = {
    "customer_id": "u1",
    "placed_at": "2026-11-20T00:00:00Z",
    "currency": "JPY",
    "total": 5000,
    "lines": [
        {"line_id": "1", "item_id": "a", "quantity": 2, "price": 1000},
        {"line_id": "2", "item_id": "b", "quantity": 1, "price": 3000},
    ],
}


@pytest.fixture
def shop(api: Any) -> Any:
    """Somebody with 100 points given and 50 that an order earned."""
    api.post(f"{U1}/accruals", {"points": 100, "reason": "x"}, **{"Idempotency-Key": "k0"})
    assert api.put("/v1/orders/o1", ORDER).status_code == 201
    heard("o1")
    return api


def heard(order_id: str) -> None:
    """The ledger hears of an order."""
    from chalicelib.loyalty import ordering
    from chalicelib.orders import reads as orders
    from chalicelib.shared import clock

    order = orders.order(order_id)
    assert order is not None
    ordering.earn(order, now=clock.now())


def state(api: Any, customer_id: str = "u1", query: str = "") -> tuple[int, int, int]:
    """Active, reserved and negative points."""
    found = api.get(f"/v1/customers/{customer_id}/loyalty{query}").json_body
    return found["active_points"], found["reserved_points"], found["negative_points"]


def key(name: str = "r1") -> dict[str, str]:
    return {"Idempotency-Key": name}


def reserve(api: Any, points: int, name: str = "r1", **more: Any) -> Any:
    return api.post(REDEMPTIONS, {"points": points} | more, **key(name))


def step(api: Any, reserved: Any, what: str, body: Any = None, query: str = "") -> Any:
    return api.post(f"{REDEMPTIONS}/{reserved.json_body['redemption_id']}/{what}{query}", body or {})


def test_reserved_confirmed_and_gone(shop: Any) -> None:
    reserved = reserve(shop, 120)
    held = state(shop)
    confirmed = step(shop, reserved, "confirm")

    assert (reserved.status_code, reserved.json_body["status"], held) == (201, "reserved", (30, 120, 0))
    assert reserved.json_body["expires_at"] is not None
    assert (confirmed.status_code, confirmed.json_body["status"], confirmed.json_body["points"]) == (
        200,
        "confirmed",
        120,
    )
    assert state(shop) == (30, 0, 0)


def test_every_step_again_is_the_first_answer_byte_for_byte(shop: Any) -> None:
    reserved = reserve(shop, 120)
    confirmed = step(shop, reserved, "confirm", {"points": 70})

    assert reserve(shop, 120).body == reserved.body
    assert step(shop, reserved, "confirm", {"points": 70}).body == confirmed.body
    assert reserve(shop, 121).status_code == 422
    for other in (step(shop, reserved, "confirm", {"points": 71}), step(shop, reserved, "release")):
        assert (other.status_code, other.json_body["type"]) == (409, "/problems/hold-over")
    assert state(shop) == (80, 0, 0)


def test_released_and_released_again(shop: Any) -> None:
    reserved = reserve(shop, 120)
    released = step(shop, reserved, "release")

    assert (released.json_body["status"], state(shop)) == ("released", (150, 0, 0))
    assert step(shop, reserved, "release").body == released.body
    assert step(shop, reserved, "confirm").status_code == 409


def test_a_hold_that_nobody_confirms_returns_by_itself(shop: Any) -> None:
    from datetime import timedelta

    from chalicelib.shared import clock

    reserved = reserve(shop, 120, hold_seconds=60)
    clock.travel(timedelta(seconds=61))

    assert state(shop) == (150, 0, 0)
    assert step(shop, reserved, "confirm").status_code == 409
    assert state(shop) == (150, 0, 0)


def test_a_dry_run_says_what_happens_and_does_not_do_it(shop: Any) -> None:
    now = "now=2026-11-25T00:00:00Z"
    dry = shop.post(f"{REDEMPTIONS}?dry_run=true&{now}", {"points": 120}, **key())
    untouched = state(shop)
    reserved = shop.post(f"{REDEMPTIONS}?{now}", {"points": 120}, **key())
    pairs = [(dry, reserved)]
    for what, body in (("confirm", {"points": 70}), ("release", None)):
        again = (
            reserved if what == "confirm" else shop.post(f"{REDEMPTIONS}?{now}", {"points": 9}, **key("r2"))
        )
        before = state(shop, query=f"?{now}")
        dry = step(shop, again, what, body, f"?dry_run=true&{now}")
        assert state(shop, query=f"?{now}") == before
        pairs.append((dry, step(shop, again, what, body, f"?{now}")))

    assert untouched == (150, 0, 0)
    assert [one.body == other.body for one, other in pairs] == [True] * 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"points": 0}, "points"),
        ({"points": -1}, "points"),
        ({"points": 0.5}, "points"),
        ({"points": 2**63}, "points"),
        ({}, "points"),
        ({"points": 5, "reward_id": "tea"}, "points"),
        ({"reward_id": "tea"}, "reward_id"),
        ({"points": 5, "hold_seconds": 59}, "hold_seconds"),
        ({"points": 5, "hold_seconds": 604_801}, "hold_seconds"),
        ({"points": 5, "order_id": "a#b"}, "order_id"),
        ({"points": 5, "currency": "JPY"}, "currency"),
    ],
)
def test_a_wrong_redemption_is_refused_by_name(shop: Any, body: dict[str, Any], field: str) -> None:
    refused = shop.post(REDEMPTIONS, body, **key())

    assert refused.status_code == 400
    assert [each["field"] for each in refused.json_body["errors"]] == [field]
    assert shop.get(U1).json_body["version"] == 2


def test_too_few_points_say_how_many_there_are(shop: Any) -> None:
    refused = reserve(shop, 151)

    assert (refused.status_code, refused.json_body["type"]) == (409, "/problems/not-enough-points")
    assert refused.json_body["active_points"] == 150
    assert shop.post(REDEMPTIONS.replace("u1", "nobody"), {"points": 1}, **key()).status_code == 409
    assert shop.get(U1).json_body["version"] == 2


def test_redemptions_that_are_nobodys_or_anothers(shop: Any) -> None:
    reserved = reserve(shop, 10)
    foreign = reserved.json_body["redemption_id"]

    for customer_id, redemption_id in (("u1", "0" * 26), ("u2", foreign)):
        for what in ("confirm", "release"):
            path = f"/v1/customers/{customer_id}/loyalty/redemptions/{redemption_id}/{what}"
            assert shop.post(path, {}).status_code == 404
    assert state(shop) == (140, 10, 0)
    assert step(shop, reserved, "confirm", {"points": 11}).status_code == 400
    for path in (REDEMPTIONS, REFUNDS):
        assert shop.post(path, {"points": 1}, PUBLISHABLE, **key("x")).status_code == 403


def test_fifty_at_once_for_the_whole_balance_and_one_wins(shop: Any, aws: Any) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda number: reserve(shop, 150, f"all{number}"), range(50)))
    won = [each for each in answers if each.status_code == 201]

    assert len(won) == 1
    assert {each.status_code for each in answers} <= {201, 409, 503}
    assert state(shop) == (0, 150, 0)


def test_points_of_all_ids_can_be_spent(shop: Any) -> None:
    for customer_id in ("u1", "u2"):
        shop.post("/v1/identify", {"userId": customer_id, "messageId": customer_id})
    shop.post("/v1/customers/u2/loyalty/accruals", {"points": 40, "reason": "x"}, **key("k2"))
    shop.post("/v1/customers/u1/merge", {"from": "u2", "reason": "same"}, **key("m1"))
    dry = shop.post(f"{REDEMPTIONS}?dry_run=true&now=2026-11-25T00:00:00Z", {"points": 170}, **key())
    untouched = state(shop)
    reserved = shop.post(f"{REDEMPTIONS}?now=2026-11-25T00:00:00Z", {"points": 170}, **key())
    entries = shop.get(f"{U1}/entries").json_body["data"]

    assert (untouched, state(shop)) == ((190, 0, 0), (20, 170, 0))
    assert (dry.status_code, reserved.status_code) == (201, 201)
    assert sorted(each["points"] for each in entries if each["kind"] == "transfer") == [-20, 20]
    assert shop.post(REDEMPTIONS, {"points": 21}, **key("r2")).json_body["active_points"] == 20
    assert dry.json_body["balance"]["negative_points"] == 0
    assert dry.json_body["balance"]["active_points"] == reserved.json_body["balance"]["active_points"]


def refund(api: Any, name: str = "f1", query: str = "", **body: Any) -> Any:
    return api.post(f"{REFUNDS}{query}", {"order_id": "o1"} | body, **key(name))


def test_refunds_by_item_by_line_by_amount_and_the_rest(shop: Any) -> None:
    answers = [
        refund(shop, "f1", lines=[{"item_id": "a", "quantity": 1}]),
        refund(shop, "f2", lines=[{"line_id": "1", "quantity": 1}], reason="damaged"),
        refund(shop, "f3", amount={"amount": 1000, "currency": "JPY"}),
        refund(shop, "f4"),
    ]

    assert [each.status_code for each in answers] == [201] * 4
    assert [each.json_body["points"] for each in answers] == [10, 10, 10, 20]
    assert answers[3].json_body["taken"] == {
        "pending": 0,
        "lots": 20,
        "active": 0,
        "negative": 0,
        "expired": 0,
    }
    assert state(shop) == (100, 0, 0)
    assert [each["reason"] for each in shop.get(f"{U1}/entries").json_body["data"]][2] == "damaged"


def test_a_refund_is_made_once_and_tried_before(shop: Any) -> None:
    part = {"lines": [{"item_id": "b", "quantity": 1}]}
    now = "now=2026-11-25T00:00:00Z"
    dry = refund(shop, query=f"?dry_run=true&{now}", **part)
    untouched = state(shop)
    done = refund(shop, query=f"?{now}", **part)

    assert (untouched, state(shop)) == ((150, 0, 0), (120, 0, 0))
    assert dry.body == done.body == refund(shop, **part).body
    assert refund(shop).status_code == 422
    assert state(shop) == (120, 0, 0)


@pytest.mark.parametrize(
    ("body", "field", "limit"),
    [
        ({"lines": [{"item_id": "a", "quantity": 3}]}, "lines", "2 are left"),
        ({"lines": [{"item_id": "a", "quantity": 0}]}, "lines.0.quantity", "1"),
        ({"lines": [{"item_id": "a", "quantity": 0.5}]}, "lines.0.quantity", "whole"),
        ({"lines": [{"item_id": "c", "quantity": 1}]}, "lines.0", "one line"),
        ({"lines": [{"item_id": "a", "line_id": "1", "quantity": 1}]}, "lines.0", "one line"),
        ({"lines": []}, "lines", ""),
        ({"amount": {"amount": 5001, "currency": "JPY"}}, "amount", "5000 JPY are left"),
        ({"amount": {"amount": 0, "currency": "JPY"}}, "amount.amount", "more than 0"),
        ({"amount": {"amount": -1, "currency": "JPY"}}, "amount.amount", "0"),
        ({"amount": {"amount": 2**63, "currency": "JPY"}}, "amount.amount", ""),
        ({"amount": {"amount": 5, "currency": "USD"}}, "amount.currency", "JPY"),
        (
            {"amount": {"amount": 5, "currency": "JPY"}, "lines": [{"item_id": "a", "quantity": 1}]},
            "amount",
            "either",
        ),
        ({"order_id": 5}, "order_id", "text"),
    ],
)
def test_a_wrong_refund_is_refused_by_name(shop: Any, body: dict[str, Any], field: str, limit: str) -> None:
    refused = refund(shop, **body)
    errors = {each["field"]: each["message"] for each in refused.json_body["errors"]}

    assert refused.status_code == 400
    assert field in errors
    assert limit in errors[field]
    assert shop.get(U1).json_body["version"] == 2


def test_nobody_refunds_an_order_that_is_not_there_or_not_theirs(shop: Any) -> None:
    assert refund(shop, order_id="o2").status_code == 404
    assert shop.post(REFUNDS.replace("u1", "u2"), {"order_id": "o1"}, **key("f1")).status_code == 404
    assert refund(shop).status_code == 201
    assert refund(shop, "f2").status_code == 400, "nothing is left"


def test_what_was_spent_is_owed_and_repaid(shop: Any) -> None:
    step(shop, reserve(shop, 150), "confirm")
    refunded = refund(shop)
    owing = state(shop)
    shop.post(f"{U1}/accruals", {"points": 70, "reason": "x"}, **key("k9"))

    assert refunded.json_body["taken"]["negative"] == 50
    assert (owing, state(shop)) == ((0, 0, 50), (20, 0, 0))


def test_the_fact_of_an_order_may_come_after_its_refund(api: Any) -> None:
    api.put("/v1/orders/o1", ORDER)
    refunded = refund(api, lines=[{"item_id": "b", "quantity": 1}])
    heard("o1")
    heard("o1")

    assert (refunded.status_code, refunded.json_body["points"]) == (201, 0)
    assert state(api) == (20, 0, 0)


def test_a_visit_that_only_entries_remember_counts_once(api: Any) -> None:
    """The account remembers six visits; an order told late, of a day before them, is no second visit of that day."""
    card = {"name": "card", "kind": "stamps", "every": 100, "points": 5}
    api.put("/v1/loyalty/program", {"currency": "JPY", "earn": [card]})
    days = [*range(1, 10), 1, 2, 9]
    for number, day in enumerate(days):
        order = ORDER | {"placed_at": f"2026-11-{day:02d}T09:00:00Z"}
        assert api.put(f"/v1/orders/v{number}", order).status_code == 201
        heard(f"v{number}")
    stamps = _stamps()
    for number, day in enumerate(days):
        if day == 1:
            shop_refund = api.post(REFUNDS, {"order_id": f"v{number}"}, **key(f"f{number}"))
            assert shop_refund.status_code == 201

    assert (stamps, _stamps()) == (9, 8)


def _stamps() -> int:
    from chalicelib.loyalty import store

    return store.read_many(["u1"])[0].sums.get("stamp:card", 0)


def test_too_few_points_of_all_ids_move_nothing(shop: Any) -> None:
    for customer_id in ("u1", "u2"):
        shop.post("/v1/identify", {"userId": customer_id, "messageId": customer_id})
    shop.post("/v1/customers/u2/loyalty/accruals", {"points": 40, "reason": "x"}, **key("k2"))
    shop.post("/v1/customers/u1/merge", {"from": "u2", "reason": "same"}, **key("m1"))
    before = shop.get(U1).json_body
    refused = reserve(shop, 191)

    assert (refused.status_code, refused.json_body["active_points"]) == (409, 190)
    assert shop.get(U1).json_body == before
