"""Orders and deliveries over HTTP, and the facts this room publishes."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, ValidationInfo, field_validator

from chalicelib.orders.model import LINES_MAX, Status
from chalicelib.shared.clock import EARLIEST, LATEST
from chalicelib.shared.contract import At, Currency, Id, In, Line, MinorUnits, Moment, Out, Published, Query
from chalicelib.shared.money import AMOUNT_MAX

ORDER_PLACED = "order.placed"
ORDER_CHANGED = "order.changed"
SHIPMENT_STATUS_CHANGED = "shipment.status_changed"

QUANTITY_MAX = 1_000_000
PAGE_MAX = 100
CARRIER_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,39}$"
TRACKING_NUMBER_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9 -]{0,63}$"


def _day(value: date) -> date:
    if not EARLIEST.date() <= value < LATEST.date():
        raise ValueError("must be between the years 2000 and 2099")
    return value


Day = Annotated[date, AfterValidator(_day), Field(examples=["2026-12-20"])]


class WindowBody(In):
    """When something is to arrive: from this day until that one, both included."""

    start: Day = Field(alias="from")
    until: Day

    @field_validator("until")
    @classmethod
    def _in_order(cls, value: date, info: ValidationInfo) -> date:
        if "start" in info.data and value < info.data["start"]:
            raise ValueError("may not be before `from`")
        return value


class WindowAnswer(Out):
    """Both days included; the same day twice is a day."""

    model_config = ConfigDict(serialize_by_alias=True)

    start: date = Field(serialization_alias="from")
    until: date


class LineBody(In):
    line_id: Id | None = Field(
        default=None, description="Its place in the list, from 1, if left out.", examples=["1"]
    )
    item_id: Id
    quantity: int = Field(ge=1, le=QUANTITY_MAX)
    price: MinorUnits = Field(description="Minor units of the order's currency, each.", examples=[1990])
    made_to_order: bool = False
    product_line: Id | None = Field(default=None, description="Which production stages it goes through.")
    gift: bool = Field(default=False, description="For somebody else, so it says little about the customer.")

    @field_validator("price")
    @classmethod
    def _countable(cls, value: int, info: ValidationInfo) -> int:
        if value * info.data.get("quantity", 0) > AMOUNT_MAX:
            raise ValueError(f"times quantity may be {AMOUNT_MAX} minor units at most")
        return value


class ShipToBody(In):
    """Where to, as far as a delivery needs it. Names and streets stay with you."""

    country: str = Field(pattern="^[A-Z]{2}$", description="ISO 3166-1", examples=["JP"])
    postal_code: Annotated[Line, Field(max_length=20)] | None = Field(default=None, examples=["100-0001"])


class OrderBody(In):
    """The whole order.

    Amounts are integers in minor units of `currency`: 1990 JPY is ¥1,990; 1990 USD is $19.90.
    """

    customer_id: Id
    placed_at: Moment | None = Field(default=None, description="Left out: now, and later what is stored.")
    currency: Currency
    total: MinorUnits = Field(description="What the customer paid; need not be the sum of the lines.")
    discount: MinorUnits = 0
    tax: MinorUnits = 0
    shipping_cost: MinorUnits = 0
    lines: list[LineBody] = Field(min_length=1, max_length=LINES_MAX)
    promised: WindowBody | None = Field(default=None, description="What the contract says.")
    ship_to: ShipToBody | None = None
    gift: bool = Field(default=False, description="Every line is a gift.")
    store_id: Id | None = Field(
        default=None, description="The store it was bought in; left out: online.", examples=["ginza"]
    )


class ImportedOrder(OrderBody):
    """One order of the history a shop brings along."""

    order_id: Id
    placed_at: Moment


class LineAnswer(Out):
    line_id: str
    item_id: str
    quantity: int
    price: int
    made_to_order: bool
    product_line: str | None
    gift: bool


class ShipToAnswer(Out):
    country: str
    postal_code: str | None


class OrderAnswer(Out):
    order_id: str
    customer_id: str
    placed_at: At
    currency: str
    total: int
    discount: int
    tax: int
    shipping_cost: int
    lines: list[LineAnswer]
    promised: WindowAnswer | None
    ship_to: ShipToAnswer | None
    gift: bool
    store_id: str | None = Field(description="Null: online.")
    source: str = Field(description="`shop`: you said so; `event`: a trusted `Order Completed` did, so far.")
    version: int = Field(description="Grows by one with every change; also the ETag.")


class OrdersQuery(Query):
    limit: int = Field(default=20, ge=1, le=PAGE_MAX)
    cursor: str | None = Field(default=None, max_length=4096, description="`next_cursor` of the page before.")


class BoughtAnswer(Out):
    item_id: str
    quantity: int


class PastOrderAnswer(Out):
    order_id: str
    placed_at: At
    currency: str
    total: int
    lines: list[BoughtAnswer]


class OrdersAnswer(Out):
    """A customer's orders, newest first."""

    data: list[PastOrderAnswer]
    next_cursor: str | None


class ShipmentBody(In):
    """A parcel of an order."""

    shipment_id: Id
    carrier: str = Field(pattern=CARRIER_PATTERN, examples=["jp.yamato"])
    tracking_number: str = Field(pattern=TRACKING_NUMBER_PATTERN, examples=["1234-5678-9012"])
    line_ids: list[Id] = Field(
        default_factory=list, max_length=LINES_MAX, description="Empty: the whole order."
    )


class HeadAnswer(Out):
    """Where a parcel stands."""

    shipment_id: str
    status: Status
    attempt: int = Field(description="Tries to deliver and legs of the way, from 1.")
    estimated: WindowAnswer | None
    flags: list[str] = Field(examples=[["delayed"]])


class ShipmentAnswer(HeadAnswer):
    """A parcel and where it stands."""

    order_id: str
    carrier: str
    tracking_number: str
    tracking_url: str | None = Field(description="The carrier's public page.")
    line_ids: list[str]


class EventBody(In):
    """One thing that happened to a parcel. Send it as often as you like and in any order."""

    event_id: Id
    status: Status = Field(strict=False, examples=["in_transit"])
    at: Moment | None = Field(
        default=None, description="When it happened, not when you heard of it. Left out: now."
    )
    raw_status: Line | None = Field(default=None, description="The carrier's own word.", examples=["輸送中"])
    location: Line | None = None
    reason: Line | None = Field(default=None, description="Of an exception or a delay.")
    estimated: WindowBody | None = None
    delayed: bool | None = Field(default=None, description="Raise or clear the flag; left out, it stays.")
    correction: bool = Field(
        default=False, description="The status is right whatever was known before, even after a final one."
    )


class EventAnswer(Out):
    shipment: HeadAnswer
    applied: bool = Field(
        description="Whether this event moved the parcel; a late one may enter the timeline only."
    )
    duplicate: bool = Field(description="Whether it was known before, by its id or by what it says.")


class TrackedEvent(Out):
    event_id: str
    status: Status
    at: At
    raw_status: str | None
    location: str | None
    reason: str | None
    estimated: WindowAnswer | None


class TrackedShipment(ShipmentAnswer):
    carrier_name: str
    since: At | None = Field(description="When it entered its status.")
    events: list[TrackedEvent] = Field(description="By when they happened, earliest first.")


class TrackingAnswer(Out):
    """Where an order is."""

    order_id: str
    customer_id: str
    placed_at: At
    promised: WindowAnswer | None
    shipments: list[TrackedShipment]


class OrderPlacedLine(Published):
    line_id: str = ""
    item_id: str
    quantity: int
    price: int = Field(description="Minor units, each.")


class OrderPlaced(Published):
    """Fact `order.placed`: an order was accepted for the first time."""

    order_id: str
    customer_id: str
    placed_at: str
    total: int = Field(description="Minor units.")
    currency: str
    lines: list[OrderPlacedLine]
    store_id: str = Field(default="", description="Where it was bought; empty: online.")
    imported: bool = Field(
        default=False, description="History brought along, not something that happens now."
    )


class OrderChanged(OrderPlaced):
    """Fact `order.changed`: what an order costs or holds became another; this is how it was after that change."""

    version: int = Field(description="Of the order; grows with every change.")


class ShipmentStatusChanged(Published):
    """Fact `shipment.status_changed`: a parcel entered a status, or entered it again in a new attempt."""

    shipment_id: str
    order_id: str
    customer_id: str
    status: str
    attempt: int
    at: str
    carrier: str
    tracking_number: str
    estimated_from: str | None = None
    estimated_until: str | None = None
