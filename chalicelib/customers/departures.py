"""What is told of customers who leave or want to take their data along, out of changes of the people table."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.customers.schemas import CUSTOMER_ERASED, EXPORT_REQUESTED, CustomerErased, ExportRequested
from chalicelib.shared.clock import from_text
from chalicelib.shared.consumer import Change
from chalicelib.shared.dynamo import Item
from chalicelib.shared.facts import Fact

CUSTOMER_PREFIX, EXPORT_PREFIX, ERASURE_PREFIX = "C#", "EXPORT#", "ERASURE#"


def facts_of(change: Change) -> Sequence[Fact]:
    """Each id of a new erasure, or a new wish for a copy, as its fact; nothing for any other change."""
    new, old = change.new, change.old
    if new is None:
        return []
    if new["pk"].startswith(ERASURE_PREFIX):
        known = old.get("customer_ids", []) if old else []
        added = [each for each in new.get("customer_ids", []) if each not in known]
        return [_erased(customer_id, new) for customer_id in added]
    if old is None and new["pk"].startswith(CUSTOMER_PREFIX) and new["sk"].startswith(EXPORT_PREFIX):
        wanted = ExportRequested(customer_id=new["customer_id"], export_id=new["export_id"])
        return [_fact(EXPORT_REQUESTED, wanted, new["requested_at"], wanted.export_id)]
    return []


def _erased(customer_id: str, erasure: Item) -> Fact:
    data = CustomerErased(customer_id=customer_id, erasure_id=erasure["erasure_id"])
    return _fact(CUSTOMER_ERASED, data, erasure["requested_at"], customer_id)


def _fact(kind: str, data: CustomerErased | ExportRequested, at: str, cause: str) -> Fact:
    return Fact(
        id=f"{kind}:{cause}",
        type=kind,
        subject=f"customers/{data.customer_id}",
        time=from_text(at),
        data=data.model_dump(),
        hops=1,
    )
