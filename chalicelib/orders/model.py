"""The nouns of orders and deliveries. Money is in minor units of the order's currency; times are UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

LINES_MAX = 200
SHIPMENTS_PER_ORDER_MAX = 50
EVENTS_PER_SHIPMENT_MAX = 200

SHOP = "shop"  # the shop said so itself: PUT /v1/orders/{order_id}
EVENT = "event"  # taken from a trusted "Order Completed"

DELAYED = "delayed"


class Status(StrEnum):
    """Where a shipment is, in the one vocabulary that every carrier's words are translated to."""

    PENDING = "pending"
    LABEL_CREATED = "label_created"
    PICKED_UP = "picked_up"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    ATTEMPT_FAILED = "attempt_failed"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    EXCEPTION = "exception"
    DELIVERED = "delivered"
    RETURNING = "returning"
    RETURNED = "returned"
    CANCELLED = "cancelled"


@dataclass(frozen=True)
class Window:
    """When something is to arrive: from this day until that one, both included."""

    start: date
    until: date


@dataclass(frozen=True)
class OrderLine:
    """What was bought, how many, and the price of each. A `gift` is for somebody else."""

    line_id: str
    item_id: str
    quantity: int
    price: int
    made_to_order: bool = False
    product_line: str | None = None
    gift: bool = False


@dataclass(frozen=True)
class ShipTo:
    """Where to, as far as a delivery needs it; names and streets stay with the shop."""

    country: str
    postal_code: str | None = None


@dataclass(frozen=True)
class Order:
    """One order as the shop last said it. `total` is what the customer paid; `version` counts the changes.

    `store_id` is where it was bought, empty online; `source` says who told us; `imported` marks history brought along, about which nobody gets mail. A `gift` is a gift
    with all its lines.
    """

    order_id: str
    customer_id: str
    placed_at: datetime
    currency: str
    total: int
    lines: tuple[OrderLine, ...]
    discount: int = 0
    tax: int = 0
    shipping_cost: int = 0
    promised: Window | None = None
    ship_to: ShipTo | None = None
    source: str = SHOP
    imported: bool = False
    version: int = 1
    gift: bool = False
    store_id: str = ""


@dataclass(frozen=True)
class PastOrder:
    """One line of a customer's history. `lines` are (item_id, quantity); `gift_item_ids` were for somebody else only."""

    order_id: str
    placed_at: datetime
    lines: tuple[tuple[str, int], ...]
    total: int = 0
    currency: str = ""
    gift_item_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """Where a shipment stands after all that is known of it.

    `attempt` counts tries to deliver and legs of the way, from 1; `since` is when `status` was entered, None
    while pending. `is_full` says that no more events are taken.
    """

    status: Status = Status.PENDING
    attempt: int = 1
    since: datetime | None = None
    estimated: Window | None = None
    flags: tuple[str, ...] = ()
    is_full: bool = False


@dataclass(frozen=True)
class Shipment:
    """A parcel of an order. No `line_ids` means the whole order. `version` counts the changes of its head."""

    shipment_id: str
    order_id: str
    customer_id: str
    carrier: str
    tracking_number: str
    line_ids: tuple[str, ...] = ()
    head: Head = Head()
    version: int = 1


@dataclass(frozen=True)
class ShipmentEvent:
    """One thing that happened to a parcel, as a carrier or the shop told it; never changed.

    `delayed` raises or clears the flag, None says nothing of it. A `correction` may move the head out of a
    final status.
    """

    event_id: str
    status: Status
    at: datetime
    raw_status: str = ""
    location: str = ""
    reason: str = ""
    estimated: Window | None = None
    delayed: bool | None = None
    correction: bool = False
