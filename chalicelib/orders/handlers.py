"""What orders do when others say something happened, and what they tell others."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalice.app import Blueprint

from chalicelib.activity.schemas import ActivityRecorded, OrderDetails
from chalicelib.orders import mapping, rules, service
from chalicelib.orders.model import Order, OrderLine, Shipment
from chalicelib.orders.schemas import (
    ORDER_CHANGED,
    ORDER_PLACED,
    SHIPMENT_STATUS_CHANGED,
    OrderChanged,
    OrderPlaced,
    OrderPlacedLine,
    ShipmentStatusChanged,
)
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.consumer import Change, on_facts, relay
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)

ORDER_COMPLETED = "Order Completed"


@handlers.on_sqs_message(queue="orders", batch_size=10, name="orders_on_facts")
@on_facts
def orders_on_facts(fact: Fact, now: datetime) -> None:
    """`activity.recorded`: a customer's trusted `Order Completed` is an order, if none is known."""
    activity = ActivityRecorded.model_validate(fact.data)
    if activity.event != ORDER_COMPLETED or not activity.trusted or activity.customer_id is None:
        return
    details = OrderDetails.model_validate(activity.details)
    service.accept_completed(
        Order(
            order_id=details.order_id,
            customer_id=activity.customer_id,
            placed_at=from_text(activity.at),
            currency=details.currency,
            total=details.total,
            lines=tuple(
                OrderLine(str(place), line.item_id, line.quantity, line.price, gift=line.gift)
                for place, line in enumerate(details.lines, start=1)
            ),
            discount=details.discount,
            tax=details.tax,
            shipping_cost=details.shipping_cost,
            gift=details.gift,
            store_id=details.store_id,
        )
    )


@handlers.on_dynamodb_record(
    stream_arn="orders", batch_size=100, starting_position="TRIM_HORIZON", name="orders_relay"
)
@relay
def orders_relay(change: Change) -> Sequence[Fact]:
    """A new order is `order.placed`, one that is another purchase now `order.changed`.

    A parcel's entry into a status is `shipment.status_changed`.
    """
    new = change.new
    if new is None:
        return []
    if new["sk"] == mapping.ORDER:
        return _of_order(mapping.to_order(change.old) if change.old else None, mapping.to_order(new))
    if new["sk"] == mapping.HEAD and change.old is not None:
        before, after = mapping.to_shipment(change.old), mapping.to_shipment(new)
        return [_moved(after)] if rules.is_entered(before.head, after.head) else []
    return []


def _of_order(before: Order | None, order: Order) -> Sequence[Fact]:
    if before is None:
        placed = OrderPlaced(**_told(order))
        return [_fact(f"{ORDER_PLACED}:{order.order_id}", ORDER_PLACED, order, placed)]
    if not rules.is_another_purchase(before, order):
        return []
    changed = OrderChanged(**_told(order), version=order.version)
    return [_fact(f"{ORDER_CHANGED}:{order.order_id}#{order.version}", ORDER_CHANGED, order, changed)]


def _told(order: Order) -> dict[str, Any]:
    return {
        "order_id": order.order_id,
        "customer_id": order.customer_id,
        "placed_at": to_text(order.placed_at),
        "total": order.total,
        "currency": order.currency,
        "lines": [
            OrderPlacedLine(
                line_id=line.line_id, item_id=line.item_id, quantity=line.quantity, price=line.price
            )
            for line in order.lines
        ],
        "store_id": order.store_id,
        "imported": order.imported,
    }


def _fact(fact_id: str, fact_type: str, order: Order, data: OrderPlaced) -> Fact:
    return Fact(
        id=fact_id,
        type=fact_type,
        subject=f"customers/{order.customer_id}",
        time=order.placed_at,
        data=data.model_dump(),
        hops=1,
    )


def _moved(shipment: Shipment) -> Fact:
    head = shipment.head
    assert head.since is not None, "a status that was entered was entered at a time"
    data = ShipmentStatusChanged(
        shipment_id=shipment.shipment_id,
        order_id=shipment.order_id,
        customer_id=shipment.customer_id,
        status=head.status.value,
        attempt=head.attempt,
        at=to_text(head.since),
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        estimated_from=head.estimated.start.isoformat() if head.estimated else None,
        estimated_until=head.estimated.until.isoformat() if head.estimated else None,
    )
    return Fact(
        id=f"{SHIPMENT_STATUS_CHANGED}:{shipment.shipment_id}:{head.attempt}:{head.status.value}",
        type=SHIPMENT_STATUS_CHANGED,
        subject=f"customers/{shipment.customer_id}",
        time=head.since,
        data=data.model_dump(),
        hops=1,
    )
