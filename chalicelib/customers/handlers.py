"""What this room tells the others when a profile changes."""

from __future__ import annotations

from collections.abc import Sequence

from chalice.app import Blueprint

from chalicelib.customers.schemas import CUSTOMER_CREATED, CustomerCreated
from chalicelib.customers.store import PROFILE
from chalicelib.shared.clock import from_text
from chalicelib.shared.consumer import Change, relay
from chalicelib.shared.facts import Fact

handlers = Blueprint(__name__)


@handlers.on_dynamodb_record(
    stream_arn="people", batch_size=100, starting_position="TRIM_HORIZON", name="people_relay"
)
@relay
def people_relay(change: Change) -> Sequence[Fact]:
    """A profile that somebody trusted speaks of for the first time is the fact `customer.created`.

    A profile begun by a browser's hint is not news yet: whoever holds a publishable key could make any number.
    """
    before, profile = change.old, change.new
    if profile is None or profile["sk"] != PROFILE or not profile["confirmed"]:
        return []
    if before is not None and before["confirmed"]:
        return []
    customer_id = profile["customer_id"]
    data = CustomerCreated(
        customer_id=customer_id, created_at=profile["created_at"], imported=profile["imported"]
    )
    return [
        Fact(
            id=f"{CUSTOMER_CREATED}:{customer_id}",
            type=CUSTOMER_CREATED,
            subject=f"customers/{customer_id}",
            time=from_text(profile["created_at"]),
            data=data.model_dump(),
        )
    ]
