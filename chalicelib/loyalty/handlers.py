"""What the ledger does when others say something happened, and what it tells them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalice.app import Blueprint

from chalicelib.loyalty import service
from chalicelib.loyalty.schemas import POINTS_ACCRUED, PointsAccrued
from chalicelib.loyalty.store import ENTRY_PREFIX
from chalicelib.orders.schemas import OrderPlaced
from chalicelib.shared.clock import from_text
from chalicelib.shared.consumer import Change, on_facts, relay
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


@handlers.on_sqs_message(queue="loyalty", batch_size=10, name="loyalty_on_facts")
@on_facts
def loyalty_on_facts(fact: Fact, now: datetime) -> None:
    """`order.placed`: the order earns its points."""
    order = OrderPlaced.model_validate(fact.data)
    service.earn_from_order(
        order.customer_id,
        order_id=order.order_id,
        amount=order.total,
        currency=order.currency,
        placed_at=from_text(order.placed_at),
        imported=order.imported,
        now=now,
    )


@handlers.on_dynamodb_record(
    stream_arn="ledger", batch_size=100, starting_position="TRIM_HORIZON", name="ledger_relay"
)
@relay
def ledger_relay(change: Change) -> Sequence[Fact]:
    """A new entry is the fact `loyalty.points_accrued`."""
    entry = change.new
    if change.old is not None or entry is None or not entry["sk"].startswith(ENTRY_PREFIX):
        return []
    entry_id = entry["sk"].removeprefix(ENTRY_PREFIX)
    data = PointsAccrued(
        customer_id=entry["customer_id"],
        entry_id=entry_id,
        points=entry["points"],
        reason=entry["reason"],
        active_points=entry["active_after"],
    )
    return [
        Fact(
            id=f"{POINTS_ACCRUED}:{entry['customer_id']}#{entry_id}",
            type=POINTS_ACCRUED,
            subject=f"customers/{entry['customer_id']}",
            time=from_text(entry["at"]),
            data=data.model_dump(),
            hops=1,
        )
    ]
