"""Who is about to buy and may yet leave it, pure: an intent from what somebody did, and whether an incentive is due.

Everything is an integer, and every "no" has its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from chalicelib.activity.reads import Touch
from chalicelib.loyalty.program import INTENT_MAX, Incentive, IncentiveLevel

LOOKED_BACK = timedelta(days=7)  # how long what somebody did speaks for what they want
CARTS_LOOKED_BACK = timedelta(days=30)
GIVEN_LOOKED_BACK = timedelta(days=90)
CART_RESTS = timedelta(hours=24)  # a cart nobody touched for so long was left
AS_USUAL_ORDERS = 3  # so many at full price, one after the other, are a habit
GAPS_MAX = 6

# Points of each signal for one, and at most; together INTENT_MAX.
VIEW, VIEWS_MAX = 2, 20
REPEAT, REPEATS_MAX = 6, 24
CART, CART_MAX = 12, 24
CHECKOUT = 16
RECENCY = ((timedelta(hours=1), 16), (timedelta(hours=24), 8), (timedelta(hours=72), 4))

OFFERED, OFFERED_ALREADY, NO_INCENTIVE, WITHDRAWN = (
    "offered", "offered-already", "no-incentive", "personalization-withdrawn",
)  # fmt: skip
NOT_INTERESTED, BUYS_ANYWAY, BUYS_AS_USUAL = "not-interested", "buys-anyway", "buys-as-usual"
ABANDONS_CARTS, ONCE_PER_WINDOW, CART_TOO_SMALL = "abandons-carts", "once-per-window", "cart-too-small"


@dataclass(frozen=True)
class Signal:
    """What one kind of behaviour says, in points."""

    signal: str
    points: int


@dataclass(frozen=True)
class Bought:
    """One past order: when, and whether nothing was taken off its price. Only the newest need say so."""

    placed_at: datetime
    at_full_price: bool = False


@dataclass(frozen=True)
class Given:
    """An incentive of the past, and whether it was let go by: it expired and bought nothing."""

    at: datetime
    let_go: bool


def signals(touches: Sequence[Touch], last_order: datetime | None, now: datetime) -> list[Signal]:
    """What somebody did since their last order, within LOOKED_BACK; signals without points are left out."""
    since = max(now - LOOKED_BACK, last_order) if last_order else now - LOOKED_BACK
    recent = [each for each in touches if each.at > since]
    looked = [each for each in recent if each.kind in ("view", "click")]
    again = Counter(item_id for each in looked for item_id in each.item_ids)
    added = {item_id for each in recent if each.kind == "cart" for item_id in each.item_ids}
    found = [
        Signal("views", min(VIEW * len(looked), VIEWS_MAX)),
        Signal("repeats", min(REPEAT * sum(n - 1 for n in again.values()), REPEATS_MAX)),
        Signal("cart", min(CART * len(added), CART_MAX)),
        Signal("checkout", CHECKOUT if any(each.kind == "checkout" for each in recent) else 0),
        Signal("recency", _recency(recent, now)),
    ]
    return [each for each in found if each.points]


def intent_of(found: Iterable[Signal]) -> int:
    """All signals together, 0 to INTENT_MAX."""
    return min(sum(each.points for each in found), INTENT_MAX)


def abandoned_carts(touches: Sequence[Touch], orders: Sequence[datetime], now: datetime) -> int:
    """How many carts of the last CARTS_LOOKED_BACK were left: no order came until CART_RESTS after the last addition."""
    first = now - CARTS_LOOKED_BACK
    adds = sorted(each.at for each in touches if each.kind == "cart" and each.at > first)
    carts: list[tuple[datetime, datetime]] = []
    for at in adds:
        begun, last = carts[-1] if carts else (at, at)
        goes_on = carts and at - last <= CART_RESTS and not any(last <= order < at for order in orders)
        carts[len(carts) - bool(goes_on) :] = [(begun if goes_on else at, at)]
    return sum(
        last + CART_RESTS <= now and not any(begun <= order <= last + CART_RESTS for order in orders)
        for begun, last in carts
    )


def buys_as_usual(orders: Sequence[Bought], now: datetime) -> bool:
    """Whether the last orders (newest first) came at full price and the next is not late yet.

    Late is later than half again as long as usual: the middle one of the times between the last orders.
    """
    if len(orders) < AS_USUAL_ORDERS or not all(each.at_full_price for each in orders[:AS_USUAL_ORDERS]):
        return False
    times = [each.placed_at for each in orders[: GAPS_MAX + 1]]
    gaps = sorted(later - earlier for later, earlier in pairwise(times))
    usual = gaps[len(gaps) // 2]
    return now - times[0] <= usual * 3 // 2


def objection(
    terms: Incentive, *, intent: int, carts: int, given: Sequence[Given], now: datetime
) -> str | None:
    """Why somebody gets no incentive now, None where nothing speaks against it."""
    if any(now - each.at < timedelta(days=terms.once_per_days) for each in given):
        return ONCE_PER_WINDOW
    let_go = sum(each.let_go and now - each.at < GIVEN_LOOKED_BACK for each in given)
    if let_go > terms.abandoned_max or carts > terms.carts_max:
        return ABANDONS_CARTS
    if intent < terms.min_intent:
        return NOT_INTERESTED
    return BUYS_ANYWAY if intent > terms.max_intent else None


def smallest(levels: Sequence[IncentiveLevel], total: int) -> IncentiveLevel | None:
    """The level that is worth least for a cart of `total` minor units, None where none leaves anything to pay."""
    worth = [(_worth(level, total), place) for place, level in enumerate(levels)]
    fitting = [each for each in worth if 0 < each[0] < total]
    return levels[min(fitting)[1]] if fitting else None


def _worth(level: IncentiveLevel, total: int) -> int:
    return level.amount if level.amount is not None else total * (level.percent or 0) // 100


def _recency(recent: Sequence[Touch], now: datetime) -> int:
    if not recent:
        return 0
    passed = now - max(each.at for each in recent)
    return next((points for within, points in RECENCY if passed <= within), 0)
