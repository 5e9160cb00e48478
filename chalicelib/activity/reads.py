"""What other rooms may ask about what somebody did."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.activity import rules, store
from chalicelib.activity.model import Touch, Who
from chalicelib.shared import clock

__all__ = ["Touch", "canonical_name", "first_seen", "is_known", "newest"]


def newest(people: Sequence[Who], limit: int, consistent: bool = True) -> list[Touch]:  # noqa: FBT001, FBT002
    """The newest touchpoints of these timelines as one, newest first.

    `people` are `("customer", id)` and `("anonymous", id)`. One trip for all at once; consistent, so that what was
    accepted a moment ago is in it.
    """
    pages = store.newest(people, now=clock.now(), limit=limit, consistent=consistent)
    rows = sorted((row for page in pages for row in page.rows), key=lambda row: row.sk, reverse=True)
    return [_touch(row) for row in rows[:limit]]


def is_known(customer_id: str) -> bool:
    """Whether a customer's timeline has anything in it. One trip, 1 read unit."""
    return first_seen(customer_id) is not None


def first_seen(customer_id: str) -> datetime | None:
    """When a customer's timeline begins. One trip, 1 read unit."""
    entry = store.oldest(("customer", customer_id), now=clock.now())
    return entry.at if entry else None


def canonical_name(event: str) -> str:
    """What a track event is called on the timeline: GA4's names and any spelling of Segment's become Segment's."""
    return rules.meaning_of(event)[0]


def _touch(row: store.Row) -> Touch:
    entry = row.entry
    return Touch(
        entry.entry_id,
        entry.kind,
        entry.event,
        entry.channel,
        entry.at,
        entry.item_ids,
        entry.order_id,
        entry.trusted,
        entry.details,
    )
