"""The orders table: orders, each customer's history, parcels, and the events of each parcel.

`O#{order_id}`/`ORDER` and `SHIP#{shipment_id}`; `C#{customer_id}`/`O#{placed_at}#{order_id}`;
`S#{shipment_id}`/`HEAD` and `EV#{event key}`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.orders import mapping
from chalicelib.orders.model import SHIPMENTS_PER_ORDER_MAX, Order, PastOrder, Shipment, ShipmentEvent
from chalicelib.shared import ids
from chalicelib.shared.clock import to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, TransactionRefused, table, transact

NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"
EXPORT_MAX = 100_000  # orders of one customer
EVENTS_READ_MAX = 1000  # beyond what a parcel is allowed to have, also after lost races


class OrderMoved(Exception):
    """Somebody else's write, or our own whose reply was lost, came first: load again and see which."""


class ShipmentMoved(Exception):
    """The same for a parcel."""


# --- orders


def load_order(order_id: str) -> Order | None:
    """An order as it is this second. One trip; 1 read unit per 4 KB."""
    item = table("orders").get(*mapping.order_key(order_id), consistent=True)
    return mapping.to_order(item) if item else None


def commit_order(order: Order, *, seen: Order | None) -> None:
    """Write an order and its line of history, or neither; raises OrderMoved.

    One trip; 2 write units per KB of each.
    """
    orders = table("orders")
    condition, values = (AS_SEEN, {":seen": seen.version}) if seen else (NEW, None)
    operations = [
        orders.putting(mapping.of_order(order), condition=condition, values=values),
        orders.putting(mapping.of_history(order)),
    ]
    if seen and seen.placed_at != order.placed_at:
        operations.append(orders.deleting(*mapping.history_key(seen)))
    try:
        transact(operations)
    except TransactionRefused as refused:
        raise OrderMoved from refused


def save_orders(orders: Sequence[Order]) -> None:
    """Write orders and their history blindly. One trip per 12 orders."""
    table("orders").put_many(
        [item for order in orders for item in (mapping.of_order(order), mapping.of_history(order))]
    )


def history(customer_id: str, *, limit: int, before: str = "") -> list[tuple[str, PastOrder]]:
    """A customer's orders, newest first, each with its place in the list.

    One trip, consistent; 1 unit per 4 KB.
    """
    pk = mapping.customer_pk(customer_id)
    found = table("orders").query(
        pk, prefix=mapping.HISTORY_PREFIX, before=before, newest_first=True, limit=limit, consistent=True
    )
    return [(item["sk"], mapping.to_past_order(item)) for item in found]


def everything(customer_id: str) -> list[Item]:
    """A customer's lines of history as they are stored, oldest first. One trip per MB; 1 read unit per 4 KB."""
    pk = mapping.customer_pk(customer_id)
    return table("orders").query(pk, prefix=mapping.HISTORY_PREFIX, limit=EXPORT_MAX, consistent=True)


def hand_over(order: Order, anonymous: Order) -> None:
    """Write an order with its line of history under a pseudonym, and take its old line away; raises OrderMoved.

    One trip; 2 write units per KB of each.
    """
    orders = table("orders")
    try:
        transact(
            [
                orders.putting(
                    mapping.of_order(anonymous), condition=AS_SEEN, values={":seen": order.version}
                ),
                orders.putting(mapping.of_history(anonymous)),
                orders.deleting(*mapping.history_key(order)),
            ]
        )
    except TransactionRefused as refused:
        raise OrderMoved from refused


def forget_line(customer_id: str, sk: str) -> None:
    """Take one line of history away. One trip, 1 write unit."""
    table("orders").delete(mapping.customer_pk(customer_id), sk)


def histories(customer_ids: Sequence[str], *, limit: int, before: str = "") -> list[tuple[str, PastOrder]]:
    """The orders of several ids as one history. One trip for each."""
    found = [past for each in customer_ids for past in history(each, limit=limit, before=before)]
    return sorted(found, key=lambda past: past[0], reverse=True)[:limit]


# --- parcels


def forget_events(shipment_id: str) -> int:
    """Take away what carriers told of a parcel; returns how many events. Safe to break off and repeat."""
    pk, _ = mapping.head_key(shipment_id)
    found = table("orders").query(pk, prefix=mapping.EVENT_PREFIX, limit=EVENTS_READ_MAX, consistent=True)
    table("orders").delete_many((item["pk"], item["sk"]) for item in found)
    return len(found)


def load_order_and_shipment(order_id: str, shipment_id: str) -> tuple[Order | None, Shipment | None]:
    """Both in one trip, consistent."""
    keys = [mapping.order_key(order_id), mapping.head_key(shipment_id)]
    found = table("orders").get_many(keys, consistent=True)
    order, shipment = found.get(keys[0]), found.get(keys[1])
    return mapping.to_order(order) if order else None, mapping.to_shipment(shipment) if shipment else None


def load_shipment(shipment_id: str) -> Shipment | None:
    """A parcel and its head. One trip, 1 read unit."""
    item = table("orders").get(*mapping.head_key(shipment_id), consistent=True)
    return mapping.to_shipment(item) if item else None


def shipment_ids(order_id: str) -> list[str]:
    """The parcels of an order. One trip, consistent."""
    pk, _ = mapping.order_key(order_id)
    found = table("orders").query(
        pk, prefix=mapping.POINTER_PREFIX, limit=SHIPMENTS_PER_ORDER_MAX + 1, consistent=True
    )
    return [item["shipment_id"] for item in found]


def commit_shipment(shipment: Shipment, *, now: datetime) -> None:
    """Write a new parcel and its order's pointer to it; raises ShipmentMoved. One trip, 4 write units."""
    orders = table("orders")
    try:
        transact(
            [
                orders.putting(mapping.of_shipment(shipment), condition=NEW),
                orders.putting(mapping.of_pointer(shipment, now)),
            ]
        )
    except TransactionRefused as refused:
        raise ShipmentMoved from refused


def move_head(shipment: Shipment) -> None:
    """Write a parcel's next version; raises ShipmentMoved when the one before is not what stands there.

    One trip, 1 write unit.
    """
    try:
        table("orders").put(
            mapping.of_shipment(shipment), condition=AS_SEEN, values={":seen": shipment.version - 1}
        )
    except ConditionFailed as failed:
        raise ShipmentMoved from failed


# --- what happened to a parcel


def event_key(event: ShipmentEvent) -> str:
    """What makes two reports the same event, whoever sent them: what is said of which minute and place."""
    window = event.estimated
    return ids.fingerprint(
        event.status,
        event.raw_status,
        to_text(event.at)[:16],
        event.location,
        event.reason,
        f"{window.start}/{window.until}" if window else "",
        str(event.delayed),
        str(event.correction),
    )


def append_event(shipment_id: str, event: ShipmentEvent, *, now: datetime) -> bool:
    """Keep an event unless it is known by what it says; whether it was new. One trip, 1 write unit."""
    item = mapping.of_event(shipment_id, event_key(event), event, heard=ids.new(now))
    try:
        table("orders").put(item, condition=NEW)
    except ConditionFailed as failed:
        return failed.old == item  # the SDK may have sent ours twice, having lost the first reply
    return True


def load_events(shipment_id: str) -> list[ShipmentEvent]:
    """Every event of a parcel, once by id: of two with one id the one heard of first. Consistent; one trip.

    1 read unit per 4 KB, so about 15 for a full parcel.
    """
    pk, _ = mapping.head_key(shipment_id)
    found = table("orders").query(pk, prefix=mapping.EVENT_PREFIX, limit=EVENTS_READ_MAX, consistent=True)
    first: dict[str, ShipmentEvent] = {}
    for item in sorted(found, key=lambda item: str(item["heard"])):
        first.setdefault(item["event_id"], mapping.to_event(item))
    return list(first.values())


def tracked(shipment_id: str) -> tuple[Shipment, list[ShipmentEvent]] | None:
    """A parcel with its events by when they happened, None when there is none. Two trips."""
    shipment = load_shipment(shipment_id)
    if shipment is None:
        return None
    return shipment, sorted(load_events(shipment_id), key=lambda event: (event.at, event.event_id))
