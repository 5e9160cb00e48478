"""What other rooms may ask about orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.orders import carriers, mapping, store
from chalicelib.orders.model import Order, OrderLine, PastOrder, Shipment, ShipmentEvent, Status
from chalicelib.shared.dynamo import Item

__all__ = [
    "Order",
    "OrderLine",
    "PastOrder",
    "carrier_name",
    "carrier_page",
    "export_of",
    "is_delivered",
    "newest",
    "order",
]


def newest(customer_ids: str | Sequence[str], limit: int = 50) -> list[PastOrder]:
    """The latest orders of one id or of all ids of a person, newest first, consistent.

    One trip for each id; 1 read unit per 4 KB.
    """
    asked = [customer_ids] if isinstance(customer_ids, str) else customer_ids
    return [past for _, past in store.histories(asked, limit=limit)]


def order(order_id: str) -> Order | None:
    """One order as it is this second. One trip; 1 read unit per 4 KB."""
    return store.load_order(order_id)


def is_delivered(order_id: str) -> bool:
    """Whether an order has parcels and every one was delivered. A trip, and one for each parcel."""
    parcels = [store.load_shipment(each) for each in store.shipment_ids(order_id)]
    return bool(parcels) and all(each and each.head.status is Status.DELIVERED for each in parcels)


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """Every order of one person with its parcels and what carriers told of them, as plain JSON.

    A trip for each id, two for each order, two for each parcel.
    """
    lines = [line for customer_id in customer_ids for line in store.everything(customer_id)]
    return {"orders": [_plain(order) for line in lines if (order := store.load_order(line["order_id"]))]}


def _plain(order: Order) -> dict[str, Any]:
    found = filter(None, (store.tracked(each) for each in store.shipment_ids(order.order_id)))
    parcels = [
        {**_told(mapping.of_shipment(parcel)), "events": [_told(_of_event(parcel, each)) for each in events]}
        for parcel, events in found
    ]
    return {**_told(mapping.of_order(order)), "shipments": parcels}


def _of_event(parcel: Shipment, event: ShipmentEvent) -> Item:
    return mapping.of_event(parcel.shipment_id, "", event, heard="")


def _told(item: Item) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("pk", "sk", "heard")}


def carrier_name(code: str, language: str) -> str:
    """What customers call a carrier in `ja` or `en`."""
    return carriers.name_of(code, language)


def carrier_page(code: str, tracking_number: str) -> str | None:
    """The carrier's public page for one parcel, None when we know of none."""
    return carriers.page_of(code, tracking_number)
