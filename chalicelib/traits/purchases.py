"""Which orders stand, pure: recorded and told ones become one list, without what was cancelled or given back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from chalicelib.traits.model import Act, Bought, Purchase

CANCELLED, REFUNDED = "order_cancelled", "order_refunded"


@dataclass(frozen=True)
class Told:
    """What a timeline says of an order: that it was made, cancelled or given back."""

    order_id: str
    act: Act


def standing(
    recorded: Sequence[Purchase], told: Iterable[Told], *, recorded_after: datetime | None
) -> tuple[Purchase, ...]:
    """The orders that stand, newest first, each once.

    An order told by an event counts before its record is there. Where records are only known after `recorded_after`,
    older ones told are left out: their record may lie beyond what was read.
    """
    told = [each for each in told if each.act.trusted]
    orders = {purchase.order_id: purchase for purchase in recorded}
    for each in sorted(told, key=lambda each: (each.act.at, each.act.entry_id)):
        if each.act.kind != "order":
            continue
        known = orders.get(each.order_id)
        if known is not None:
            orders[each.order_id] = replace(
                known, channel=known.channel or each.act.channel, details=known.details or each.act.details
            )
        elif recorded_after is None or each.act.at > recorded_after:
            orders |= {each.order_id: _of_event(each)}
    kept = (_without(purchase, told) for purchase in orders.values())
    standing = [purchase for purchase in kept if purchase is not None]
    return tuple(sorted(standing, key=lambda purchase: (purchase.at, purchase.order_id), reverse=True))


def _of_event(told: Told) -> Purchase:
    details = told.act.details
    lines = _lines(details)
    own = {line["item_id"] for line in lines if not (line.get("gift") or details.get("gift"))}
    quantities: dict[str, int] = {}
    for line in lines:
        quantities[line["item_id"]] = quantities.get(line["item_id"], 0) + line.get("quantity", 1)
    bought = tuple(Bought(item_id, each, gift=item_id not in own) for item_id, each in quantities.items())
    return Purchase(
        told.order_id,
        told.act.at,
        details.get("total", 0),
        details.get("currency", ""),
        bought,
        told.act.channel,
        details,
    )


def _without(purchase: Purchase, told: Iterable[Told]) -> Purchase | None:
    """The order without what was given back, None when nothing is left of it."""
    about = [each.act for each in told if each.order_id == purchase.order_id]
    if any(act.kind == CANCELLED for act in about):
        return None
    refunds = [act.details for act in about if act.kind == REFUNDED]
    if any(_is_whole(refund, purchase) for refund in refunds):
        return None
    returned: dict[str, int] = {}
    for line in (line for refund in refunds for line in _lines(refund)):
        returned[line["item_id"]] = returned.get(line["item_id"], 0) + line.get("quantity", 1)
    if not returned:
        return purchase
    left = (replace(each, quantity=each.quantity - returned.get(each.item_id, 0)) for each in purchase.bought)
    bought = tuple(each for each in left if each.quantity > 0)
    return replace(purchase, bought=bought) if bought else None


def _is_whole(refund: Mapping[str, Any], purchase: Purchase) -> bool:
    if "total" in refund:
        return bool(refund["total"] >= purchase.total and refund.get("currency") == purchase.currency)
    return not _lines(refund)


def _lines(details: Mapping[str, Any]) -> list[dict[str, Any]]:
    lines: list[dict[str, Any]] = details.get("lines") or []
    return [line for line in lines if line.get("item_id")]
