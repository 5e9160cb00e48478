"""Orders, parcels and their events as items of the orders table, and back."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from chalicelib.orders.model import (
    Head,
    Order,
    OrderLine,
    PastOrder,
    Shipment,
    ShipmentEvent,
    ShipTo,
    Status,
    Window,
)
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import Item

ORDER = "ORDER"
HEAD = "HEAD"
HISTORY_PREFIX = "O#"
POINTER_PREFIX = "SHIP#"
EVENT_PREFIX = "EV#"


def order_key(order_id: str) -> tuple[str, str]:
    """Where an order is."""
    return f"O#{order_id}", ORDER


def customer_pk(customer_id: str) -> str:
    """The partition of a customer's history."""
    return f"C#{customer_id}"


def history_key(order: Order) -> tuple[str, str]:
    """Where an order's line of its customer's history is: sorted by when it was placed."""
    return customer_pk(order.customer_id), f"{HISTORY_PREFIX}{to_text(order.placed_at)}#{order.order_id}"


def head_key(shipment_id: str) -> tuple[str, str]:
    """Where a parcel's head is; its events share the partition."""
    return f"S#{shipment_id}", HEAD


def of_order(order: Order) -> Item:
    """What is left out is the default, which keeps a plain order below 1 KB."""
    pk, sk = order_key(order.order_id)
    item: Item = {
        "pk": pk,
        "sk": sk,
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "placed_at": to_text(order.placed_at),
        "currency": order.currency,
        "total": order.total,
        "discount": order.discount,
        "tax": order.tax,
        "shipping_cost": order.shipping_cost,
        "lines": [_of_line(line) for line in order.lines],
        "source": order.source,
        "imported": order.imported,
        "version": order.version,
    }
    if order.promised:
        item["promised"] = _of_window(order.promised)
    if order.ship_to:
        item["ship_to"] = {"country": order.ship_to.country, "postal_code": order.ship_to.postal_code}
    if order.gift:
        item["gift"] = True
    if order.store_id:
        item["store_id"] = order.store_id
    return item


def to_order(item: Item) -> Order:
    """The inverse of `of_order`."""
    ship_to = item.get("ship_to")
    return Order(
        order_id=item["order_id"],
        customer_id=item["customer_id"],
        placed_at=from_text(item["placed_at"]),
        currency=item["currency"],
        total=item["total"],
        lines=tuple(OrderLine(**line) for line in item["lines"]),
        discount=item["discount"],
        tax=item["tax"],
        shipping_cost=item["shipping_cost"],
        promised=_to_window(item.get("promised")),
        ship_to=ShipTo(ship_to["country"], ship_to["postal_code"]) if ship_to else None,
        source=item["source"],
        imported=item["imported"],
        version=item["version"],
        gift=item.get("gift", False),
        store_id=item.get("store_id", ""),
    )


def of_history(order: Order) -> Item:
    """What a customer's history keeps of an order: enough to recommend from and to list."""
    pk, sk = history_key(order)
    item: Item = {
        "pk": pk,
        "sk": sk,
        "order_id": order.order_id,
        "placed_at": to_text(order.placed_at),
        "total": order.total,
        "currency": order.currency,
        "lines": [[line.item_id, line.quantity] for line in order.lines],
    }
    gifts = _only_gifts(order)
    return item | ({"gifts": gifts} if gifts else {})


def to_past_order(item: Item) -> PastOrder:
    """The inverse of `of_history`."""
    return PastOrder(
        order_id=item["order_id"],
        placed_at=from_text(item["placed_at"]),
        lines=tuple((item_id, quantity) for item_id, quantity in item["lines"]),
        total=item["total"],
        currency=item["currency"],
        gift_item_ids=tuple(item.get("gifts", ())),
    )


def of_shipment(shipment: Shipment) -> Item:
    """A parcel with its head, below 1 KB."""
    pk, sk = head_key(shipment.shipment_id)
    head = shipment.head
    return {
        "pk": pk,
        "sk": sk,
        "shipment_id": shipment.shipment_id,
        "order_id": shipment.order_id,
        "customer_id": shipment.customer_id,
        "carrier": shipment.carrier,
        "tracking_number": shipment.tracking_number,
        "line_ids": list(shipment.line_ids),
        "status": head.status.value,
        "attempt": head.attempt,
        "since": to_text(head.since) if head.since else None,
        "estimated": _of_window(head.estimated),
        "flags": list(head.flags),
        "is_full": head.is_full,
        "version": shipment.version,
    }


def to_shipment(item: Item) -> Shipment:
    """The inverse of `of_shipment`."""
    return Shipment(
        shipment_id=item["shipment_id"],
        order_id=item["order_id"],
        customer_id=item["customer_id"],
        carrier=item["carrier"],
        tracking_number=item["tracking_number"],
        line_ids=tuple(item["line_ids"]),
        head=Head(
            status=Status(item["status"]),
            attempt=item["attempt"],
            since=from_text(item["since"]) if item["since"] else None,
            estimated=_to_window(item["estimated"]),
            flags=tuple(item["flags"]),
            is_full=item["is_full"],
        ),
        version=item["version"],
    )


def of_pointer(shipment: Shipment, now: datetime) -> Item:
    """What leads from an order to its parcel."""
    pk, _ = order_key(shipment.order_id)
    return {
        "pk": pk,
        "sk": f"{POINTER_PREFIX}{shipment.shipment_id}",
        "shipment_id": shipment.shipment_id,
        "created_at": to_text(now),
    }


def of_event(shipment_id: str, event_key: str, event: ShipmentEvent, *, heard: str) -> Item:
    """`heard` is a ULID: when we heard of it, and which of two reports this is."""
    pk, _ = head_key(shipment_id)
    return {
        "pk": pk,
        "sk": f"{EVENT_PREFIX}{event_key}",
        "event_id": event.event_id,
        "status": event.status.value,
        "at": to_text(event.at),
        "raw_status": event.raw_status,
        "location": event.location,
        "reason": event.reason,
        "estimated": _of_window(event.estimated),
        "delayed": event.delayed,
        "correction": event.correction,
        "heard": heard,
    }


def to_event(item: Item) -> ShipmentEvent:
    """The inverse of `of_event`."""
    return ShipmentEvent(
        event_id=item["event_id"],
        status=Status(item["status"]),
        at=from_text(item["at"]),
        raw_status=item["raw_status"],
        location=item["location"],
        reason=item["reason"],
        estimated=_to_window(item["estimated"]),
        delayed=item["delayed"],
        correction=item["correction"],
    )


def _only_gifts(order: Order) -> list[str]:
    own = {line.item_id for line in order.lines if not (order.gift or line.gift)}
    return list(dict.fromkeys(line.item_id for line in order.lines if line.item_id not in own))


def _of_line(line: OrderLine) -> dict[str, Any]:
    item = {
        "line_id": line.line_id,
        "item_id": line.item_id,
        "quantity": line.quantity,
        "price": line.price,
        "made_to_order": line.made_to_order,
        "product_line": line.product_line,
    }
    return item | ({"gift": True} if line.gift else {})


def _of_window(window: Window | None) -> list[str] | None:
    return [window.start.isoformat(), window.until.isoformat()] if window else None


def _to_window(stored: list[str] | None) -> Window | None:
    return Window(*map(date.fromisoformat, stored)) if stored else None
