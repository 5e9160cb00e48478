"""What is told of customers who leave or want to take their data along, out of changes of the people table."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.customers.schemas import CUSTOMER_ERASED, EXPORT_REQUESTED, CustomerErased, ExportRequested
from chalicelib.shared.clock import from_text
from chalicelib.shared.consumer import Change
from chalicelib.shared.facts import Fact

CUSTOMER_PREFIX, EXPORT_PREFIX, ERASED = "C#", "EXPORT#", "ERASED"


def facts_of(change: Change) -> Sequence[Fact]:
    """A new tombstone of a customer, or a new wish for a copy, as its fact; nothing for any other change."""
    new = change.new
    if new is None or change.old is not None or not new["pk"].startswith(CUSTOMER_PREFIX):
        return []
    customer_id = new["pk"].removeprefix(CUSTOMER_PREFIX)
    if new["sk"] == ERASED and "erasure_id" in new:  # a pseudonym's tombstone names no erasure
        erased = CustomerErased(customer_id=customer_id, erasure_id=new["erasure_id"])
        return [_fact(CUSTOMER_ERASED, customer_id, new["erased_at"], erased, customer_id)]
    if new["sk"].startswith(EXPORT_PREFIX):
        wanted = ExportRequested(customer_id=customer_id, export_id=new["export_id"])
        return [_fact(EXPORT_REQUESTED, customer_id, new["requested_at"], wanted, wanted.export_id)]
    return []


def _fact(
    kind: str, customer_id: str, at: str, data: CustomerErased | ExportRequested, cause: str
) -> Fact:
    return Fact(
        id=f"{kind}:{cause}",
        type=kind,
        subject=f"customers/{customer_id}",
        time=from_text(at),
        data=data.model_dump(),
        hops=1,
    )
