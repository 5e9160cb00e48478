"""Orders and deliveries over HTTP."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.orders import service, tracking
from chalicelib.orders.model import Order
from chalicelib.orders.schemas import (
    EventAnswer,
    EventBody,
    OrderAnswer,
    OrderBody,
    OrdersAnswer,
    OrdersQuery,
    ShipmentAnswer,
    ShipmentBody,
    TrackingAnswer,
)
from chalicelib.shared.http import Answer, Call, endpoint

routes = Blueprint(__name__)


@endpoint(
    routes,
    "PUT /v1/orders/{order_id}",
    body=OrderBody,
    answer=OrderAnswer,
    also=(201,),
    headers=("If-Match",),
)
def put_order(call: Call[OrderBody, None], order_id: str) -> Answer:
    """Store an order, or its changed content: 201 when it is new, 200 when it was there.

    Sending it again changes nothing. Its customer, currency and time cannot change. With `If-Match` only over
    the version you read.
    """
    order, is_new = service.put(order_id, call.body, if_match=call.headers.get("if-match"), now=call.now)
    return _answer(order, status=201 if is_new else 200)


@endpoint(routes, "GET /v1/orders/{order_id}", answer=OrderAnswer)
def read_order(call: Call[None, None], order_id: str) -> Answer:
    """One order as it is this second."""
    return _answer(service.get(order_id), status=200)


@endpoint(
    routes,
    "GET /v1/customers/{customer_id}/orders",
    me="GET /v1/me/orders",
    query=OrdersQuery,
    answer=OrdersAnswer,
)
def list_orders(call: Call[None, OrdersQuery], customer_id: str) -> OrdersAnswer:
    """What a customer ordered, newest first."""
    own = call.caller.customer_id is not None
    return service.page(customer_id, call.query, own=own, now=call.now)


@endpoint(
    routes,
    "POST /v1/orders/{order_id}/shipments",
    body=ShipmentBody,
    answer=ShipmentAnswer,
    status=201,
    also=(200,),
)
def add_shipment(call: Call[ShipmentBody, None], order_id: str) -> Answer:
    """Add a parcel to an order: 201 when it is new, 200 when it was there. Nobody is told before it moves."""
    shipment, is_new = tracking.add_shipment(order_id, call.body, now=call.now)
    return Answer(tracking.answer(shipment), status=201 if is_new else 200)


@endpoint(routes, "POST /v1/shipments/{shipment_id}/events", body=EventBody, answer=EventAnswer)
def record_event(call: Call[EventBody, None], shipment_id: str) -> EventAnswer:
    """Tell what happened to a parcel, in any order and as often as you like.

    It stands where all of that together says. The first entry into a status sends the customer one mail.
    """
    return tracking.record_event(shipment_id, call.body, now=call.now)


@endpoint(routes, "GET /v1/orders/{order_id}/tracking", answer=TrackingAnswer)
def track_order(call: Call[None, None], order_id: str) -> TrackingAnswer:
    """Where an order is: its parcels, what happened to each, and the carriers' own pages."""
    return tracking.track(order_id)


def _answer(order: Order, *, status: int) -> Answer:
    return Answer(service.answer(order), status=status, headers={"ETag": f'"{order.version}"'})
