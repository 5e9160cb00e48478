"""What customers are told of their parcels: one factual mail for each entry into a status."""

from __future__ import annotations

from datetime import date, datetime

from chalicelib.messages import rules, service
from chalicelib.messages.model import LANGUAGES, Message, MessageClass, Outcome
from chalicelib.orders import reads as orders
from chalicelib.orders.schemas import ShipmentStatusChanged
from chalicelib.shared.clock import from_text

OUTDATED = "outdated"
ARRIVING = frozenset(
    {"label_created", "picked_up", "in_transit", "out_for_delivery", "attempt_failed", "exception"}
)  # where an expected day still says something


def tell_of_shipment(changed: ShipmentStatusChanged, *, now: datetime) -> Outcome:
    """Mail a parcel's entry into a status, once. What happened long ago is history brought along."""
    message = _message(changed)
    if not rules.is_news(from_text(changed.at), now):
        return service.withhold(message, OUTDATED, now=now)
    return service.send(message, now=now)


def _message(changed: ShipmentStatusChanged) -> Message:
    return Message(
        customer_id=changed.customer_id,
        send_key=rules.shipment_key(changed.shipment_id, changed.attempt, changed.status),
        template="shipment",
        message_class=MessageClass.TRANSACTIONAL,
        cause=f"shipment_{changed.status}",
        section=changed.status,
        values={
            "order_id": changed.order_id,
            "tracking_number": changed.tracking_number,
            "link": orders.carrier_page(changed.carrier, changed.tracking_number) or "",
        },
        in_language={
            language: {
                "carrier": orders.carrier_name(changed.carrier, language),
                "expected": _expected(changed, language),
            }
            for language in LANGUAGES
        },
    )


def _expected(changed: ShipmentStatusChanged, language: str) -> str:
    if changed.status not in ARRIVING or not changed.estimated_from or not changed.estimated_until:
        return ""
    window = date.fromisoformat(changed.estimated_from), date.fromisoformat(changed.estimated_until)
    return rules.window_text(*window, language)
