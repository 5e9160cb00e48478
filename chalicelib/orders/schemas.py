"""Orders over HTTP, and the facts this room publishes."""

from __future__ import annotations

from pydantic import Field

from chalicelib.shared.contract import In

ORDER_PLACED = "order.placed"
SHIPMENT_STATUS_CHANGED = "shipment.status_changed"


class OrderPlacedLine(In):
    item_id: str
    quantity: int
    price: int = Field(description="Minor units, each.")


class OrderPlaced(In):
    """Fact `order.placed`: an order was accepted for the first time."""

    order_id: str
    customer_id: str
    placed_at: str
    total: int = Field(description="Minor units.")
    currency: str
    lines: list[OrderPlacedLine]
    imported: bool = Field(default=False, description="History brought along, not something that happens now.")


class ShipmentStatusChanged(In):
    """Fact `shipment.status_changed`: a shipment's head moved to another status, or to a new attempt of one."""

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
