"""The door for other rooms whose doings must be on the timeline in the very next request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chalicelib.activity import rules, service
from chalicelib.activity.model import BUS, Draft, Entry, Message


def tell(
    customer_id: str,
    *,
    cause: str,
    kind: str,
    event: str,
    channel: str,
    at: datetime,
    details: Mapping[str, Any],
    now: datetime,
    item_ids: Sequence[str] = (),
    order_id: str | None = None,
    internal: bool = False,
) -> None:
    """Put what another room did into a customer's timeline, once per `cause`; the next request sees it.

    `internal` keeps it from the customer's own page. Two trips, 2 write units and 1 more per KB.
    """
    message = Message(BUS, cause)
    entry = Entry(
        entry_id=rules.entry_id_of(message),
        who=("customer", customer_id),
        kind=kind,
        event=event,
        channel=channel,
        at=at,
        trusted=True,
        customer_id=customer_id,
        item_ids=tuple(item_ids),
        order_id=order_id,
        details=dict(details),
        internal=internal,
    )
    service.record(Draft(message, entry), now=now)
