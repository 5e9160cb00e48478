"""What an entry tells other rooms and partners: one fact for each change, named by its cause."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.loyalty import mapping
from chalicelib.loyalty.answers import last_day
from chalicelib.loyalty.model import Entry
from chalicelib.loyalty.schemas import (
    POINTS_ACCRUED,
    POINTS_CONFIRMED,
    POINTS_EXPIRED,
    POINTS_EXPIRING,
    POINTS_REDEEMED,
    POINTS_REVERSED,
    TIER_CHANGED,
    PointsChanged,
    TierChanged,
)
from chalicelib.shared.dynamo import Item
from chalicelib.shared.facts import Fact

TOLD = {
    "accrue": POINTS_ACCRUED,
    "confirm": POINTS_CONFIRMED,
    "mature": POINTS_CONFIRMED,
    "redeem": POINTS_REDEEMED,
    "refund": POINTS_REVERSED,
    "expire": POINTS_EXPIRED,
    "expiring": POINTS_EXPIRING,
}


def facts_of(item: Item) -> Sequence[Fact]:
    """The facts of one new entry as it is stored; what only moves points within the account tells nobody."""
    entry = mapping.to_entry(item)
    facts = []
    if entry.kind in TOLD and entry.points:
        data = PointsChanged(
            customer_id=entry.customer_id,
            entry_id=entry.entry_id,
            points=abs(entry.points),
            reason=entry.reason,
            active_points=item["active"],
            pending_until=entry.pending_until if entry.kind == "accrue" else "",
            on=last_day(entry.lot) if entry.kind in ("expire", "expiring") else "",
        )
        facts.append(_fact(TOLD[entry.kind], entry, data))
    if entry.tier_changed:
        facts.append(_fact(TIER_CHANGED, entry, _tier(entry)))
    return facts


def _tier(entry: Entry) -> TierChanged:
    state = entry.tier
    return TierChanged(
        customer_id=entry.customer_id,
        entry_id=entry.entry_id,
        tier=state.name if state else None,
        until=state.until if state else None,
    )


def _fact(fact_type: str, entry: Entry, data: PointsChanged | TierChanged) -> Fact:
    return Fact(
        id=f"{fact_type}:{entry.customer_id}#{entry.entry_id}",
        type=fact_type,
        subject=f"customers/{entry.customer_id}",
        time=entry.at,
        data=data.model_dump(),
        hops=1,
    )
