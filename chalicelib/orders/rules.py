"""Every decision about orders and parcels, pure: what may change, and where a parcel stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from chalicelib.orders.model import (
    DELAYED,
    EVENT,
    EVENTS_PER_SHIPMENT_MAX,
    Head,
    Order,
    Shipment,
    ShipmentEvent,
    Status,
)

# How far along one attempt and leg of the way a status is; `_attempt_after` has the exceptions.
RANKS = {
    Status.PENDING: 0,
    Status.LABEL_CREATED: 10,
    Status.PICKED_UP: 20,
    Status.IN_TRANSIT: 30,
    Status.OUT_FOR_DELIVERY: 40,
    Status.ATTEMPT_FAILED: 45,
    Status.AVAILABLE_FOR_PICKUP: 45,
    Status.EXCEPTION: 46,
    Status.RETURNING: 60,
    Status.DELIVERED: 90,
    Status.RETURNED: 95,
    Status.CANCELLED: 95,
}
ON_THE_WAY = frozenset({Status.IN_TRANSIT, Status.OUT_FOR_DELIVERY})
STUCK = frozenset({Status.ATTEMPT_FAILED, Status.AVAILABLE_FOR_PICKUP, Status.EXCEPTION})
FINAL = frozenset({Status.DELIVERED, Status.RETURNED, Status.CANCELLED})
# On its way back, a parcel is only ever back or void; "delivered" then means handed to the sender.
ENDS_OF_RETURN = frozenset({Status.RETURNED, Status.CANCELLED})


def fixed_field_changed(stored: Order, sent: Order) -> str | None:
    """The first field that `sent` says otherwise and that may never change, or None.

    Points, history and mail hang on these. When an order was only heard of from an event, the shop still may
    say when it was placed, because the event knows no better than its own time.
    """
    fixed = ["customer_id", "currency"]
    if stored.source != EVENT:
        fixed.insert(1, "placed_at")
    return next((field for field in fixed if getattr(stored, field) != getattr(sent, field)), None)


def next_version(stored: Order, sent: Order) -> Order | None:
    """The order as it is to be stored, or None when `sent` says nothing new."""
    following = replace(sent, version=stored.version, imported=stored.imported)
    return None if following == stored else replace(following, version=stored.version + 1)


def is_another_purchase(before: Order, after: Order) -> bool:
    """Whether what an order costs or holds became another, which is what it earned by."""
    if before.customer_id != after.customer_id:
        return False  # handed over to a pseudonym: nobody's purchase any more
    return (before.total, _bought(before)) != (after.total, _bought(after))


def shipment_contradiction(stored: Shipment, sent: Shipment) -> str | None:
    """The first field in which two shipments of one id differ, or None when they are the same shipment."""
    fields = ("order_id", "carrier", "tracking_number", "line_ids")
    return next((field for field in fields if getattr(stored, field) != getattr(sent, field)), None)


def fold(events: Collection[ShipmentEvent]) -> Head:
    """Where a parcel stands after all its events, in whatever order and however often they came.

    They are replayed by (when it happened, rank, event id). What comes too late to matter stays in the
    timeline only.
    """
    head = Head()
    for event in sorted(events, key=lambda event: (event.at, RANKS[event.status], event.event_id)):
        head = _after(head, event)
    return replace(head, is_full=len(events) >= EVENTS_PER_SHIPMENT_MAX)


def matters(event: ShipmentEvent, events: Iterable[ShipmentEvent]) -> bool:
    """Whether a parcel among whose `events` this one is would stand elsewhere without it."""
    events = list(events)
    without = [other for other in events if other.event_id != event.event_id]
    return replace(fold(events), is_full=False) != replace(fold(without), is_full=False)


def is_entered(old: Head, new: Head) -> bool:
    """Whether the change from `old` to `new` is the entry into a status, which is what customers are told.

    A late event may renumber the attempts before the present one; that corrects history and is no news. So
    the same status counts again only when a later event entered it in a later attempt.
    """
    if new.since is None or new.status is Status.PENDING:
        return False
    if old.since is None or new.status is not old.status:
        return True
    return new.attempt > old.attempt and new.since > old.since


def _after(head: Head, event: ShipmentEvent) -> Head:
    attempt = _attempt_after(head, event)
    if attempt is not None:
        head = replace(head, status=event.status, attempt=attempt, since=event.at)
    delayed = DELAYED in head.flags if event.delayed is None else event.delayed
    if head.status in FINAL:
        delayed = False
    return replace(head, estimated=event.estimated or head.estimated, flags=(DELAYED,) if delayed else ())


def _attempt_after(head: Head, event: ShipmentEvent) -> int | None:
    """The attempt in which `event` puts the parcel into its status, None when it leaves the head alone."""
    here, there = head.status, event.status
    if there is here:
        return None
    if event.correction:
        return head.attempt + 1
    if here in FINAL:
        is_new_leg = here is Status.DELIVERED and there is Status.RETURNING
        return head.attempt + 1 if is_new_leg else None
    if here is Status.RETURNING:
        return head.attempt if there in ENDS_OF_RETURN else None
    if here in STUCK and there in ON_THE_WAY:
        return head.attempt + 1
    is_further = RANKS[there] > RANKS[here] or (here in STUCK and there in STUCK)
    return head.attempt if is_further else None


def _bought(order: Order) -> list[tuple[str, str, int, int]]:
    return [(line.line_id, line.item_id, line.quantity, line.price) for line in order.lines]
