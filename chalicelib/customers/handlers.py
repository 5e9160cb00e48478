"""What this room tells the others when a profile changes."""

from __future__ import annotations

from collections.abc import Sequence

from chalice.app import Blueprint

from chalicelib.customers import arrivals, departures, merge_store
from chalicelib.customers.mapping import PROFILE
from chalicelib.customers.schemas import (
    CUSTOMER_CREATED,
    CUSTOMER_MERGED,
    CUSTOMER_UNMERGED,
    CustomerCreated,
    CustomerMerged,
)
from chalicelib.desk import schemas as desk
from chalicelib.feedback import schemas as feedback
from chalicelib.questions import schemas as questions
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
    What the desk, feedback and questions rooms keep in the same table is told in their words.
    """
    told = [
        *arrivals.facts_of(change),
        *departures.facts_of(change),
        *_of_merge(change),
        *desk.facts_of(change.old, change.new),
        *feedback.facts_of(change.old, change.new),
        *questions.facts_of(change.old, change.new),
    ]
    if told:
        return told
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


def _of_merge(change: Change) -> Sequence[Fact]:
    merge = merge_store.merge_of(change.new) if change.new else None
    if merge is None:
        return []
    told, at = (CUSTOMER_UNMERGED, merge.undone_at) if merge.undone_at else (CUSTOMER_MERGED, merge.merged_at)
    data = CustomerMerged(merge_id=merge.merge_id, survivor=merge.survivor, absorbed=merge.absorbed)
    return [
        Fact(
            id=f"{told}:{merge.merge_id}",
            type=told,
            subject=f"customers/{merge.survivor}",
            time=at,
            data=data.model_dump(),
        )
    ]
