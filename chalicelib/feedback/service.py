"""Use cases of feedback: what a customer complains of is known to every channel in the next request."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.activity import telling as timeline
from chalicelib.customers import reads as people
from chalicelib.feedback import reads, store
from chalicelib.feedback.model import SCORES, STAFF, WEB, Complaint, Satisfaction, Status
from chalicelib.feedback.schemas import (
    COMPLAINT_OPENED,
    COMPLAINT_RESOLVED,
    SATISFACTION_GIVEN,
    ComplaintBody,
    SatisfactionBody,
)
from chalicelib.orders import reads as orders
from chalicelib.shared import ids
from chalicelib.shared.errors import InvalidInput, NotFound


def complain(customer_id: str, body: ComplaintBody, *, own: bool, key: str, now: datetime) -> Complaint:
    """Open a complaint once per Idempotency-Key; it is on the timeline when this returns. Raises KeyReused.

    A run that ended in between is finished by sending it again.
    """
    customer_ids = _selves(customer_id)
    _check_order(body.order_id, customer_ids, own=own)
    drafted = Complaint(
        complaint_id=ids.new(now),
        customer_id=customer_id,
        text=body.text,
        opened_at=now,
        channel=body.channel or (WEB if own else STAFF),
        order_id=body.order_id,
    )
    complaint = store.open_complaint(drafted, key=key, request=body.model_dump_json())
    _tell(complaint, COMPLAINT_OPENED, "complaint", complaint.opened_at, now=now)
    return complaint


def resolve(customer_id: str, complaint_id: str, *, now: datetime) -> Complaint:
    """Close a complaint; doing it again changes nothing. Raises NotFound."""
    for each in _selves(customer_id):
        complaint = store.resolve(each, complaint_id, at=now)
        if complaint is not None:
            assert complaint.resolved_at is not None, "what is resolved was resolved at a time"
            _tell(complaint, COMPLAINT_RESOLVED, "complaint_resolved", complaint.resolved_at, now=now)
            return complaint
    raise NotFound("this customer has no such complaint")


def complaints(customer_id: str, status: Status | None, *, own: bool) -> list[Complaint]:
    """A customer's complaints, newest first."""
    return [
        each
        for each in reads.complaints(people.asked_for(customer_id, own=own))
        if status in (None, each.status)
    ]


def give(customer_id: str, body: SatisfactionBody, *, own: bool, key: str, now: datetime) -> Satisfaction:
    """Keep a score once per Idempotency-Key; it is on the timeline when this returns. Raises KeyReused."""
    low, high = SCORES[body.scale]
    if not low <= body.score <= high:
        raise InvalidInput.of("score", f"must be {low} to {high} on the scale {body.scale}")
    customer_ids = _selves(customer_id)
    _check_order(body.order_id, customer_ids, own=own)
    drafted = Satisfaction(
        satisfaction_id=ids.new(now),
        customer_id=customer_id,
        score=body.score,
        scale=body.scale,
        at=now,
        channel=body.channel or (WEB if own else STAFF),
        order_id=body.order_id,
    )
    given = store.give(drafted, key=key, request=body.model_dump_json())
    timeline.tell(
        given.customer_id,
        cause=f"{SATISFACTION_GIVEN}:{given.satisfaction_id}",
        kind="satisfaction",
        event=SATISFACTION_GIVEN,
        channel=given.channel,
        at=given.at,
        order_id=given.order_id,
        details={"satisfaction_id": given.satisfaction_id, "score": given.score, "scale": given.scale},
        now=now,
    )
    return given


def erase(customer_ids: Sequence[str], anonymous_ids: Sequence[str], *, now: datetime) -> dict[str, int]:  # noqa: ARG001
    """Remove everything this room keeps about one person. Safe to break off and repeat."""
    return {"people.feedback": sum(store.erase(customer_id) for customer_id in customer_ids)}


def _tell(complaint: Complaint, event: str, kind: str, at: datetime, *, now: datetime) -> None:
    timeline.tell(
        complaint.customer_id,
        cause=f"{event}:{complaint.complaint_id}",
        kind=kind,
        event=event,
        channel=complaint.channel,
        at=at,
        order_id=complaint.order_id,
        details={"complaint_id": complaint.complaint_id}
        | ({"order_id": complaint.order_id} if complaint.order_id else {}),
        now=now,
    )


def _selves(customer_id: str) -> tuple[str, ...]:
    """All customer ids of whom something is written about; raises Gone.

    It stays under the id it was written for, so that undoing a merge gives each side back its own.
    """
    return people.asked_for(customer_id, own=True)


def _check_order(order_id: str | None, customer_ids: Sequence[str], *, own: bool) -> None:
    """Another customer's order is nobody else's business; the shop may name one that has not arrived here yet."""
    if order_id is None:
        return
    order = orders.order(order_id)
    is_foreign = own if order is None else order.customer_id not in customer_ids
    if is_foreign:
        raise InvalidInput.of("order_id", "is not an order of this customer")
