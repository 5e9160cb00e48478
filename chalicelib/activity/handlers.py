"""What the timeline learns from other rooms, and what it tells them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from chalice.app import Blueprint

from chalicelib.activity import rules, service
from chalicelib.activity.model import BUS, ORDER_SCOPE, Draft, Entry, Message
from chalicelib.activity.schemas import ACTIVITY_RECORDED, ActivityRecorded
from chalicelib.activity.store import ENTRY_PREFIX, entry_of
from chalicelib.loyalty.schemas import (
    POINTS_ACCRUED,
    POINTS_CONFIRMED,
    POINTS_EXPIRED,
    POINTS_EXPIRING,
    POINTS_REDEEMED,
    POINTS_REVERSED,
    TIER_CHANGED,
    PointsChanged,
    TierChanged,
)
from chalicelib.messages.schemas import MESSAGE_SENT, MessageSent
from chalicelib.orders.schemas import (
    ORDER_PLACED,
    SHIPMENT_STATUS_CHANGED,
    OrderPlaced,
    ShipmentStatusChanged,
)
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.consumer import Change, on_facts, relay
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


@handlers.on_sqs_message(queue="activity", batch_size=10, name="activity_on_facts")
@on_facts
def activity_on_facts(fact: Fact, now: datetime) -> None:
    """Orders, deliveries, points and messages enter the timeline, each once."""
    service.record(DRAFTS[fact.type](fact), now=now)


@handlers.on_dynamodb_record(
    stream_arn="activity", batch_size=100, starting_position="TRIM_HORIZON", name="activity_relay"
)
@relay
def activity_relay(change: Change) -> Sequence[Fact]:
    """A new entry is the fact `activity.recorded`, except where it is history brought along."""
    if change.old is not None or change.new is None or not change.new["sk"].startswith(ENTRY_PREFIX):
        return []
    entry = entry_of(change.new)
    if entry.imported:
        return []
    data = ActivityRecorded(
        entry_id=entry.entry_id,
        customer_id=entry.customer_id,
        anonymous_id=entry.anonymous_id,
        kind=entry.kind,
        event=entry.event,
        channel=entry.channel,
        at=to_text(entry.at),
        trusted=entry.trusted,
        item_ids=list(entry.item_ids),
        details=entry.details,
    )
    return [
        Fact(
            id=f"{ACTIVITY_RECORDED}:{entry.entry_id}",
            type=ACTIVITY_RECORDED,
            subject=f"customers/{entry.customer_id}"
            if entry.customer_id
            else f"visitors/{entry.anonymous_id}",
            time=entry.at,
            data=data.model_dump(),
            hops=entry.hops,
        )
    ]


def _order_placed(fact: Fact) -> Draft:
    order = OrderPlaced.model_validate(fact.data)
    return _draft(
        fact,
        # The same mark as an `Order Completed` event's: whichever comes first is the entry.
        Message(ORDER_SCOPE, order.order_id),
        customer_id=order.customer_id,
        kind="order",
        at=order.placed_at,
        order_id=order.order_id,
        item_ids=tuple(dict.fromkeys(line.item_id for line in order.lines)),
        details=order.model_dump(include={"order_id", "currency", "total", "lines"}),
    )


def _shipment_status_changed(fact: Fact) -> Draft:
    shipment = ShipmentStatusChanged.model_validate(fact.data)
    return _draft(
        fact,
        Message(BUS, fact.id),
        customer_id=shipment.customer_id,
        kind="delivery",
        at=shipment.at,
        order_id=shipment.order_id,
        details=shipment.model_dump(exclude={"customer_id", "at"}, exclude_none=True),
    )


def _points_changed(fact: Fact) -> Draft:
    points = PointsChanged.model_validate(fact.data)
    return _draft(
        fact,
        Message(BUS, fact.id),
        customer_id=points.customer_id,
        kind=POINTS_KINDS[fact.type],
        at=to_text(fact.time),
        details=points.model_dump(exclude={"customer_id"}, exclude_defaults=True),
    )


def _tier_changed(fact: Fact) -> Draft:
    tier = TierChanged.model_validate(fact.data)
    return _draft(
        fact,
        Message(BUS, fact.id),
        customer_id=tier.customer_id,
        kind="tier",
        at=to_text(fact.time),
        details=tier.model_dump(exclude={"customer_id"}, exclude_none=True),
    )


def _message_sent(fact: Fact) -> Draft:
    message = MessageSent.model_validate(fact.data)
    return _draft(
        fact,
        Message(BUS, fact.id),
        customer_id=message.customer_id,
        kind="message",
        channel=message.channel,
        at=message.at,
        details=message.model_dump(include={"send_id", "template", "message_class"}),
    )


POINTS_KINDS = {
    POINTS_ACCRUED: "points",
    POINTS_CONFIRMED: "points_confirmed",
    POINTS_REDEEMED: "points_redeemed",
    POINTS_REVERSED: "points_reversed",
    POINTS_EXPIRING: "points_expiring",
    POINTS_EXPIRED: "points_expired",
}
DRAFTS: dict[str, Callable[[Fact], Draft]] = {
    ORDER_PLACED: _order_placed,
    SHIPMENT_STATUS_CHANGED: _shipment_status_changed,
    **dict.fromkeys(POINTS_KINDS, _points_changed),
    TIER_CHANGED: _tier_changed,
    MESSAGE_SENT: _message_sent,
}


def _draft(
    fact: Fact, message: Message, *, customer_id: str, kind: str, at: str, channel: str = "shop", **more: Any
) -> Draft:
    entry = Entry(
        entry_id=rules.entry_id_of(message),
        who=("customer", customer_id),
        kind=kind,
        event=fact.type,
        channel=channel,
        at=from_text(at),
        trusted=True,
        customer_id=customer_id,
        hops=fact.hops + 1,  # what comes of a fact is told as one step further
        **more,
    )
    return Draft(message, entry)
