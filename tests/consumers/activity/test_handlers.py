"""The timeline's handlers, imported alone as Lambda does."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from typing import Any

import pytest

AT = "2026-11-01T00:00:00.000Z"
FACTS: dict[str, dict[str, Any]] = {
    "order.placed": {
        "order_id": "o1",
        "customer_id": "u1",
        "placed_at": AT,
        "total": 3980,
        "currency": "JPY",
        "lines": [{"item_id": "a", "quantity": 2, "price": 1990}],
    },
    "shipment.status_changed": {
        "shipment_id": "s1",
        "order_id": "o1",
        "customer_id": "u1",
        "status": "in_transit",
        "attempt": 1,
        "at": AT,
        "carrier": "jp.yamato",
        "tracking_number": "123",
    },
    "loyalty.points_accrued": {
        "customer_id": "u1",
        "entry_id": "order:o1",
        "points": 39,
        "reason": "order",
        "active_points": 39,
    },
    "loyalty.points_confirmed": {"entry_id": "order:o1#confirm", "points": 38, "reason": "delivered"},
    "loyalty.points_redeemed": {"entry_id": "redemption:r1#done", "points": 37, "reason": "redemption"},
    "loyalty.points_reversed": {"entry_id": "order:o1#refund#k", "points": 36, "reason": "refund"},
    "loyalty.points_expiring": {
        "entry_id": "expiring:1",
        "points": 35,
        "reason": "expiring",
        "on": "2026-11-30",
    },
    "loyalty.points_expired": {"entry_id": "expire:1", "points": 34, "reason": "expire", "on": "2026-11-30"},
    "loyalty.tier_changed": {"customer_id": "u1", "entry_id": "tier:1", "tier": "gold", "until": "2027-11"},
    "message.sent": {
        "customer_id": "u1",
        "send_id": "s1",
        "template": "welcome",
        "message_class": "promotional",
        "channel": "email",
        "at": AT,
    },
}
for changed in [name for name in FACTS if name.startswith("loyalty.points_")]:
    FACTS[changed] = {"customer_id": "u1", "active_points": 39} | FACTS[changed]


def test_each_fact_is_one_entry_however_often_and_in_whatever_order(aws: Any) -> None:
    records = [record(fact_type, f"{fact_type}{copy}") for fact_type in FACTS for copy in range(5)]
    random.Random(7).shuffle(records)
    for start in range(0, len(records), 10):
        assert deliver(records[start : start + 10]) == {"batchItemFailures": []}

    titles = {(item.kind, item.channel, item.title) for item in shown()}
    assert titles == {
        ("order", "shop", "Ordered 2 items"),
        ("delivery", "shop", "Delivery: in transit"),
        ("points", "shop", "Earned 39 points"),
        ("points_confirmed", "shop", "38 points can be used now"),
        ("points_redeemed", "shop", "Used 37 points"),
        ("points_reversed", "shop", "36 points were taken back"),
        ("points_expiring", "shop", "35 points expire soon"),
        ("points_expired", "shop", "34 points expired"),
        ("tier", "shop", "Reached the tier gold"),
        ("message", "email", "Was sent welcome"),
    }
    assert len(shown()) == len(FACTS)
    assert all(item.trusted for item in shown())


@pytest.mark.parametrize("event_first", [True, False])
def test_an_order_told_by_an_event_and_by_its_record_is_one_entry(aws: Any, event_first: bool) -> None:
    from chalicelib.activity import service
    from chalicelib.activity.reading import Sending
    from chalicelib.shared import clock

    event = {
        "messageId": "m1",
        "userId": "u1",
        "event": "Order Completed",
        "properties": {"order_id": "o1", "currency": "JPY", "products": [{"product_id": "a", "price": 1990}]},
    }
    steps = [
        lambda: service.take_one(event, "track", Sending(trusted=True, now=clock.now())),
        lambda: deliver([record("order.placed", "m1")]),
    ]
    for step in steps if event_first else reversed(steps):
        step()

    assert [item.kind for item in shown()] == ["order"]


def test_a_poison_record_at_any_place_harms_nobody_else(aws: Any) -> None:
    order = FACTS["order.placed"]
    poisons = [
        "{",
        "[]",
        json.dumps({"detail": {}}),
        json.dumps({"detail": fact("order.placed", order | {"lines": 5})}),
        json.dumps({"detail": fact("order.forgotten", order)}),
        json.dumps({"detail": fact("order.placed", order | {"placed_at": "yesterday"})}),
        json.dumps({"detail": fact("order.placed", order) | {"hops": 6}}),
    ]
    for place in range(10):
        customer_id = f"c{place}"
        records = [
            record("order.placed", f"m{n}", order_id=f"p{place}-{n}", customer_id=customer_id)
            for n in range(10)
        ]
        records[place] = {"messageId": "poison", "body": poisons[place % len(poisons)]}

        assert deliver(records) == {"batchItemFailures": [{"itemIdentifier": "poison"}]}
        assert len(shown(customer_id)) == 9


def test_a_new_entry_is_told_with_everything_the_orders_need(aws: Any) -> None:
    from chalicelib.activity.schemas import OrderDetails
    from tests.support.embedded import Api

    event = {
        "messageId": "m1",
        "userId": "u1",
        "event": "Order Completed",
        "timestamp": AT,
        "properties": {
            "order_id": "o1",
            "currency": "USD",
            "products": [{"product_id": "a", "price": 19.9, "quantity": 2}],
        },
    }
    with Api() as api:
        api.post("/v1/track", event)
    [told] = relay([image("1", new=item) for item in stored()])

    assert told["id"] == f"activity.recorded:{shown()[0].id}"
    assert (told["type"], told["subject"], told["time"], told["hops"]) == (
        "activity.recorded",
        "customers/u1",
        AT,
        0,
    )
    data = told["data"]
    assert (data["event"], data["trusted"], data["item_ids"]) == ("Order Completed", True, ["a"])
    assert OrderDetails.model_validate(data["details"]).total == 3980


def test_what_came_of_a_fact_is_one_hop_further(aws: Any) -> None:
    deliver([record("order.placed", "m1")])

    assert [told["hops"] for told in relay([image("1", new=item) for item in stored()])] == [1]


def test_marks_history_and_endings_are_not_told(aws: Any) -> None:
    from dataclasses import replace

    from chalicelib.activity import service
    from chalicelib.activity.handlers import DRAFTS
    from chalicelib.shared import clock
    from chalicelib.shared.facts import Fact

    draft = DRAFTS["order.placed"](Fact.from_dict(fact("order.placed", FACTS["order.placed"])))
    service.import_entries([replace(draft, entry=replace(draft.entry, at=clock.now()))], now=clock.now())
    imported = stored()
    deliver([record("order.placed", "m1", order_id="o2")])
    [live] = [item for item in stored() if item not in imported]
    mark = {"pk": {"S": "MSG#0123456789abcdef01234567"}, "sk": {"S": "MSG"}, "ttl": {"N": "1"}}

    assert len(imported) == 1
    assert (
        relay(
            [
                image("1", new=imported[0]),
                image("2", new=mark),
                image("3", old=live),
                image("4", old=live, new=live),
            ]
        )
        == []
    )


def test_large_entries_leave_in_several_calls(aws: Any) -> None:
    """One call to the bus may carry 256 KB; ten entries of 32 KB are more."""
    from chalicelib.activity import service
    from chalicelib.activity.reading import Sending
    from chalicelib.shared import clock

    for number in range(12):
        event = {
            "messageId": f"m{number}",
            "userId": "u1",
            "event": "Sofa Measured",
            "properties": {f"text{part}": "x" * 9000 for part in range(3)},
        }
        service.take_one(event, "track", Sending(trusted=True, now=clock.now()))
    sizes: list[int] = []
    facts = relay([image(str(number), new=item) for number, item in enumerate(stored())], sizes)

    assert len(facts) == 12
    assert max(sizes) < 256 * 1024


def test_the_handlers_run_without_the_front_door() -> None:
    """Lambda imports the module alone; nothing may need app.py, the environment or AWS."""
    code = "import sys, chalicelib.activity.handlers as h; assert callable(h.activity_on_facts); assert 'app' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."}, timeout=60)


def fact(fact_type: str, data: dict[str, Any]) -> dict[str, Any]:
    cause = data.get("order_id", data.get("send_id", "x"))
    return {
        "id": f"{fact_type}:{cause}",
        "type": fact_type,
        "subject": "customers/u1",
        "time": AT,
        "data": data,
    }


def record(fact_type: str, message_id: str, **changed: Any) -> dict[str, Any]:
    return {
        "messageId": message_id,
        "body": json.dumps({"detail": fact(fact_type, FACTS[fact_type] | changed)}),
    }


def deliver(records: list[dict[str, Any]]) -> Any:
    from chalicelib.activity.handlers import activity_on_facts

    return activity_on_facts({"Records": records}, None)


def shown(customer_id: str = "u1") -> Any:
    from chalicelib.activity import service
    from chalicelib.activity.schemas import TimelineQuery
    from chalicelib.shared import clock

    return service.timeline(customer_id, TimelineQuery(), own=False, language="en", now=clock.now()).data


def stored() -> list[dict[str, Any]]:
    from chalicelib.shared.dynamo import pack_item, table

    return [pack_item(item) for item in table("activity").query("C#u1", prefix="E#")]


def image(sequence: str, old: Any = None, new: Any = None) -> dict[str, Any]:
    images = {name: image for name, image in (("OldImage", old), ("NewImage", new)) if image}
    return {"dynamodb": {"SequenceNumber": sequence, **images}}


def relay(records: list[dict[str, Any]], sizes: list[int] | None = None) -> list[dict[str, Any]]:
    from chalicelib.activity.handlers import activity_relay
    from chalicelib.shared import aws

    told: list[dict[str, Any]] = []

    def listen(params: dict[str, Any], **_: Any) -> None:
        told.extend(json.loads(entry["Detail"]) for entry in params["Entries"])
        if sizes is not None:
            sizes.append(sum(len(entry["Detail"].encode()) for entry in params["Entries"]))

    events = aws.client("events").meta.events
    events.register("provide-client-params.events.PutEvents", listen)
    try:
        assert activity_relay({"Records": records}, None) == {"batchItemFailures": []}
    finally:
        events.unregister("provide-client-params.events.PutEvents", listen)
    return told
