"""What other rooms may ask about orders."""

from __future__ import annotations

from chalicelib.orders import carriers, store
from chalicelib.orders.model import Order, PastOrder

__all__ = ["Order", "PastOrder", "carrier_name", "carrier_page", "newest", "order"]


def newest(customer_id: str, limit: int = 50) -> list[PastOrder]:
    """A customer's latest orders, newest first, consistent. One trip; 1 read unit per 4 KB."""
    return [past for _, past in store.history(customer_id, limit=limit)]


def order(order_id: str) -> Order | None:
    """One order as it is this second. One trip; 1 read unit per 4 KB."""
    return store.load_order(order_id)


def carrier_name(code: str, language: str) -> str:
    """What customers call a carrier in `ja` or `en`."""
    return carriers.name_of(code, language)


def carrier_page(code: str, tracking_number: str) -> str | None:
    """The carrier's public page for one parcel, None when we know of none."""
    return carriers.page_of(code, tracking_number)
