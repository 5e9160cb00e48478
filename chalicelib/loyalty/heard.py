"""What trusted events tell the ledger: an order was given back or cancelled, a store was visited."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.activity.schemas import ActivityRecorded, RefundDetails
from chalicelib.loyalty import ordering
from chalicelib.loyalty.model import Refunded
from chalicelib.orders import reads as orders
from chalicelib.orders.reads import Order
from chalicelib.shared import ids
from chalicelib.shared.clock import from_text

REFUNDED, CANCELLED, VISITED = "Order Refunded", "Order Cancelled", "Store Visited"


class OtherCurrency(Exception):
    """A refund names an amount in another currency than its order; somebody has to look at it."""


def hear(activity: ActivityRecorded, *, now: datetime) -> None:
    """Do what a trusted event means for points, once; what anybody's browser says means nothing.

    Raises UnknownOrder where the order has not been heard of yet: the event comes again, and then it has.
    """
    if not activity.trusted:
        return
    if activity.event == REFUNDED:
        refund(RefundDetails.model_validate(activity.details), cause=activity.entry_id, now=now)
    elif activity.event == CANCELLED:
        order_id = _id(activity.details.get("order_id"))
        if order_id:
            ordering.refund_told(
                order_id, Refunded(whole=True), cause=activity.entry_id, reason="cancelled", now=now
            )
    elif activity.event == VISITED and activity.customer_id:
        store_id = _id(activity.details.get("store_id"))
        ordering.visit(activity.customer_id, at=from_text(activity.at), store_id=store_id, now=now)


def refund(details: RefundDetails, *, cause: str, now: datetime) -> None:
    """Take back for what an event names: its products, else its amount, else the whole order.

    Raises UnknownOrder, and OtherCurrency.
    """
    order = orders.order(details.order_id)
    if order is None:
        raise ordering.UnknownOrder
    if details.lines is not None:
        quantities: dict[str, int] = {}
        for line in details.lines:
            quantities[line.item_id] = quantities.get(line.item_id, 0) + line.quantity
        refunded = Refunded(lines=lines_of(order, quantities))
    elif details.total is not None:
        if details.currency != order.currency:
            raise OtherCurrency
        refunded = Refunded(amount=details.total)
    else:
        refunded = Refunded(whole=True)
    if refunded != Refunded():
        ordering.refund_told(order.order_id, refunded, cause=cause, reason="refund", now=now)


def lines_of(order: Order, quantities: dict[str, int]) -> dict[str, int]:
    """Quantities by line out of quantities by item: an event names items, and several lines may have the same one."""
    found = {}
    for line in order.lines:
        taken = min(line.quantity, quantities.get(line.item_id, 0))
        if taken:
            found[line.line_id] = taken
            quantities[line.item_id] -= taken
    return found


def _id(value: Any) -> str:
    return value if isinstance(value, str) and not ids.problem_with(value) else ""
