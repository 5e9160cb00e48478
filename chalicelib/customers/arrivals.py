"""What is told of visitors who turn out to be customers, out of changes of the people table."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.customers.mapping import LINK
from chalicelib.customers.schemas import CUSTOMER_LINKED, CustomerLinked
from chalicelib.shared.clock import from_text
from chalicelib.shared.consumer import Change
from chalicelib.shared.facts import Fact

ANONYMOUS_PREFIX = "ID#anonymous#"


def facts_of(change: Change) -> Sequence[Fact]:
    """A device that has become a customer's is the fact `customer.linked`; nothing for any other change."""
    link = change.new
    if link is None or link["sk"] != LINK or not link["customer_id"]:
        return []
    if change.old is not None and change.old["customer_id"] == link["customer_id"]:
        return []
    customer_id, anonymous_id = link["customer_id"], link["pk"].removeprefix(ANONYMOUS_PREFIX)
    return [
        Fact(
            id=f"{CUSTOMER_LINKED}:{anonymous_id}#{customer_id}#{link['linked_at']}",
            type=CUSTOMER_LINKED,
            subject=f"customers/{customer_id}",
            time=from_text(link["linked_at"]),
            data=CustomerLinked(customer_id=customer_id, anonymous_id=anonymous_id).model_dump(),
        )
    ]
