"""What other rooms may ask about messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.messages import gate, store
from chalicelib.shared import clock


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """What was sent to one person or withheld, and what their gate says, as plain JSON. Two trips for each id."""
    now = clock.now()
    return {
        "messages": [item for customer_id in customer_ids for item in store.everything(customer_id, now=now)],
        "gate": {customer_id: gate.everything(customer_id) for customer_id in customer_ids},
    }
