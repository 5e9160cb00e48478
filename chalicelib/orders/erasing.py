"""Orders of somebody who was erased: kept for the books under a pseudonym, without what led to the person.

What is sold stays: items, amounts, dates, order id. Gone are the customer id, the place it went to, tracking numbers, what
carriers told, and in the end the line of history that ties the orders of one person together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.orders import store
from chalicelib.orders.model import Order
from chalicelib.shared.errors import Busy
from chalicelib.shared.rounds import rounds


def erase(
    customer_ids: Sequence[str],
    anonymous_ids: Sequence[str],  # noqa: ARG001
    *,
    now: datetime,  # noqa: ARG001
    pseudonym: str,
    final: bool,
) -> dict[str, int]:
    """Put these customers' orders under `pseudonym`; safe to break off and repeat.

    Until the `final` time the orders stay listed under the pseudonym, so that what was on its way to them is found.
    """
    orders = events = 0
    for customer_id in customer_ids:
        for line in store.everything(customer_id):
            events += _hand_over(line["order_id"], customer_id, pseudonym)
            store.forget_line(customer_id, line["sk"])
            orders += 1
    if final:
        for line in store.everything(pseudonym):
            events += _forget_parcels(line["order_id"], pseudonym)
            store.forget_line(pseudonym, line["sk"])
    return {"orders.orders": orders, "orders.shipment_events": events}


def _hand_over(order_id: str, customer_id: str, pseudonym: str) -> int:
    events = _forget_parcels(order_id, pseudonym)
    for _ in rounds():
        order = store.load_order(order_id)
        if order is None or order.customer_id != customer_id:
            return events  # done, and only the old line was left; or never theirs
        try:
            store.hand_over(order, _anonymous(order, pseudonym))
        except store.OrderMoved:
            continue
        return events
    raise Busy("others kept changing an order that is to be erased")


def _anonymous(order: Order, pseudonym: str) -> Order:
    return replace(order, customer_id=pseudonym, ship_to=None, version=order.version + 1)


def _forget_parcels(order_id: str, pseudonym: str) -> int:
    return sum(_forget_parcel(each, pseudonym) for each in store.shipment_ids(order_id))


def _forget_parcel(shipment_id: str, pseudonym: str) -> int:
    for _ in rounds():
        parcel = store.load_shipment(shipment_id)
        if parcel is None or parcel.customer_id == pseudonym:
            break
        # Its next version: whoever was about to move the parcel reads it again, and sees that nobody waits for it.
        anonymous = replace(parcel, customer_id=pseudonym, tracking_number="", version=parcel.version + 1)
        try:
            store.move_head(anonymous)
        except store.ShipmentMoved:
            continue
        break
    else:
        raise Busy("others kept moving a parcel that is to be erased")
    return store.forget_events(shipment_id)
