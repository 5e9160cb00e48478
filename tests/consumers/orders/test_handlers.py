"""The orders room's handlers, imported alone as Lambda does."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.orders import mapping, reads, rules
from chalicelib.orders.model import Order, OrderLine, Shipment, ShipmentEvent, ShipTo, Status
from chalicelib.shared import aws as clients
from chalicelib.shared.dynamo import pack_item

AT = "2026-11-01T09:00:00.000Z"
NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)


def completed(order_id: str = "o1", **changes: Any) -> dict[str, Any]:
    data = {
        "entry_id": "e1",
        "customer_id": "u1",
        "anonymous_id": None,
        "kind": "order",
        "event": "Order Completed",
        "channel": "web",
        "at": AT,
        "trusted": True,
        "item_ids": ["85123A"],
        "details": {
            "order_id": order_id,
            "currency": "JPY",
            "total": 3980,
            "lines": [{"item_id": "85123A", "quantity": 2, "price": 1990}],
        },
    } | changes
    return {
        "id": f"f-{order_id}",
        "type": "activity.recorded",
        "subject": "customers/u1",
        "time": AT,
        "data": data,
    }


def deliver(*facts: dict[str, Any]) -> list[str]:
    """The facts that have to come again, by id."""
    from chalicelib.orders.handlers import orders_on_facts

    records = [
        {"messageId": str(place), "body": json.dumps({"detail": fact})} for place, fact in enumerate(facts)
    ]
    answer = orders_on_facts({"Records": records}, None)
    return [facts[int(failure["itemIdentifier"])]["id"] for failure in answer["batchItemFailures"]]


def test_a_trusted_completed_order_becomes_an_order_once(aws: Any) -> None:
    facts = [completed(f"o{number}") for number in range(3)] * 3
    random.Random(3).shuffle(facts)

    assert deliver(*facts) == []

    assert {past.order_id for past in reads.newest("u1")} == {"o0", "o1", "o2"}
    order = reads.order("o1")
    assert order == Order("o1", "u1", NOW, "JPY", 3980, (OrderLine("1", "85123A", 2, 1990),), source="event")


@pytest.mark.parametrize("changes", [{"trusted": False}, {"customer_id": None}, {"event": "Product Viewed"}])
def test_what_is_no_fact_about_a_customers_order_makes_none(aws: Any, changes: dict[str, Any]) -> None:
    assert deliver(completed(**changes)) == []
    assert reads.order("o1") is None


def test_a_poison_fact_harms_nobody_else(aws: Any) -> None:
    poison = completed("poison") | {"data": {"nothing": "of use"}}

    assert deliver(completed("o1"), poison, completed("o2")) == ["f-poison"]
    assert {past.order_id for past in reads.newest("u1")} == {"o1", "o2"}


def relayed(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[dict[str, Any]]:
    """What the relay puts on the bus for one change."""
    from chalicelib.orders.handlers import orders_relay

    published: list[dict[str, Any]] = []
    events = clients.client("events").meta.events

    def seen(params: dict[str, Any], **_: Any) -> None:
        published.extend(json.loads(each["Detail"]) for each in params["Entries"])

    events.register("provide-client-params.events.PutEvents", seen)
    images = {name: pack_item(item) for name, item in (("OldImage", old), ("NewImage", new)) if item}
    record = {"dynamodb": {"SequenceNumber": "1", **images}}
    assert orders_relay({"Records": [record]}, None) == {"batchItemFailures": []}
    events.unregister("provide-client-params.events.PutEvents", seen)
    return published


ORDER = Order("o1", "u1", NOW, "JPY", 3980, (OrderLine("1", "85123A", 2, 1990),))


@pytest.mark.parametrize("imported", [False, True])
def test_a_new_order_is_told_once_in_its_life(aws: Any, imported: bool) -> None:
    item = mapping.of_order(replace(ORDER, imported=imported, store_id="ginza"))

    [fact] = relayed(None, item)

    assert (fact["id"], fact["type"], fact["subject"]) == ("order.placed:o1", "order.placed", "customers/u1")
    assert fact["data"] == {
        "order_id": "o1",
        "customer_id": "u1",
        "placed_at": AT,
        "total": 3980,
        "currency": "JPY",
        "lines": [{"line_id": "1", "item_id": "85123A", "quantity": 2, "price": 1990}],
        "store_id": "ginza",
        "imported": imported,
    }
    assert relayed(item, None) == []
    assert relayed(None, mapping.of_history(ORDER)) == []


@pytest.mark.parametrize(
    "change",
    [
        {"total": 1990},
        {"lines": (OrderLine("1", "85123A", 1, 1990),)},
        {"lines": (OrderLine("1", "85123A", 2, 995),)},
        {"lines": (OrderLine("1", "OTHER", 2, 1990),)},
        {"lines": (*ORDER.lines, OrderLine("2", "OTHER", 1, 0))},
    ],
)
def test_an_order_that_is_another_purchase_is_told_with_its_version(aws: Any, change: dict[str, Any]) -> None:
    after = replace(ORDER, version=7, **change)

    [fact] = relayed(mapping.of_order(ORDER), mapping.of_order(after))

    assert (fact["id"], fact["type"]) == ("order.changed:o1#7", "order.changed")
    assert (fact["data"]["version"], fact["data"]["total"]) == (7, after.total)
    assert [line["item_id"] for line in fact["data"]["lines"]] == [line.item_id for line in after.lines]


@pytest.mark.parametrize(
    "change",
    [
        {"discount": 5},
        {"ship_to": ShipTo("JP")},
        {"store_id": "ginza"},
        {"lines": (OrderLine("1", "85123A", 2, 1990, gift=True),)},
        {"customer_id": "erased:x", "total": 1},
    ],
)
def test_what_does_not_change_the_purchase_is_told_to_nobody(aws: Any, change: dict[str, Any]) -> None:
    assert relayed(mapping.of_order(ORDER), mapping.of_order(replace(ORDER, version=2, **change))) == []


def test_a_store_of_an_event_is_the_orders(aws: Any) -> None:
    fact = completed("o1")
    fact["data"]["details"]["store_id"] = "ginza"

    assert deliver(fact) == []

    order = reads.order("o1")
    assert order is not None
    assert order.store_id == "ginza"


def test_a_new_parcel_and_its_events_are_told_to_nobody(aws: Any) -> None:
    parcel = Shipment("s1", "o1", "u1", "jp.yamato", "1234")

    assert relayed(None, mapping.of_shipment(parcel)) == []
    assert relayed(None, mapping.of_pointer(parcel, NOW)) == []
    assert relayed(None, mapping.of_event("s1", "k", event(1, "delivered"), heard="01")) == []


def event(number: int, status: str) -> ShipmentEvent:
    return ShipmentEvent(f"e{number}", Status(status), NOW.replace(hour=number))


WAY = ("label_created", "in_transit", "out_for_delivery", "attempt_failed", "out_for_delivery", "delivered")
STORY = [event(place, status) for place, status in enumerate(WAY, start=1)]


def test_a_parcels_entries_into_statuses_are_told_however_its_events_arrive(aws: Any) -> None:
    for seed in range(8):
        arriving = [*STORY, *STORY, *STORY]
        random.Random(seed).shuffle(arriving)
        heads = [rules.fold(list(dict.fromkeys(arriving[:count]))) for count in range(len(arriving) + 1)]
        parcels = [
            Shipment("s1", "o1", "u1", "jp.yamato", "1234", head=head, version=place)
            for place, head in enumerate(heads)
        ]
        told = [
            fact
            for old, new in itertools.pairwise(parcels)
            if old.head != new.head
            for fact in relayed(mapping.of_shipment(old), mapping.of_shipment(new))
        ]

        assert [fact["data"]["status"] for fact in told].count("delivered") == 1
        assert told[-1]["data"]["status"] == "delivered"
        assert len({fact["id"] for fact in told}) == len(told)


def test_a_status_fact_says_all_that_a_mail_needs(aws: Any) -> None:
    before = Shipment("s1", "o1", "u1", "jp.yamato", "1234")
    [fact] = relayed(
        mapping.of_shipment(before), mapping.of_shipment(replace(before, head=rules.fold(STORY), version=2))
    )

    assert fact["id"] == "shipment.status_changed:s1:2:delivered"
    assert fact["data"] == {
        "shipment_id": "s1",
        "order_id": "o1",
        "customer_id": "u1",
        "status": "delivered",
        "attempt": 2,
        "at": "2026-11-01T06:00:00.000Z",
        "carrier": "jp.yamato",
        "tracking_number": "1234",
        "estimated_from": None,
        "estimated_until": None,
    }


def test_the_handlers_run_without_the_front_door() -> None:
    code = (
        "import sys, chalicelib.orders.handlers as h; assert callable(h.orders_on_facts);"
        "assert 'app' not in sys.modules and 'jinja2' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": "."}, timeout=60)
