"""What other rooms may ask about a customer's feedback."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.feedback import store
from chalicelib.feedback.model import LISTED_MAX, Complaint, Satisfaction
from chalicelib.shared.clock import to_text

__all__ = ["Complaint", "Satisfaction", "complaints", "export_of", "open_complaints", "satisfaction"]

EXPORT_MAX = 100_000


def complaints(customer_ids: Sequence[str], *, limit: int = LISTED_MAX) -> list[Complaint]:
    """One person's complaints, newest first, `limit` for each id. A trip for each id, consistent."""
    found = [each for customer_id in customer_ids for each in store.complaints(customer_id, limit=limit)]
    return sorted(found, key=lambda each: each.complaint_id, reverse=True)


def open_complaints(customer_ids: Sequence[str]) -> list[Complaint]:
    """Those that nobody has resolved, newest first. A trip for each id, consistent."""
    return [each for each in complaints(customer_ids) if each.is_open]


def satisfaction(customer_ids: Sequence[str]) -> Satisfaction | None:
    """The last score one person gave, None when they gave none. A trip for each id, consistent."""
    newest = [each for customer_id in customer_ids for each in store.satisfaction(customer_id, limit=1)]
    return max(newest, key=lambda each: (each.at, each.satisfaction_id), default=None)


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:  # noqa: ARG001
    """Everything this room keeps about one person, as plain JSON, oldest first."""
    given = [
        each for customer_id in customer_ids for each in store.satisfaction(customer_id, limit=EXPORT_MAX)
    ]
    return {
        "complaints": [
            vars(each)
            | {
                "opened_at": to_text(each.opened_at),
                "resolved_at": to_text(each.resolved_at) if each.resolved_at else None,
            }
            for each in reversed(complaints(customer_ids, limit=EXPORT_MAX))
        ],
        "satisfaction": [
            vars(each) | {"at": to_text(each.at)} for each in sorted(given, key=lambda each: each.at)
        ],
    }
