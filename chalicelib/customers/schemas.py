"""Customers over HTTP, and the facts this room publishes."""

from __future__ import annotations

from pydantic import Field

from chalicelib.shared.contract import In

CUSTOMER_CREATED = "customer.created"


class CustomerCreated(In):
    """Fact `customer.created`: somebody became known by a customer id."""

    customer_id: str
    created_at: str
    imported: bool = Field(default=False, description="History brought along, not something that happens now.")
