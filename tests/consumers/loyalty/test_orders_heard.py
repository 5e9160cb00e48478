"""What happens to orders after they earned: they change, come back and are cancelled, told in any order and often."""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.loyalty import books, ordering, service, spending, store
from chalicelib.loyalty.schemas import BalanceAnswer, RedemptionRequest, RefundRequest
from chalicelib.orders import erasing
from chalicelib.orders import service as orders
from chalicelib.orders.schemas import OrderBody
from chalicelib.shared import clock
from tests.support.circuit import Circuit
from tests.support.members import JOINED, SPEND, put_program

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
TWO = [("a", 1, 1200), ("b", 2, 400)]  # (item, quantity, price)


@pytest.fixture(autouse=True)
def today(environment: None) -> None:
    clock.travel(NOW - datetime.now(UTC))


def put(
    lines: list[tuple[str, int, int]], *, total: int | None = None, order_id: str = "o1", **more: Any
) -> None:
    worth = sum(quantity * price for _, quantity, price in lines)
    body = {
        "customer_id": "u1",
        "placed_at": JOINED,
        "currency": "JPY",
        "total": worth if total is None else total,
        "lines": [
            {"line_id": f"l{item}", "item_id": item, "quantity": quantity, "price": price}
            for item, quantity, price in lines
        ],
    }
    orders.put(order_id, OrderBody.model_validate(body | more), if_match=None, now=NOW)


def placed(order_id: str = "o1", **data: Any) -> dict[str, Any]:
    return _fact("order.placed", _order(order_id) | data)


def changed(version: int, order_id: str = "o1", **data: Any) -> dict[str, Any]:
    return _fact("order.changed", _order(order_id) | {"version": version} | data)


def event(name: str, message: str = "m1", *, trusted: bool = True, **details: Any) -> dict[str, Any]:
    return _fact(
        "activity.recorded",
        {
            "entry_id": message, "customer_id": "u1", "anonymous_id": None, "kind": "x", "event": name, "channel": "web",
            "at": clock.to_text(NOW), "trusted": trusted, "item_ids": [], "details": details,
        },
    )  # fmt: skip


def refunded(message: str = "m1", order_id: str = "o1", **more: Any) -> dict[str, Any]:
    return event("Order Refunded", message, order_id=order_id, **({"currency": ""} | more))


def deliver(*facts: dict[str, Any]) -> list[str]:
    """Bring the facts, each alone; the places of those that failed."""
    from chalicelib.loyalty.handlers import loyalty_on_facts

    failed = []
    for place, fact in enumerate(facts):
        record = {"messageId": str(place), "body": json.dumps({"detail": fact})}
        failed += loyalty_on_facts({"Records": [record]}, None)["batchItemFailures"]
    return [each["itemIdentifier"] for each in failed]


def balance() -> BalanceAnswer:
    """The balance, which the entries add up to."""
    entries = store.entries("u1")
    assert books.rebuilt("u1", entries) == store.read_many(["u1"], consistent=True)[0]
    return service.balance("u1", now=NOW)


def points() -> int:
    found = balance()
    return found.active_points + found.pending_points - found.negative_points


def _order(order_id: str) -> dict[str, Any]:
    return {
        "order_id": order_id, "customer_id": "u1", "placed_at": clock.to_text(JOINED), "total": 2000, "currency": "JPY",
        "lines": [
            {"line_id": f"l{item}", "item_id": item, "quantity": quantity, "price": price}
            for item, quantity, price in TWO
        ],
    }  # fmt: skip


def _fact(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"{kind}:x",
        "type": kind,
        "subject": "customers/u1",
        "time": clock.to_text(NOW),
        "data": data,
    }


# --- orders that change


def test_an_order_that_shrinks_loses_what_it_no_longer_earns(aws: Any) -> None:
    put(TWO)
    deliver(placed())
    put([("a", 1, 1200)])

    assert points() == 20
    assert deliver(changed(2), changed(2)) == []

    assert points() == 12
    [change] = [each for each in store.entries("u1") if each.kind == "change"]
    assert (change.points, change.reason, change.rules[0].points) == (-8, "order changed", -8)


def test_an_order_that_grows_earns_more_and_counts_for_what_it_is(aws: Any) -> None:
    put_program(tiers={"levels": [{"name": "gold", "threshold": 2500}], "metric": "spend"})
    put(TWO)
    deliver(placed())
    assert balance().tier.name is None
    put([*TWO, ("c", 1, 700)])

    assert deliver(changed(2), changed(2), placed()) == []

    assert points() == 27
    assert (balance().tier.name, balance().lifetime_points) == ("gold", 27)
    put([("c", 1, 700)])
    deliver(changed(3))
    assert (points(), balance().tier.name) == (7, None)


def test_what_was_spent_already_is_owed(aws: Any) -> None:
    put(TWO)
    deliver(placed())
    spending.confirm(
        ["u1"],
        json.loads(spending.reserve(["u1"], RedemptionRequest(points=15), key="k", now=NOW, dry_run=False))["redemption_id"],
        spending.ConfirmRequest(),
        now=NOW,
        dry_run=False,
    )  # fmt: skip
    put([("b", 1, 400)])

    deliver(changed(2))

    assert (balance().active_points, balance().negative_points) == (0, 11)
    put([*TWO])
    deliver(changed(3))
    assert (balance().active_points, balance().negative_points) == (5, 0), "what comes later repays it"


def test_more_waits_like_the_rest_and_is_confirmed_with_it(aws: Any) -> None:
    put_program(pending_days=30)
    put(TWO)
    deliver(placed())
    put([*TWO, ("c", 1, 700)])
    deliver(changed(2))

    assert (balance().active_points, balance().pending_points) == (0, 27)
    later = JOINED + timedelta(days=30)
    assert service.balance("u1", now=later).active_points == 27


def test_a_change_is_heard_before_the_order(aws: Any) -> None:
    put(TWO)
    put([("a", 1, 1200)])

    assert deliver(changed(2), placed(), changed(2)) == []

    assert points() == 12


def test_a_change_of_a_change_and_back_again(aws: Any) -> None:
    put(TWO)
    deliver(placed())
    seen = []
    for version, lines in enumerate(([("a", 1, 1200)], TWO, [("a", 1, 1200)], TWO), start=2):
        put(lines)
        deliver(changed(version), changed(2), changed(version))
        seen.append(points())

    assert seen == [12, 20, 12, 20]


def test_a_version_that_was_overtaken_does_not_come_back(aws: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second version is being worked on when the third is put and counted."""
    put(TWO)
    deliver(placed())
    put([("a", 1, 1200)])
    commit, overtaken = store.commit, []

    def slow(operations: Any) -> None:
        if not overtaken:
            overtaken.append(True)
            put([("b", 1, 400)])
            assert deliver(changed(3)) == []
        commit(operations)

    monkeypatch.setattr(store, "commit", slow)
    assert deliver(changed(2)) == []

    assert points() == 4


def test_what_was_given_back_is_not_given_back_again_by_a_change(aws: Any) -> None:
    put(TWO)
    deliver(placed(), refunded(lines=[{"item_id": "a", "quantity": 1}]))
    assert points() == 8
    put([("a", 1, 1200), ("b", 1, 400)])

    deliver(changed(2))

    assert points() == 4, "the candle that was left off, and not the lamp that came back before"
    put(TWO)
    deliver(changed(3))
    assert points() == 8, "nor is what came back earned again"


def test_nothing_is_kept_by_changing_an_order_that_came_back(aws: Any) -> None:
    put(TWO)
    deliver(placed(), refunded())
    put([("a", 9, 1200)])

    deliver(changed(2))

    assert points() == 0


def test_a_change_gives_no_more_than_the_caps_leave(aws: Any) -> None:
    put_program(earn=[SPEND | {"cap": {"per_event": 22}}])
    put(TWO)
    deliver(placed())
    put([*TWO, ("c", 9, 700)])
    deliver(changed(2))
    assert points() == 22

    put_program(earn=[SPEND | {"cap": {"per_day": 30, "lifetime": 35}}])
    put(TWO, order_id="o2")
    deliver(placed("o2"))
    assert points() == 42
    put([*TWO, ("c", 9, 700)], order_id="o2")
    deliver(changed(2, "o2"))
    assert points() == 52, "30 a day"
    clock.travel(NOW + timedelta(days=1) - datetime.now(UTC))
    put([*TWO, ("c", 99, 700)], order_id="o2")
    deliver(changed(3, "o2"))
    assert points() == 52, "an order is given at one day, however often it changes"


def test_the_program_of_then_counts(aws: Any) -> None:
    put_program()
    put(TWO)
    deliver(placed())
    put_program(earn=[SPEND | {"points": 10}])
    put([*TWO, ("c", 1, 700)])

    deliver(changed(2))

    assert points() == 27


def test_the_stamp_goes_when_a_change_leaves_nothing(aws: Any) -> None:
    put_program(
        earn=[SPEND, {"name": "card", "kind": "stamps", "every": 2, "counts": "purchases", "points": 50}]
    )
    put(TWO, order_id="o0")
    deliver(placed("o0"))
    put(TWO)
    deliver(placed(), refunded(lines=[{"item_id": "a", "quantity": 1}]))
    assert points() == 20 + 8 + 50
    put([("a", 1, 1200)])

    deliver(changed(2), changed(2))

    assert points() == 20


def test_in_every_order_and_however_often_the_end_is_the_same(aws: Any) -> None:
    facts = [
        placed,
        lambda order_id: changed(2, order_id),
        lambda order_id: changed(3, order_id),
        lambda order_id: refunded(f"r1-{order_id}", order_id, lines=[{"item_id": "a", "quantity": 1}]),
        lambda order_id: refunded(f"r2-{order_id}", order_id, total=300, currency="JPY"),
    ]
    ends = []
    for number, told in enumerate(itertools.permutations(facts)):
        if number % 11:
            continue  # every eleventh of the 120
        order_id, before = f"o{number}", points()
        put(TWO, order_id=order_id)
        put([("b", 2, 400)], order_id=order_id)
        put([("a", 2, 1200), ("b", 2, 400)], order_id=order_id)
        twice = [each(order_id) for each in (*told, *random.Random(number).sample(told, 5))]
        assert deliver(*twice) == []
        ends.append(points() - before)

    assert ends == [17] * 11  # 1 lamp and 2 candles, less 300


def test_puts_and_facts_in_any_mixture_end_where_the_order_is(aws: Any) -> None:
    for seed in range(6):
        chance, order_id, before = random.Random(seed), f"o{seed}", points()
        put(TWO, order_id=order_id)
        told, version = [placed(order_id)], 1
        for _ in range(6):
            if chance.random() < 0.6:
                version += 1
                put([("a", chance.randint(1, 4), 1200), ("b", version, 400)], order_id=order_id)
                told.append(changed(version, order_id))
            deliver(*chance.choices(told, k=2))
        chance.shuffle(told)
        assert deliver(*told) == []

        order = orders.get(order_id)
        assert points() - before == order.total // 100, seed


def test_an_order_of_somebody_else_by_now_is_let_alone(aws: Any) -> None:
    put(TWO)

    assert deliver(changed(2, customer_id="u2"), changed(2, "never")) == []

    assert (store.entries("u1"), store.entries("u2")) == ([], [])


# --- what trusted events tell


def test_a_whole_refund_takes_all_once(aws: Any) -> None:
    put(TWO)
    assert deliver(placed(), refunded(), refunded(), refunded("m2")) == []
    assert points() == 0


@pytest.mark.parametrize(
    ("details", "left"),
    [
        ({"lines": [{"item_id": "b", "quantity": 1}]}, 16),
        ({"lines": [{"item_id": "b", "quantity": 99}]}, 12),
        ({"lines": [{"item_id": "a", "quantity": 1, "price": 1}, {"item_id": "b", "quantity": 2}]}, 0),
        ({"lines": [{"item_id": "unknown", "quantity": 1}]}, 20),
        ({"total": 500, "currency": "JPY"}, 15),
        ({"total": 2000, "currency": "JPY"}, 0),
        ({"total": 9999, "currency": "JPY"}, 0),
        ({"total": 0, "currency": "JPY"}, 20),
        ({"lines": [{"item_id": "a", "quantity": 1}], "total": 1200, "currency": "JPY"}, 8),
    ],
)
def test_a_refund_takes_what_it_names(aws: Any, details: dict[str, Any], left: int) -> None:
    put(TWO)
    assert deliver(placed(), refunded(**details), refunded(**details)) == []
    assert points() == left


def test_an_item_on_two_lines_comes_back_from_both(aws: Any) -> None:
    put([("a", 1, 1000), ("b", 1, 500)])
    body = {
        "customer_id": "u1", "placed_at": JOINED, "currency": "JPY", "total": 3000,
        "lines": [
            {"line_id": "x", "item_id": "a", "quantity": 1, "price": 1000},
            {"line_id": "y", "item_id": "a", "quantity": 2, "price": 1000},
        ],
    }  # fmt: skip
    orders.put("o2", OrderBody.model_validate(body), if_match=None, now=NOW)
    deliver(placed("o2"), refunded(order_id="o2", lines=[{"item_id": "a", "quantity": 2}]))

    assert points() == 10


def test_refunds_of_one_order_add_up_to_the_whole_and_never_more(aws: Any) -> None:
    put(TWO)
    deliver(placed())
    seen = []
    for number in range(6):
        assert deliver(refunded(f"m{number}", total=450, currency="JPY")) == []
        seen.append(points())

    assert seen == [15, 11, 6, 2, 0, 0]


def test_a_cancelled_order_keeps_nothing(aws: Any) -> None:
    put(TWO)
    cancelled = event("Order Cancelled", order_id="o1", total=5)

    assert deliver(placed(), cancelled, cancelled) == []
    assert points() == 0


def test_a_refund_comes_before_the_points(aws: Any) -> None:
    put(TWO)
    assert deliver(refunded(lines=[{"item_id": "a", "quantity": 1}]), placed()) == []
    assert points() == 8


def test_a_refund_of_an_order_nobody_knows_yet_comes_again(aws: Any) -> None:
    assert deliver(refunded(), event("Order Cancelled", "m2", order_id="o1")) == ["0", "1"]
    put(TWO)
    assert deliver(placed(), refunded()) == []
    assert points() == 0


def test_an_order_of_somebody_erased_comes_back_to_nobody(aws: Any) -> None:
    put(TWO)
    deliver(placed())
    service.erase(["u1"], [], now=NOW, pseudonym="erased:x")
    erasing.erase(["u1"], [], now=NOW, pseudonym="erased:x", final=True)

    assert deliver(refunded(), event("Order Cancelled", "m2", order_id="o1")) == []

    assert (store.entries("erased:x"), store.entries("u1")) == ([], [])


def test_another_currency_is_left_to_somebody_who_looks(aws: Any) -> None:
    put(TWO)
    assert deliver(placed(), refunded(total=500, currency="USD")) == ["1"]
    assert points() == 20


@pytest.mark.parametrize("name", ["Order Refunded", "Order Cancelled", "Store Visited"])
def test_what_a_browser_says_moves_no_points(aws: Any, name: str) -> None:
    put_program(earn=[SPEND, {"name": "card", "kind": "stamps", "every": 2, "points": 50}])
    put(TWO)
    deliver(placed())
    before = store.entries("u1")

    assert deliver(event(name, trusted=False, order_id="o1", store_id="ginza", currency="")) == []

    assert store.entries("u1") == before


def test_the_same_line_is_not_taken_by_the_api_and_by_an_event(aws: Any) -> None:
    put(TWO)
    deliver(placed())
    request = RefundRequest.model_validate({"order_id": "o1", "lines": [{"line_id": "la", "quantity": 1}]})
    ordering.refund(["u1"], request, key="k", now=NOW, dry_run=False)

    deliver(refunded(lines=[{"item_id": "a", "quantity": 1}]))

    assert points() == 8


def test_five_visits_are_a_full_card_each_counted_once(aws: Any) -> None:
    put_program(earn=[SPEND, {"name": "card", "kind": "stamps", "every": 3, "points": 200}])
    visits = []
    for day in range(3):
        at = clock.to_text(NOW + timedelta(days=day))
        for store_id in ("ginza", "ginza", "umeda") if day == 0 else ("ginza",):
            visit = event("Store Visited", f"v{len(visits)}", store_id=store_id)
            visit["data"]["at"] = at
            visits += [visit] * 3
    random.Random(4).shuffle(visits)

    assert deliver(*visits) == []

    assert points() == 200, "two stores on the first day, one on each of the others: four stamps"
    assert len(store.entries("u1")) == 4


def test_a_visit_of_nobody_counts_for_nobody(aws: Any) -> None:
    put_program(earn=[SPEND, {"name": "card", "kind": "stamps", "every": 2, "points": 200}])
    visit = event("Store Visited", store_id="ginza")
    visit["data"]["customer_id"] = None

    assert deliver(visit) == []


def test_a_purchase_in_a_store_is_the_days_visit_there(aws: Any) -> None:
    put_program(earn=[SPEND, {"name": "card", "kind": "stamps", "every": 2, "points": 200}])
    put(TWO, store_id="ginza", placed_at=NOW)
    deliver(placed(store_id="ginza", placed_at=clock.to_text(NOW)), event("Store Visited", store_id="ginza"))
    assert points() == 20

    deliver(event("Store Visited", "m2", store_id="umeda"))
    assert points() == 220


# --- through the whole service


def test_events_sent_by_a_shop_take_back_what_they_earned(aws: Any, api: Any) -> None:
    def send(name: str, message: str, *, key: str = "sk_test_local", **properties: Any) -> None:
        body = {"userId": "u1", "event": name, "messageId": message, "properties": properties}
        for _ in range(3):
            answer = api.request("POST", "/v1/track", body, **{"X-Api-Key": key})
            assert answer.status_code == 200, answer.body

    def line(quantity: int) -> dict[str, Any]:
        return {"product_id": "a", "quantity": quantity, "price": 1000}

    bought = {"order_id": "o1", "currency": "JPY", "total": 3000, "products": [line(3)], "store_id": "ginza"}
    with Circuit() as circuit:
        send("Order Completed", "e1", **bought)
        circuit.settle()
        assert (points(), orders.get("o1").store_id) == (30, "ginza")
        send("Order Refunded", "e0", key="pk_test_local", order_id="o1")
        send("Order Refunded", "e2", order_id="o1", products=[{"product_id": "a", "quantity": 1}])
        circuit.settle()
        assert points() == 20
        send("refund", "e3", transaction_id="o1", value=500, currency="JPY")  # in GA4's words
        circuit.settle()
        assert points() == 15
        send("Order Refunded", "e4", order_id="o1", value=200, currency="JPY")
        circuit.settle()
        assert points() == 13
        send("Order Cancelled", "e5", order_id="o1")
        circuit.settle()
        assert points() == 0
        assert circuit.dead == []


def test_a_put_is_followed_by_its_points(aws: Any) -> None:
    with Circuit() as circuit:
        put(TWO)
        put([("a", 1, 1200)])
        circuit.settle()
        assert points() == 12
        put(TWO)
        put(TWO, ship_to={"country": "JP"})
        circuit.settle()
        assert points() == 20
        assert circuit.dead == []
