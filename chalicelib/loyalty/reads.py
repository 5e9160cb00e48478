"""What other rooms may ask the ledger."""

from __future__ import annotations

from chalicelib.loyalty import store


def active_points(customer_id: str) -> int:
    """Points a customer can use now. One trip, 1 read unit."""
    return store.read(customer_id).active_points
