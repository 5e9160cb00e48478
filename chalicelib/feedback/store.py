"""Feedback's part of the people table: `C#{customer_id}`/`COMPLAINT#{id}`, `CSAT#{id}` (ULIDs) and `ONCE#…` of both."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chalicelib.feedback.model import (
    COMPLAINT_PREFIX,
    OPEN,
    RESOLVED,
    SATISFACTION_PREFIX,
    Complaint,
    Satisfaction,
)
from chalicelib.shared import once
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

COMPLAINT, SATISFACTION = "complaint", "satisfaction"
ERASE_PAGE = 100


def open_complaint(complaint: Complaint, *, key: str, request: str) -> Complaint:
    """Store a complaint once per key; returns the one that stands; raises KeyReused. One trip, 4 write units and up."""
    return _complaint(once.make("people", COMPLAINT, _complaint_item(complaint), key=key, request=request))


def complaints(customer_id: str, *, limit: int) -> list[Complaint]:
    """Complaints under one id, newest first, consistent. One trip; 1 read unit per 4 KB."""
    found = table("people").query(
        _pk(customer_id), prefix=COMPLAINT_PREFIX, newest_first=True, limit=limit, consistent=True
    )
    return [_complaint(item) for item in found]


def resolve(customer_id: str, complaint_id: str, *, at: datetime) -> Complaint | None:
    """Mark a complaint resolved; returns it as it stands, None when there is none. One trip, two when it was."""
    pk, sk = _pk(customer_id), COMPLAINT_PREFIX + complaint_id
    try:
        item = table("people").update(
            pk,
            sk,
            "SET #status = :resolved, resolved_at = :at",
            names={"#status": "status"},
            values={":resolved": RESOLVED, ":at": to_text(at), ":open": OPEN},
            condition="#status = :open",
        )
    except ConditionFailed as failed:
        return _complaint(failed.old) if failed.old else None
    return _complaint(item)


def give(satisfaction: Satisfaction, *, key: str, request: str) -> Satisfaction:
    """Store a score once per key; returns the one that stands; raises KeyReused. One trip, 4 write units."""
    item = _satisfaction_item(satisfaction)
    return _satisfaction(once.make("people", SATISFACTION, item, key=key, request=request))


def satisfaction(customer_id: str, *, limit: int) -> list[Satisfaction]:
    """Scores under one id, newest first, consistent. One trip; 1 read unit per 4 KB."""
    found = table("people").query(
        _pk(customer_id), prefix=SATISFACTION_PREFIX, newest_first=True, limit=limit, consistent=True
    )
    return [_satisfaction(item) for item in found]


def erase(customer_id: str) -> int:
    """Remove all of it under one id; returns how many items. Safe to break off and repeat."""
    removed = 0
    marks = [f"{once.PREFIX}{COMPLAINT}", f"{once.PREFIX}{SATISFACTION}"]
    for prefix in (COMPLAINT_PREFIX, SATISFACTION_PREFIX, *marks):
        while found := table("people").query(
            _pk(customer_id), prefix=prefix, limit=ERASE_PAGE, consistent=True
        ):
            for item in found:
                table("people").delete(item["pk"], item["sk"])
            removed += len(found)
    return removed


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _complaint_item(complaint: Complaint) -> Item:
    return {
        "pk": _pk(complaint.customer_id),
        "sk": COMPLAINT_PREFIX + complaint.complaint_id,
        "complaint_id": complaint.complaint_id,
        "customer_id": complaint.customer_id,
        "text": complaint.text,
        "opened_at": to_text(complaint.opened_at),
        "channel": complaint.channel,
        "order_id": complaint.order_id,
        "status": complaint.status,
    }


def _complaint(item: Item) -> Complaint:
    resolved_at = item.get("resolved_at")
    return Complaint(
        **_plain(item)
        | {
            "opened_at": from_text(item["opened_at"]),
            "resolved_at": from_text(resolved_at) if resolved_at else None,
        }
    )


def _satisfaction_item(satisfaction: Satisfaction) -> Item:
    return {
        "pk": _pk(satisfaction.customer_id),
        "sk": SATISFACTION_PREFIX + satisfaction.satisfaction_id,
        "satisfaction_id": satisfaction.satisfaction_id,
        "customer_id": satisfaction.customer_id,
        "score": satisfaction.score,
        "scale": satisfaction.scale,
        "at": to_text(satisfaction.at),
        "channel": satisfaction.channel,
        "order_id": satisfaction.order_id,
    }


def _satisfaction(item: Item) -> Satisfaction:
    return Satisfaction(**_plain(item) | {"at": from_text(item["at"])})


def _plain(item: Item) -> dict[str, Any]:
    return {name: value for name, value in item.items() if name not in ("pk", "sk")}
