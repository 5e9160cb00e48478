"""What each operation may cost: DynamoDB calls, rounds of them, read and write units. Asserted in the tests, printed by `make bench`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.meter import Meter
from chalicelib.shared import aws
from chalicelib.shared.ids import fingerprint
from infrastructure.tables import TABLES

INDEXED = frozenset(each.name for each in TABLES if each.index)
Door = Any  # tests.support.embedded.Api: the app's HTTP door


@dataclass(frozen=True)
class Operation:
    """One operation: what stands before it, what is measured, and what it may cost."""

    name: str
    before: Callable[[Door], Any]
    measured: Callable[[Door], Any]
    calls: int
    read_units: float
    write_units: float
    rounds: int | None = None  # of calls that wait for one another; None where nothing is promised

    def allowed(self, rounds: int) -> tuple[float, ...]:
        """Rounds, calls, read and write units as they may be; `rounds` is what was measured."""
        return self.rounds or rounds, self.calls, self.read_units, self.write_units


def table_of_costs() -> str:
    """The budgets as the Markdown table that docs/data-model.md shows."""
    lines = ["| operation | rounds | calls | read units | write units |", "|---|---|---|---|---|"]
    lines += [
        f"| {each.name} | {each.rounds or ''} | {each.calls} | {each.read_units:g} | {each.write_units:g} |"
        for each in OPERATIONS
    ]
    return "\n".join(lines)


def measure(operation: Operation, door: Door) -> Meter:
    """Run one operation on an empty embedded AWS and count."""
    operation.before(door)
    with metered() as meter:
        operation.measured(door)
    return meter


@contextmanager
def metered() -> Iterator[Meter]:
    """Count what the service's own DynamoDB client does inside the block."""
    meter = Meter(INDEXED).attach(aws.client("dynamodb"))
    try:
        with meter.rounds.followed():
            yield meter
    finally:
        meter.detach()


def _call(
    method: str, path: str, body: Any = None, *, key: str = "", expect: int = 200
) -> Callable[[Door], None]:
    def call(door: Door) -> None:
        more = {"Idempotency-Key": key} if key else {}
        answer = door.request(method, path, body, **more)
        assert answer.status_code == expect, (path, answer.status_code, answer.body)

    return call


def _all(*steps: Callable[[Door], None]) -> Callable[[Door], None]:
    def run(door: Door) -> None:
        for step in steps:
            step(door)

    return run


def _nothing(door: Door) -> None:
    """An empty shop."""


TRACK = {
    "type": "track", "messageId": "m1", "userId": "u1", "event": "Product Viewed", "timestamp": "2026-11-01T09:00:00Z",
    "properties": {"product_id": "85123A", "name": "WHITE HANGING HEART T-LIGHT HOLDER", "price": 2.95, "currency": "GBP"},
}  # fmt: skip
IDENTIFY = {
    "type": "identify", "messageId": "m2", "userId": "u1", "anonymousId": "a1", "timestamp": "2026-11-01T09:00:00Z",
    "traits": {"email": "hana@example.com", "firstName": "Hana"},
}  # fmt: skip
ITEM = {"kind": "product", "title": "WHITE HANGING HEART", "price": {"amount": 295, "currency": "GBP"}}
ORDER = {
    "customer_id": "u1", "placed_at": "2026-11-01T09:00:00Z", "currency": "GBP", "total": 590,
    "lines": [{"line_id": "1", "item_id": "85123A", "quantity": 2, "price": 295}],
}  # fmt: skip
RULE = {
    "trait": "diet", "value": "vegetarian", "among": {"categories": ["grocery"]},
    "support": {"orders_at_least": 8, "no_item_of": ["meat", "fish"]},
}  # fmt: skip
SPENT = {"event": "Order Completed", "aggregate": "sum", "property": "total", "within": "P30D"}
SHIPMENT = {"shipment_id": "s1", "carrier": "jp.yamato", "tracking_number": "123456789012", "line_ids": ["1"]}
SCAN = {"event_id": "e1", "status": "in_transit", "at": "2026-11-02T09:00:00Z"}
PROGRAM = {
    "currency": "GBP", "earn": [{"name": "spend", "kind": "amount", "points": 1, "per_amount": 100}], "pending_days": 14,
    "tiers": {"levels": [{"name": "gold", "threshold": 5}]},
}  # fmt: skip
OFFERING = PROGRAM | {
    "rewards": [{"reward_id": "r", "title": "5% off", "title_ja": "5%", "points": 100, "percent_off": 5, "in_total": 9}],
    "price_downs": {"min_purchases": 2, "within_days": 60, "percent_off": 15},
    "incentive": {"min_intent": 1, "levels": [{"amount": 50}]},
    "referral": {"points": 300, "friend_points": 200},
}  # fmt: skip
CART = {"currency": "GBP", "lines": [{"item_id": "85123A", "quantity": 2, "price": 295}]}
REDEMPTION = fingerprint("u1", "r1")[:26]
REFUND = {"order_id": "o1", "lines": [{"item_id": "85123A", "quantity": 1}], "reason": "damaged"}


def earn(_: Door) -> None:
    """The ledger hears of the order."""
    from chalicelib.loyalty.handlers import loyalty_on_facts

    detail = {
        "id": "order.placed:o1", "type": "order.placed", "subject": "customers/u1", "time": ORDER["placed_at"],
        "data": ORDER | {"order_id": "o1"},
    }  # fmt: skip
    record = {"messageId": "m1", "body": json.dumps({"detail": detail})}
    assert loyalty_on_facts({"Records": [record]}, None) == {"batchItemFailures": []}


def code(door: Door) -> None:
    """A customer's code for friends, kept for whoever comes by it."""
    door.code = door.post("/v1/customers/u9/loyalty/referral-code").json_body["code"]


def refer(door: Door) -> None:
    """A friend comes by it."""
    answer = door.post("/v1/loyalty/referrals", {"code": door.code, "customer_id": "u1"})
    assert answer.status_code == 201, answer.body


accrue = _call(
    "POST", "/v1/customers/u1/loyalty/accruals", {"points": 120, "reason": "survey"}, key="k1", expect=201
)
earlier = _call(
    "POST", "/v1/customers/u1/loyalty/accruals", {"points": 5, "reason": "survey"}, key="k0", expect=201
)
balance = _call("GET", "/v1/customers/u1/loyalty")
entries = _call("GET", "/v1/customers/u1/loyalty/entries")
program = _call("PUT", "/v1/loyalty/program", PROGRAM)
reserve = _call("POST", "/v1/customers/u1/loyalty/redemptions", {"points": 100}, key="r1", expect=201)
confirm = _call("POST", f"/v1/customers/u1/loyalty/redemptions/{REDEMPTION}/confirm", {})
release = _call("POST", f"/v1/customers/u1/loyalty/redemptions/{REDEMPTION}/release")
refund = _call("POST", "/v1/customers/u1/loyalty/refunds", REFUND, key="f1", expect=201)
quote = _call(
    "POST",
    "/v1/loyalty/quotes",
    {"currency": "GBP", "lines": [{"item_id": "85123A", "quantity": 2, "price": 295}]},
)
offering = _call("PUT", "/v1/loyalty/program", OFFERING)
take = _call("POST", "/v1/customers/u1/loyalty/redemptions", {"reward_id": "r"}, key="r1", expect=201)
make_offers = _call("POST", "/v1/customers/u1/loyalty/offers?now=2026-11-02T09:00:00Z")
incentive = _call("POST", "/v1/customers/u1/loyalty/incentives?now=2026-11-01T09:30:00Z", CART)
note = _call("POST", "/v1/customers/u1/notes", {"text": "likes the sea"}, key="n1", expect=201)
complain = _call("POST", "/v1/customers/u1/complaints", {"text": "It came broken."}, key="c1", expect=201)
watch = _call("PUT", "/v1/customers/u1/watchlist/85123A")
watchlist = _call("GET", "/v1/customers/u1/watchlist")
put_project = _call("PUT", "/v1/customers/u1/projects/p1", {"title": "cellar"}, expect=201)
track = _call("POST", "/v1/track", TRACK)
identify = _call("POST", "/v1/identify", IDENTIFY)
named = _call("POST", "/v1/identify", IDENTIFY | {"anonymousId": None})
timeline = _call("GET", "/v1/customers/u1/timeline")
customer = _call("GET", "/v1/customers/u1")
traits = _call("GET", "/v1/customers/u1/traits")
erase = _call("DELETE", "/v1/customers/u1", expect=202)
export = _call("POST", "/v1/customers/u1/export", key="e1", expect=202)
rule = _call("PUT", "/v1/inference-rules/vegetarian", RULE)
spent = _call("PUT", "/v1/computed-traits/spent", SPENT)
merge = _call("POST", "/v1/customers/u1/merge", {"from": "u2", "reason": "same person"}, key="m1", expect=201)
unmerge = _call("POST", "/v1/merges/5711a8ee0dfa973f6b4552c07d39b47f/undo")
find = _call("GET", "/v1/customers?email=hana@example.com")
other = _call("POST", "/v1/identify", IDENTIFY | {"messageId": "m3", "userId": "u2", "anonymousId": None})
put_item = _call("PUT", "/v1/items/85123A", ITEM, expect=201)
get_item = _call("GET", "/v1/items/85123A")
put_order = _call("PUT", "/v1/orders/o1", ORDER, expect=201)
put_another = _call("PUT", "/v1/orders/o2", ORDER, expect=201)
get_order = _call("GET", "/v1/orders/o1")
ship = _call("POST", "/v1/orders/o1/shipments", SHIPMENT, expect=201)
scan = _call("POST", "/v1/shipments/s1/events", SCAN)
define = _call(
    "PUT",
    "/v1/profile-questions/pet",
    {"text": "Which pet?", "kind": "text", "trait": "pet", "purpose": "what fits", "reward": {"points": 50}},
)
ask = _call("GET", "/v1/profile-questions?customer_id=u1")
answer = _call("POST", "/v1/profile-answers", {"customer_id": "u1", "answers": {"pet": "dog"}})
visitor_answer = _call("POST", "/v1/profile-answers", {"anonymous_id": "a1", "answers": {"pet": "dog"}})
rank = _call("POST", "/v1/recommendations/rank", {"customer_id": "u1", "item_ids": ["85123A", "unknown"]})
for_you = _call("GET", "/v1/recommendations/for_you?customer_id=u1")

rich = _all(named, accrue)  # somebody known, with points
richer = _all(named, earlier)
OPERATIONS = [
    Operation("event: accept", _nothing, track, calls=3, read_units=0.5, write_units=2),
    Operation("event: the same again", track, track, calls=3, read_units=0.5, write_units=2),
    Operation("event: identify somebody new", _nothing, identify, calls=5, read_units=4, write_units=10),
    Operation(
        "timeline: a page", _all(identify, track), timeline, calls=5, read_units=5.5, write_units=0, rounds=3
    ),
    Operation("customer: read", named, customer, calls=5, read_units=10, write_units=0, rounds=1),
    Operation(
        "customer: read, with a device", identify, customer, calls=6, read_units=11, write_units=0, rounds=2
    ),
    Operation("customer: find by e-mail", identify, find, calls=3, read_units=3, write_units=0),
    Operation("customer: merge", _all(identify, other), merge, calls=3, read_units=7, write_units=18),
    Operation(
        "customer: undo a merge",
        _all(identify, other, merge),
        unmerge,
        calls=4,
        read_units=8,
        write_units=14,
    ),
    Operation(
        "customer: read, two ids merged",
        _all(named, other, merge),
        customer,
        calls=10,
        read_units=17,
        write_units=0,
        rounds=2,
    ),
    Operation(
        "customer: read, with facts",
        _all(named, put_item, put_order, rule, spent),
        customer,
        calls=6,
        read_units=10.5,
        write_units=0,
        rounds=2,
    ),
    Operation(
        "traits: read, with facts",
        _all(named, put_item, put_order, rule, spent),
        traits,
        calls=7,
        read_units=7.5,
        write_units=0,
        rounds=2,
    ),
    Operation("traits: define a rule", spent, rule, calls=2, read_units=1, write_units=1),
    Operation("note: add", identify, note, calls=5, read_units=2.5, write_units=6),
    Operation("watchlist: put an item", identify, watch, calls=8, read_units=6.5, write_units=3),
    Operation("watchlist: read", _all(identify, watch), watchlist, calls=3, read_units=5, write_units=0),
    Operation("project: make", identify, put_project, calls=7, read_units=4.5, write_units=3),
    Operation("complaint: open", identify, complain, calls=5, read_units=2.5, write_units=6),
    Operation("erasure: ask", identify, erase, calls=10, read_units=10, write_units=21),
    Operation("erasure: ask again", _all(identify, erase), erase, calls=1, read_units=1, write_units=0),
    Operation("export: ask", identify, export, calls=2, read_units=0.5, write_units=4),
    Operation("item: put", _nothing, put_item, calls=2, read_units=1, write_units=2),
    Operation("item: read", put_item, get_item, calls=1, read_units=1, write_units=0),
    Operation("order: put", _nothing, put_order, calls=3, read_units=1.5, write_units=4),
    Operation("order: read", put_order, get_order, calls=1, read_units=1, write_units=0),
    Operation("shipment: add", put_order, ship, calls=3, read_units=3, write_units=4),
    Operation("shipment: one scan", _all(put_order, ship), scan, calls=4, read_units=2, write_units=2),
    Operation("points: accrue", richer, accrue, calls=4, read_units=3, write_units=4),
    Operation("points: the same accrual again", rich, accrue, calls=3, read_units=3, write_units=0),
    Operation("points: an order's", _all(program, richer), earn, calls=6, read_units=5, write_units=4),
    Operation(
        "points: the same order again", _all(program, earn), earn, calls=3, read_units=3, write_units=0
    ),
    Operation("points: balance", rich, balance, calls=2, read_units=3, write_units=0),
    Operation("points: entries", rich, entries, calls=2, read_units=2.5, write_units=0),
    Operation("points: reserve", rich, reserve, calls=5, read_units=5, write_units=4),
    Operation(
        "points: confirm a redemption", _all(rich, reserve), confirm, calls=6, read_units=7, write_units=4
    ),
    Operation(
        "points: release a redemption", _all(rich, reserve), release, calls=6, read_units=7, write_units=4
    ),
    Operation("points: refund", _all(program, put_order, earn), refund, calls=8, read_units=8, write_units=4),
    Operation("points: quote a cart", program, quote, calls=1, read_units=0.5, write_units=0),
    Operation(
        "points: confirm a reward",
        _all(offering, rich, take),
        confirm,
        calls=7,
        read_units=8,
        write_units=10,
    ),
    Operation(
        "offers: make",
        _all(offering, put_item, put_order, put_another),
        make_offers,
        calls=9,
        read_units=8.5,
        write_units=6,
    ),
    Operation(
        "offers: an incentive", _all(offering, track), incentive, calls=8, read_units=7.5, write_units=6
    ),
    Operation(
        "referral: come by a code", _all(offering, code), refer, calls=11, read_units=11.5, write_units=6
    ),
    Operation("questions: ask", _all(identify, define), ask, calls=4, read_units=6, write_units=0),
    Operation(
        "questions: answer, with points",
        _all(identify, define, earlier),
        answer,
        calls=12,
        read_units=11,
        write_units=8,
    ),
    Operation(
        "questions: the same answer again",
        _all(identify, define, answer),
        answer,
        calls=3,
        read_units=6,
        write_units=0,
    ),
    Operation("questions: answer as a visitor", define, visitor_answer, calls=4, read_units=4, write_units=1),
    Operation(
        "recommend: rank a list",
        _all(put_item, put_order),
        rank,
        calls=8,
        read_units=9.5,
        write_units=0,
        rounds=3,
    ),
    Operation("recommend: for you", _all(put_item, put_order), for_you, calls=9, read_units=9, write_units=0),
]
