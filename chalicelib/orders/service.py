"""Use cases of orders: load, decide, commit; a lost race or a lost reply is settled by loading again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from chalicelib.customers import reads as customers
from chalicelib.orders import rules, store
from chalicelib.orders.model import EVENT, SHOP, Order, OrderLine, ShipTo, Window
from chalicelib.orders.schemas import (
    BoughtAnswer,
    ImportedOrder,
    LineAnswer,
    LineBody,
    OrderAnswer,
    OrderBody,
    OrdersAnswer,
    OrdersQuery,
    PastOrderAnswer,
    ShipToAnswer,
    WindowAnswer,
    WindowBody,
)
from chalicelib.privacy import reads as privacy
from chalicelib.shared import etags, tokens
from chalicelib.shared.contract import refuse_ahead
from chalicelib.shared.errors import Busy, Conflict, FieldError, Gone, InvalidInput, NotFound, StaleVersion
from chalicelib.shared.logs import logger
from chalicelib.shared.rounds import rounds

IMPORT_CHUNK = 60  # orders; ten trips at once lose little when one fails


def put(order_id: str, body: OrderBody, *, if_match: str | None, now: datetime) -> tuple[Order, bool]:
    """Store the order as the shop says it; says whether it is new. Saying it again changes nothing.

    `if_match` is an ETag, `*` for "it must exist", or None. Raises InvalidInput, StaleVersion, and Conflict
    naming a field that may not change, and Gone for a customer who was erased. Two trips, three for a new order; 1 read
    unit and half of one, and 2 write units per KB of order and history unless unchanged.
    """
    for _ in rounds():
        stored = store.load_order(order_id)
        placed_at = body.placed_at or (stored.placed_at if stored else now)
        refuse_ahead("placed_at", placed_at, now)
        sent = _order(order_id, body, placed_at=placed_at, source=SHOP)
        _check(stored, if_match)
        if stored is None or stored.customer_id != sent.customer_id:
            _refuse_erased(sent.customer_id)
        if stored is None:
            order = sent
        else:
            field = rules.fixed_field_changed(stored, sent)
            if field:
                raise _contradiction(field, "of an order cannot change")
            following = rules.next_version(stored, sent)
            if following is None:
                return stored, False
            order = following
        try:
            store.commit_order(order, seen=stored)
        except store.OrderMoved:
            continue
        return order, stored is None
    raise Busy("other writers of this order kept coming first")


def accept_completed(order: Order) -> None:
    """Keep an order that a trusted event told of, unless it is known already or its customer was erased."""
    if privacy.is_erased(order.customer_id):
        logger.info("dropped: the customer was erased", extra={"kind": "order"})
        return
    for _ in rounds():
        try:
            store.commit_order(replace(order, source=EVENT), seen=None)
        except store.OrderMoved:
            if store.load_order(order.order_id) is not None:
                return
            continue
        return
    raise Busy("other writers of this order kept coming first")


def import_orders(
    sent: Iterable[Mapping[str, Any]], *, on_written: Callable[[int], None] | None = None
) -> int:
    """Bring history along: bodies of `PUT /v1/orders/{order_id}` with their `order_id`; returns how many.

    Written blindly over what is there under the same ids, so it may be repeated; nobody gets mail about it.
    `on_written` hears after each chunk how many it held. Raises at the first wrong one; earlier chunks are
    stored then.
    """
    written = 0
    bodies = iter(sent)
    while chunk := [ImportedOrder.model_validate(each) for each in islice(bodies, IMPORT_CHUNK)]:
        erased = privacy.erased(("customer", body.customer_id) for body in chunk)
        store.save_orders(
            [
                replace(_order(body.order_id, body, placed_at=body.placed_at, source=SHOP), imported=True)
                for body in chunk
                if ("customer", body.customer_id) not in erased
            ]
        )
        written += len(chunk)
        if on_written:
            on_written(len(chunk))
    return written


def get(order_id: str) -> Order:
    """One order as it is this second; raises NotFound. One trip."""
    order = store.load_order(order_id)
    if order is None:
        raise NotFound("this order is not known")
    return order


def page(customer_id: str, query: OrdersQuery, *, own: bool = False, now: datetime) -> OrdersAnswer:
    """One page of a person's orders under all their ids, newest first; nobody's orders are an empty page.

    Two trips, one more for each id merged in. Raises Moved for an id that was merged into another, unless it is a
    customer's `own` token.
    """
    customer_ids = customers.asked_for(customer_id, own=own)
    filter_name = f"orders:{customer_ids[0]}"
    before = tokens.position_of(filter_name, query.cursor, now=now)
    found = store.histories(customer_ids, limit=query.limit + 1, before=before)
    shown = found[: query.limit]
    cursor = tokens.cursor(filter_name, shown[-1][0], now=now) if len(found) > query.limit else None
    data = [
        PastOrderAnswer(
            order_id=past.order_id,
            placed_at=past.placed_at,
            currency=past.currency,
            total=past.total,
            lines=[BoughtAnswer(item_id=item_id, quantity=quantity) for item_id, quantity in past.lines],
        )
        for _, past in shown
    ]
    return OrdersAnswer(data=data, next_cursor=cursor)


def answer(order: Order) -> OrderAnswer:
    """An order as the API shows it."""
    return OrderAnswer(
        order_id=order.order_id,
        customer_id=order.customer_id,
        placed_at=order.placed_at,
        currency=order.currency,
        total=order.total,
        discount=order.discount,
        tax=order.tax,
        shipping_cost=order.shipping_cost,
        lines=[LineAnswer(**vars(line)) for line in order.lines],
        promised=window_answer(order.promised),
        ship_to=ShipToAnswer(**vars(order.ship_to)) if order.ship_to else None,
        gift=order.gift,
        store_id=order.store_id or None,
        source=order.source,
        version=order.version,
    )


def window_answer(window: Window | None) -> WindowAnswer | None:
    """A window as the API shows it."""
    return WindowAnswer(start=window.start, until=window.until) if window else None


def window(body: WindowBody | None) -> Window | None:
    """A window as the API takes it."""
    return Window(body.start, body.until) if body else None


def to_milliseconds(moment: datetime) -> datetime:
    """A moment as precise as we store it, so that what is read back equals what was sent."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _refuse_erased(customer_id: str) -> None:
    if privacy.is_erased(customer_id):
        raise Gone("this customer was erased")


def _order(order_id: str, body: OrderBody, *, placed_at: datetime, source: str) -> Order:
    ship_to = body.ship_to
    return Order(
        order_id=order_id,
        customer_id=body.customer_id,
        placed_at=to_milliseconds(placed_at),
        currency=body.currency,
        total=body.total,
        lines=_lines(body.lines),
        discount=body.discount,
        tax=body.tax,
        shipping_cost=body.shipping_cost,
        promised=window(body.promised),
        ship_to=ShipTo(ship_to.country, ship_to.postal_code) if ship_to else None,
        source=source,
        gift=body.gift,
        store_id=body.store_id or "",
    )


def _lines(bodies: list[LineBody]) -> tuple[OrderLine, ...]:
    lines: dict[str, OrderLine] = {}
    for place, body in enumerate(bodies):
        line_id = body.line_id or str(place + 1)
        if line_id in lines:
            raise InvalidInput.of(f"lines.{place}.line_id", "names another line of this order already")
        lines[line_id] = OrderLine(
            line_id,
            body.item_id,
            body.quantity,
            body.price,
            body.made_to_order,
            body.product_line,
            body.gift,
        )
    return tuple(lines.values())


def _contradiction(field: str, why: str) -> Conflict:
    return Conflict(f"{field} {why}", fields=[FieldError(field, "is otherwise in what is stored")])


def _check(stored: Order | None, if_match: str | None) -> None:
    if not etags.allows(if_match, str(stored.version) if stored else None):
        raise StaleVersion("If-Match names another version of this order")
