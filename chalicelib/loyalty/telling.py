"""What an entry tells other rooms and partners: one fact for each change, named by its cause."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.loyalty import mapping
from chalicelib.loyalty.answers import last_day
from chalicelib.loyalty.gifts import PREFIX as GIFT_PREFIX
from chalicelib.loyalty.model import Entry
from chalicelib.loyalty.schemas import (
    GIFT_GIVEN,
    ORDER_REFUNDED,
    POINTS_ACCRUED,
    POINTS_CONFIRMED,
    POINTS_EXPIRED,
    POINTS_EXPIRING,
    POINTS_REDEEMED,
    POINTS_REVERSED,
    TIER_CHANGED,
    GiftGiven,
    OrderRefunded,
    PointsChanged,
    TierChanged,
)
from chalicelib.shared.contract import Published
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
    told = TOLD.get(entry.kind)
    if entry.kind == "change":
        told = POINTS_ACCRUED if entry.points > 0 else POINTS_REVERSED
    if told and entry.points:
        data = PointsChanged(
            customer_id=entry.customer_id,
            entry_id=entry.entry_id,
            points=abs(entry.points),
            reason=entry.reason,
            active_points=item["active"],
            pending_until=entry.pending_until if told == POINTS_ACCRUED else "",
            on=last_day(entry.lot) if entry.kind in ("expire", "expiring") else "",
        )
        facts.append(_fact(told, entry, data))
    if entry.entry_id.startswith(GIFT_PREFIX):
        facts.append(_fact(GIFT_GIVEN, entry, _gift(entry)))
    if entry.refunded:
        facts.append(_fact(ORDER_REFUNDED, entry, _refunded(entry)))
    if entry.tier_changed:
        facts.append(_fact(TIER_CHANGED, entry, _tier(entry)))
    return facts


def _gift(entry: Entry) -> GiftGiven:
    occasion, _, year = entry.entry_id.removeprefix(GIFT_PREFIX).partition(":")
    return GiftGiven(
        customer_id=entry.customer_id,
        occasion=occasion,
        year=int(year),
        points=entry.points,
        coupon=entry.coupon,
    )


def _refunded(entry: Entry) -> OrderRefunded:
    order_id = entry.entry_id.removeprefix("order:").partition("#")[0]
    return OrderRefunded(customer_id=entry.customer_id, order_id=order_id, entry_id=entry.entry_id)


def _tier(entry: Entry) -> TierChanged:
    state = entry.tier
    return TierChanged(
        customer_id=entry.customer_id,
        entry_id=entry.entry_id,
        tier=state.name if state else None,
        until=state.until if state else None,
    )


def _fact(fact_type: str, entry: Entry, data: Published) -> Fact:
    return Fact(
        id=f"{fact_type}:{entry.customer_id}#{entry.entry_id}",
        type=fact_type,
        subject=f"customers/{entry.customer_id}",
        time=entry.at,
        data=data.model_dump(),
        hops=1,
    )
