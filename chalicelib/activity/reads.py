"""What other rooms may ask about what somebody did."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.activity import rules, store
from chalicelib.activity.model import Timeline, Touch, Who
from chalicelib.shared import clock
from chalicelib.shared.dynamo import Item

__all__ = ["Timeline", "Touch", "Who", "canonical_name", "export_of", "first_seen", "is_known", "newest"]


def newest(people: Sequence[Timeline], limit: int, consistent: bool = True) -> list[Touch]:  # noqa: FBT001, FBT002
    """The newest touchpoints of these timelines as one, newest first.

    `people` are `("customer", id)`, `("claimed", id)` for what browsers say of a customer, and `("anonymous", id)`.
    Nobody can vouch for what is claimed: ask for it apart, or a flood of it pushes out the rest. One trip for all at once; consistent, so that what was
    accepted a moment ago is in it.
    """
    pages = store.newest(people, now=clock.now(), limit=limit, consistent=consistent)
    rows = sorted((row for page in pages for row in page.rows), key=lambda row: row.sk, reverse=True)
    return [_touch(row) for row in rows[:limit]]


def is_known(customer_id: str) -> bool:
    """Whether a customer's timeline has anything in it, a hint at least. One trip for both, 2 read units."""
    return first_seen(customer_id) is not None


def first_seen(customer_id: str) -> datetime | None:
    """When a customer's timeline begins, hints included. One trip for both, 2 read units."""
    now = clock.now()
    timelines: list[Timeline] = [("customer", customer_id), ("claimed", customer_id)]
    found = store.together(lambda each: store.oldest(each, now=now), timelines)
    return min((entry.at for entry in found if entry), default=None)


def canonical_name(event: str) -> str:
    """What a track event is called on the timeline: GA4's names and any spelling of Segment's become Segment's."""
    return rules.meaning_of(event)[0]


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:
    """Everything on the timelines of one person, oldest first, as plain JSON. A trip for each id."""
    people: list[Timeline] = [("customer", each) for each in customer_ids]
    people += [("claimed", each) for each in customer_ids]
    people += [("anonymous", each) for each in anonymous_ids]
    now = clock.now()
    items = [item for who in people for item in store.everything(who, now=now)]
    return {"timeline": [_plain(item) for item in sorted(items, key=lambda item: str(item["sk"]))]}


def _plain(item: Item) -> dict[str, Any]:
    kept = {name: value for name, value in item.items() if name not in ("pk", "sk", "ttl", "hops")}
    whose = "customer_id" if not item["pk"].startswith("A#") else "anonymous_id"
    details = json.loads(item.get("details", "{}"))
    if item["kind"] == "note":
        details.pop("author_name", None)  # said of one of the shop's people and not of the customer
    return {
        "id": item["sk"].rpartition("#")[2],
        whose: item["pk"].partition("#")[2],
        **kept,
        "details": details,
    }


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
        entry.anonymous_id,
    )
