"""What a person's past says, pure: orders and hints in, counts, loud items and due dates out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from math import exp

from chalicelib.recommendations.model import Act, Basket, Hint, History, SessionWeights, Source

OWN_DAYS = 365.0  # a purchase counts 1/e after this long ...
OWN_PER_BASKET = 0.97  # ... and a little less with every basket since
SOURCES_MAX = 20  # newest items that speak for others: one stored row each
PER_NEWER = 0.8  # how much quieter a source is for every basket since, and a view also for every newer view
HINT_DAYS_MAX = 30  # what somebody looked at last month says nothing about today
LOUDNESS = {Act.ORDER: 1.0, Act.CLAIM: 0.7, Act.CART: 0.7, Act.VIEW: 0.4, Act.HEARSAY: 0.3, Act.ASKED: 1.0}

DUE_PRIOR = 2  # the item's usual interval weighs like this many of the customer's own
DUE_LEAST, DUE_UNKNOWN = (
    0.1,
    0.5,
)  # how much of its score an item keeps that was just bought; of unknown interval


def merge(recorded: Sequence[Basket], told: Iterable[Basket], *, complete: bool) -> tuple[Basket, ...]:
    """Recorded orders and those only just told, each once, newest first.

    A told order is dropped when its record is there, or (unless the records are `complete`) when it is older than all
    of them: its record then lies beyond what was read.
    """
    known = {basket.order_id for basket in recorded}
    oldest = min((basket.at for basket in recorded), default=None)
    fresh: dict[str, Basket] = {}
    for basket in told:
        if basket.order_id not in known and (complete or oldest is None or basket.at >= oldest):
            fresh.setdefault(basket.order_id, basket)
    everything = [*recorded, *fresh.values()]
    return tuple(sorted(everything, key=lambda basket: (basket.at, basket.order_id), reverse=True))


def own_counts(history: History, now: datetime) -> dict[str, float]:
    """How often each item was bought, fading: exp(-age / 365 days) * 0.97 for every newer basket."""
    counts: dict[str, float] = {}
    for newer, basket in enumerate(history.baskets):
        weight = exp(-_days(basket.at, now) / OWN_DAYS) * OWN_PER_BASKET**newer
        for item_id in set(basket.item_ids):
            counts[item_id] = counts.get(item_id, 0.0) + weight
    return counts


def hinted(history: History, now: datetime) -> dict[str, Source]:
    """What was looked at or put into the cart of late and not bought since, by item."""
    bought: dict[str, datetime] = {}
    for basket in reversed(history.baskets):
        bought |= dict.fromkeys(basket.item_ids, basket.at)
    newest: dict[str, Source] = {}
    taken_out: set[str] = set()
    for hint in history.hints:
        if hint.act == Act.CART_REMOVED:
            taken_out.add(hint.item_id)
            continue
        if hint.act == Act.CART and hint.item_id in taken_out:
            continue
        since = bought.get(hint.item_id)
        if _days(hint.at, now) > HINT_DAYS_MAX or (since is not None and since >= hint.at):
            continue
        baskets_since = sum(basket.at > hint.at for basket in history.baskets)
        newer = len(newest) - (hint.item_id in newest)
        weight = LOUDNESS[hint.act] * PER_NEWER ** (baskets_since + newer)
        if hint.item_id not in newest or weight > newest[hint.item_id].weight:
            newest[hint.item_id] = Source(hint.item_id, weight, hint.act, hint.entry_id, hint.at)
    return newest


def viewed_lately(history: History) -> list[Source]:
    """What was looked at, newest first and each once; each is quieter than the one looked at after it."""
    newest: dict[str, Source] = {}
    for hint in history.hints:
        if hint.act == Act.VIEW and hint.item_id not in newest:
            weight = PER_NEWER ** len(newest)
            newest[hint.item_id] = Source(hint.item_id, weight, hint.act, hint.entry_id, hint.at)
    return list(newest.values())


def in_cart(history: History, now: datetime) -> list[Source]:
    """What lies in the cart, newest first: put in of late, not taken out and not ordered since."""
    ordered: dict[str, datetime] = {}
    for basket in reversed(history.baskets):
        ordered |= dict.fromkeys(basket.item_ids, basket.at)
    last: dict[str, Hint] = {}
    for hint in history.hints:
        if hint.act in (Act.CART, Act.CART_REMOVED, Act.CLAIM):
            last.setdefault(hint.item_id, hint)
    return [
        Source(item_id, LOUDNESS[Act.CART], Act.CART, hint.entry_id, hint.at)
        for item_id, hint in last.items()
        if hint.act == Act.CART
        and _days(hint.at, now) <= HINT_DAYS_MAX
        and not (item_id in ordered and ordered[item_id] >= hint.at)
    ]


def sources(history: History, asked: Sequence[str], now: datetime) -> list[Source]:
    """The items that speak for others, loudest first: the page's, then what was bought or looked at last."""
    loudest = hinted(history, now)
    for newer, basket in enumerate(history.baskets):
        for item_id in basket.item_ids:
            weight = LOUDNESS[Act.ORDER] * PER_NEWER**newer
            if item_id not in loudest or weight > loudest[item_id].weight:
                loudest[item_id] = Source(item_id, weight, Act.ORDER, basket.order_id, basket.at)
    loudest |= {item_id: Source(item_id, LOUDNESS[Act.ASKED], Act.ASKED) for item_id in asked}
    ranked = sorted(
        loudest.values(), key=lambda source: (source.act != Act.ASKED, -source.weight, source.item_id)
    )
    return ranked[:SOURCES_MAX]


def visited(history: History, asked: Sequence[str], weights: SessionWeights, now: datetime) -> list[Source]:
    """The items looked at last, newest first: the page's, then those of the visit; each `decay` quieter than the next."""
    newest = {item_id: Source(item_id, 1.0, Act.ASKED) for item_id in asked}
    for item_id, source in hinted(history, now).items():
        newest.setdefault(item_id, source)
    return [
        replace(source, weight=loudness)
        for source, loudness in zip(newest.values(), loudness_of_steps(weights), strict=False)
    ]


def loudness_of_steps(weights: SessionWeights) -> list[float]:
    """How loud each of the items looked at last is, newest first."""
    return [weights.decay**place for place in range(weights.length)]


def due_in_days(bought_at: Sequence[datetime], usual_days: int | None, now: datetime) -> float | None:
    """In how many days the next purchase is due, negative when overdue; None when nobody has bought it twice.

    The customer's own mean interval, drawn to the item's usual one as if that were two more of the customer's.
    Purchases on one (UTC) day are one.
    """
    days = sorted({moment.date() for moment in bought_at})
    gaps = len(days) - 1
    own_days = (days[-1] - days[0]).days / gaps if gaps else 0.0
    if not gaps and usual_days is None:
        return None
    prior = 0 if usual_days is None else DUE_PRIOR
    expected_days = (gaps * own_days + prior * (usual_days or 0)) / (gaps + prior)
    return expected_days - _days(max(bought_at), now)


def readiness(due: float | None, last: datetime, now: datetime) -> float:
    """How far the usual interval is over, 1 when it is."""
    if due is None:
        return DUE_UNKNOWN
    since = _days(last, now)
    return 1.0 if due <= 0 else max(DUE_LEAST, since / (since + due))


def _days(since: datetime, now: datetime) -> float:
    # A sender's clock may run ahead; that is no reason to count more than once.
    return max((now - since) / timedelta(days=1), 0.0)
