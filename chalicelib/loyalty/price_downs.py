"""What somebody buys often, pure: the items that something is due on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from chalicelib.loyalty.program import PriceDowns
from chalicelib.orders.reads import PastOrder


def often(orders: Iterable[PastOrder], terms: PriceDowns, now: datetime) -> list[str]:
    """The items that were in enough orders of the last days, most often first; presents for others do not count."""
    first = now - timedelta(days=terms.within_days)
    bought = Counter(
        item_id
        for order in orders
        if first <= order.placed_at <= now
        for item_id in {item_id for item_id, _ in order.lines} - set(order.gift_item_ids)
    )
    enough = [(-n, item_id) for item_id, n in bought.items() if n >= terms.min_purchases]
    return [item_id for _, item_id in sorted(enough)]


def due(
    items: Sequence[str], given: Iterable[tuple[str, datetime]], terms: PriceDowns, now: datetime
) -> list[str]:
    """Those of the items that had nothing off within `every_days`, as many as there is still room for."""
    lately = {item_id for item_id, at in given if now - at < timedelta(days=terms.every_days)}
    room = max(0, terms.items_max - len(lately))
    return [each for each in items if each not in lately][:room]
