"""What the ledger does when others say something happened, and what it tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalice.app import Blueprint, Rate

from chalicelib.activity.schemas import ACTIVITY_RECORDED, ActivityRecorded
from chalicelib.loyalty import heard, ordering, referring, running, telling
from chalicelib.loyalty.mapping import ENTRY_PREFIX
from chalicelib.loyalty.schemas import ORDER_REFUNDED, OrderRefunded
from chalicelib.orders.reads import Order, OrderLine
from chalicelib.orders.schemas import (
    ORDER_CHANGED,
    ORDER_PLACED,
    SHIPMENT_STATUS_CHANGED,
    OrderChanged,
    OrderPlaced,
    ShipmentStatusChanged,
)
from chalicelib.shared.clock import from_text
from chalicelib.shared.consumer import Change, on_facts, on_tick, relay
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


class UnknownFact(Exception):
    """This queue is for other facts; it goes to the dead letters for somebody to look at."""


@handlers.on_sqs_message(queue="loyalty", batch_size=10, name="loyalty_on_facts")
@on_facts
def loyalty_on_facts(fact: Fact, now: datetime) -> None:
    """`order.placed`: the order earns its points; `order.changed`: more or less of them.

    `shipment.status_changed`: they can be used when all has arrived. `activity.recorded`: they are taken back when a
    trusted event says that the order was given back or cancelled, and a visit to a store counts.
    What a friend's first order earned both sides comes with its delivery and goes with the room's own
    `loyalty.order_refunded`.
    """
    if fact.type == ORDER_PLACED:
        placed = OrderPlaced.model_validate(fact.data)
        ordering.earn(_order(placed), store_id=placed.store_id, now=now)
    elif fact.type == ORDER_CHANGED:
        changed = OrderChanged.model_validate(fact.data)
        ordering.change(changed.customer_id, changed.order_id, now=now)
        referring.take_back(changed.customer_id, changed.order_id, now=now)
    elif fact.type == ACTIVITY_RECORDED:
        heard.hear(ActivityRecorded.model_validate(fact.data), now=now)
    elif fact.type == SHIPMENT_STATUS_CHANGED:
        moved = ShipmentStatusChanged.model_validate(fact.data)
        if moved.status == "delivered":
            ordering.confirm(moved.customer_id, moved.order_id, now=now)
            referring.reward(moved.customer_id, moved.order_id, now=now)
    elif fact.type == ORDER_REFUNDED:
        refunded = OrderRefunded.model_validate(fact.data)
        referring.take_back(refunded.customer_id, refunded.order_id, now=now)
    else:
        raise UnknownFact(fact.type)


@handlers.on_dynamodb_record(
    stream_arn="ledger", batch_size=100, starting_position="TRIM_HORIZON", name="ledger_relay"
)
@relay
def ledger_relay(change: Change) -> Sequence[Fact]:
    """A new entry is a fact: points accrued, confirmed, redeemed, reversed, expiring or expired; a tier changed."""
    entry = change.new
    if change.old is not None or entry is None or not entry["sk"].startswith(ENTRY_PREFIX):
        return []
    return telling.facts_of(entry)


@handlers.schedule(Rate(1, unit=Rate.HOURS), name="loyalty_daily")
@on_tick
def loyalty_daily(now: datetime) -> None:
    """Points mature, expire and are about to; holds return, tiers end; who has a day of their own gets a gift."""
    running.run(now)


def _order(placed: OrderPlaced) -> Order:
    lines = tuple(
        OrderLine(line.line_id or str(n), line.item_id, line.quantity, line.price)
        for n, line in enumerate(placed.lines, start=1)
    )
    return Order(
        order_id=placed.order_id,
        customer_id=placed.customer_id,
        placed_at=from_text(placed.placed_at),
        currency=placed.currency,
        total=placed.total,
        lines=lines,
        imported=placed.imported,
    )
