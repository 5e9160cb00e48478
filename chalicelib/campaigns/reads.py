"""What other rooms may ask about campaigns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.campaigns import store
from chalicelib.shared.clock import to_text


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """The mail that is planned for one person, as plain JSON. A trip for each id."""
    return {
        "planned": [
            {"customer_id": due.customer_id, "campaign_id": due.campaign_id, "due_at": to_text(due.due_at)}
            for customer_id in customer_ids
            for due in store.of_customer(customer_id)
        ]
    }
