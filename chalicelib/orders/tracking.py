"""Use cases of parcels: every event is kept first, then the head is folded from all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.orders import carriers, rules, service, store
from chalicelib.orders.model import (
    EVENTS_PER_SHIPMENT_MAX,
    SHIPMENTS_PER_ORDER_MAX,
    Order,
    Shipment,
    ShipmentEvent,
)
from chalicelib.orders.schemas import (
    EventAnswer,
    EventBody,
    HeadAnswer,
    ShipmentAnswer,
    ShipmentBody,
    TrackedEvent,
    TrackedShipment,
    TrackingAnswer,
)
from chalicelib.privacy.reads import PSEUDONYM_PREFIX
from chalicelib.shared.contract import refuse_ahead
from chalicelib.shared.errors import Busy, Conflict, FieldError, Gone, InvalidInput, NotFound
from chalicelib.shared.rounds import rounds


class TooManyEvents(Conflict):
    code, title = "too-many-events", "This shipment has as many events as one may have"


class TooManyShipments(Conflict):
    code, title = "too-many-shipments", "This order has as many shipments as one may have"


def add_shipment(order_id: str, body: ShipmentBody, *, now: datetime) -> tuple[Shipment, bool]:
    """Add a parcel to an order; says whether it is new. The same again changes nothing.

    Raises NotFound without the order, InvalidInput for lines it does not have, Conflict for a shipment id
    that means another parcel. Three trips; 3 read units, 4 write units.
    """
    for _ in rounds():
        order, stored = store.load_order_and_shipment(order_id, body.shipment_id)
        if order is None:
            raise NotFound("this order is not known")
        if order.customer_id.startswith(PSEUDONYM_PREFIX):
            raise Gone("this order's customer was erased")
        sent = _shipment(order, body)
        if stored is not None:
            field = rules.shipment_contradiction(stored, sent)
            if field:
                raise Conflict(
                    "this shipment_id is another parcel's",
                    fields=[FieldError(field, "is otherwise in what is stored")],
                )
            return stored, False
        if len(store.shipment_ids(order_id)) >= SHIPMENTS_PER_ORDER_MAX:
            raise TooManyShipments(f"an order has {SHIPMENTS_PER_ORDER_MAX} shipments at most")
        try:
            store.commit_shipment(sent, now=now)
        except store.ShipmentMoved:
            continue
        return sent, True
    raise Busy("other writers of this shipment kept coming first")


def record_event(shipment_id: str, body: EventBody, *, now: datetime) -> EventAnswer:
    """Keep one event and bring the parcel's head up to date with all of them.

    The head is read before the events and written only over the version read, so no event that it knew can be
    lost from it. When the head fails to be written, the event is kept already: the next event, or the same
    one sent again, finishes the work. Raises NotFound, TooManyEvents, Busy. Four trips; 1 read unit and 1 per
    4 KB of events, 1 write unit, and 1 more when the head moves.
    """
    event = _event(body, now)
    refuse_ahead("at", event.at, now)
    shipment = _load(shipment_id)
    was_new = False
    if not shipment.head.is_full:
        was_new = store.append_event(shipment_id, event, now=now)
    for _ in rounds():
        events = store.load_events(shipment_id)
        if shipment.head.is_full and not _is_known(event, events):
            raise TooManyEvents(f"a shipment has {EVENTS_PER_SHIPMENT_MAX} events at most")
        head = rules.fold(events)
        if head != shipment.head:
            shipment = replace(shipment, head=head, version=shipment.version + 1)
            try:
                store.move_head(shipment)
            except store.ShipmentMoved:
                shipment = _load(shipment_id)
                continue
        is_duplicate = not was_new or event not in events
        applied = not is_duplicate and rules.matters(event, events)
        return EventAnswer(shipment=_head_answer(shipment), applied=applied, duplicate=is_duplicate)
    raise Busy("other events of this shipment kept coming first; this one is kept and will count")


def track(order_id: str) -> TrackingAnswer:
    """Where an order is. Raises NotFound. Two trips, and two for each parcel."""
    order = service.get(order_id)
    found = [store.tracked(shipment_id) for shipment_id in store.shipment_ids(order_id)]
    return TrackingAnswer(
        order_id=order.order_id,
        customer_id=order.customer_id,
        placed_at=order.placed_at,
        promised=service.window_answer(order.promised),
        shipments=[_tracked(shipment, events) for shipment, events in filter(None, found)],
    )


def answer(shipment: Shipment) -> ShipmentAnswer:
    """A parcel as the API shows it."""
    return ShipmentAnswer(
        **vars(_head_answer(shipment)),
        order_id=shipment.order_id,
        carrier=shipment.carrier,
        tracking_number=shipment.tracking_number,
        tracking_url=carriers.page_of(shipment.carrier, shipment.tracking_number)
        if shipment.tracking_number
        else None,
        line_ids=list(shipment.line_ids),
    )


def _load(shipment_id: str) -> Shipment:
    shipment = store.load_shipment(shipment_id)
    if shipment is None:
        raise NotFound("this shipment is not known")
    if shipment.customer_id.startswith(PSEUDONYM_PREFIX):
        raise Gone("this shipment's customer was erased")
    return shipment


def _shipment(order: Order, body: ShipmentBody) -> Shipment:
    known = {line.line_id for line in order.lines}
    for place, line_id in enumerate(body.line_ids):
        if line_id not in known:
            raise InvalidInput.of(f"line_ids.{place}", "is not a line of this order")
        if line_id in body.line_ids[:place]:
            raise InvalidInput.of(f"line_ids.{place}", "is named twice")
    return Shipment(
        shipment_id=body.shipment_id,
        order_id=order.order_id,
        customer_id=order.customer_id,
        carrier=body.carrier,
        tracking_number=body.tracking_number,
        line_ids=tuple(body.line_ids),
    )


def _event(body: EventBody, now: datetime) -> ShipmentEvent:
    return ShipmentEvent(
        event_id=body.event_id,
        status=body.status,
        at=service.to_milliseconds(body.at or now),
        raw_status=body.raw_status or "",
        location=body.location or "",
        reason=body.reason or "",
        estimated=service.window(body.estimated),
        delayed=body.delayed,
        correction=body.correction,
    )


def _is_known(event: ShipmentEvent, events: list[ShipmentEvent]) -> bool:
    key = store.event_key(event)
    return any(known.event_id == event.event_id or store.event_key(known) == key for known in events)


def _head_answer(shipment: Shipment) -> HeadAnswer:
    head = shipment.head
    return HeadAnswer(
        shipment_id=shipment.shipment_id,
        status=head.status,
        attempt=head.attempt,
        estimated=service.window_answer(head.estimated),
        flags=list(head.flags),
    )


def _tracked(shipment: Shipment, events: list[ShipmentEvent]) -> TrackedShipment:
    return TrackedShipment(
        **vars(answer(shipment)),
        carrier_name=carriers.name_of(shipment.carrier),
        since=shipment.head.since,
        events=[
            TrackedEvent(
                event_id=event.event_id,
                status=event.status,
                at=event.at,
                raw_status=event.raw_status or None,
                location=event.location or None,
                reason=event.reason or None,
                estimated=service.window_answer(event.estimated),
            )
            for event in events
        ],
    )
