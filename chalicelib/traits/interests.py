"""Interests, pure: what somebody looked at, came back to, stayed with, put aside and bought, fading with time.

Every act is worth its weight halved once per half-life of its age. An item passes what it is worth to each of its
categories, its brand and its topics; the score of one is its share of the strongest of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import fsum
from typing import Any

from chalicelib.traits.model import GIFT_WEIGHT, INTERESTS_SHOWN, Act, Facts, Interest, Interests, Thing
from chalicelib.traits.rules import is_within

WEIGHTS = {
    "view": 1.0,
    "click": 0.5,
    "list_view": 0.5,
    "page": 0.5,
    "screen": 0.5,
    "wishlist": 3.0,
    "cart": 3.0,
    "share": 2.0,
    "review": 2.0,
}
ORDER_WEIGHT = 5.0
REPEAT_WEIGHT = 0.5  # on top of a look at an item that was looked at before
LOOKS = frozenset({"view", "page", "screen"})
ABOUT_CATEGORIES = frozenset({"list_view", "page", "screen"})
SECONDS_PER_POINT = 60.0
SECONDS_MAX = 300.0  # of one look: a page may have been left open
WEIGHT_MIN = 0.05  # what is left of a single look after more than four half-lives is no interest any more
ITEMS_NAMED = 5
DIGITS = 4
PATH_LENGTH_MAX = 300

COUNTED_AS = {
    "view": "views",
    "click": "clicks",
    "list_view": "lists",
    "page": "pages",
    "screen": "pages",
    "wishlist": "wishes",
    "cart": "carts",
    "share": "shares",
    "review": "reviews",
}


@dataclass(frozen=True)
class _Sign:
    """One sign of interest in an item, or in a category that a page was about."""

    at: datetime
    weight: float
    counts: Mapping[str, int]
    item_id: str | None = None
    category: str | None = None


@dataclass
class _Sum:
    """What speaks for one name, gathered."""

    weights: list[float] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    items: dict[str, list[float]] = field(default_factory=dict)
    last_at: list[datetime] = field(default_factory=list)


def interests(facts: Facts, *, half_life_days: int, now: datetime) -> Interests:
    """The strongest interests by category, brand and topic."""
    categories: dict[str, _Sum] = {}
    brands: dict[str, _Sum] = {}
    topics: dict[str, _Sum] = {}
    for sign in _signs(facts):
        if not is_within(sign.at, None, now):
            continue
        worth = sign.weight * fading(sign.at, half_life_days, now)
        thing = facts.things.get(sign.item_id or "", Thing(""))
        named = dict.fromkeys((*thing.categories, *([sign.category] if sign.category else [])))
        for sums, names in ((categories, named), (brands, [thing.brand]), (topics, thing.topics)):
            for name in filter(None, dict.fromkeys(names)):
                _add(sums.setdefault(name, _Sum()), sign, worth)
    return Interests(_strongest(categories), _strongest(brands), _strongest(topics), half_life_days)


def fading(at: datetime, half_life_days: int, now: datetime) -> float:
    """What is left of a weight: half of it after every half-life. What a fast clock dates ahead counts in full."""
    return float(0.5 ** (max((now - at) / timedelta(days=half_life_days), 0.0)))


def seconds_of(details: Mapping[str, Any]) -> float:
    """How long somebody stayed: `duration_seconds`, or as Google Analytics measures it, `engagement_time_msec`."""
    for name, per_second in (("duration_seconds", 1.0), ("engagement_time_msec", 1000.0)):
        value = details.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return min(value / per_second, SECONDS_MAX)
    return 0.0


def _signs(facts: Facts) -> Iterator[_Sign]:
    for purchase in facts.purchases:
        for bought in purchase.bought:
            weight = ORDER_WEIGHT * (GIFT_WEIGHT if bought.gift else 1.0)
            yield _Sign(purchase.at, weight, {"gifts" if bought.gift else "orders": 1}, bought.item_id)
    seen: set[str] = set()
    for act in sorted(facts.acts, key=lambda act: (act.at, act.entry_id)):
        if act.kind in WEIGHTS:
            yield from _of_act(act, seen)


def _of_act(act: Act, seen: set[str]) -> Iterator[_Sign]:
    seconds = seconds_of(act.details)
    counts = {COUNTED_AS[act.kind]: 1} | ({"seconds": int(seconds)} if seconds >= 1 else {})
    weight = WEIGHTS[act.kind] + seconds / SECONDS_PER_POINT
    for item_id in act.item_ids:
        again = act.kind in LOOKS and item_id in seen
        yield _Sign(
            act.at,
            weight + (REPEAT_WEIGHT if again else 0.0),
            counts | ({"repeats": 1} if again else {}),
            item_id,
        )
        if act.kind in LOOKS:
            seen.add(item_id)
    category = act.details.get("category")
    if act.kind in ABOUT_CATEGORIES and not act.item_ids and isinstance(category, str):
        path = category.strip()
        if path and len(path) <= PATH_LENGTH_MAX:
            yield _Sign(act.at, weight, counts, category=path)


def _add(total: _Sum, sign: _Sign, worth: float) -> None:
    total.weights.append(worth)
    total.last_at.append(sign.at)
    for name, count in sign.counts.items():
        total.counts[name] = total.counts.get(name, 0) + count
    if sign.item_id:
        total.items.setdefault(sign.item_id, []).append(worth)


def _strongest(sums: Mapping[str, _Sum]) -> tuple[Interest, ...]:
    weights = {name: fsum(total.weights) for name, total in sums.items()}  # exact in any order
    kept = [name for name, weight in weights.items() if weight >= WEIGHT_MIN]
    strongest = max((weights[name] for name in kept), default=0.0)
    ranked = sorted(kept, key=lambda name: (-weights[name], name))[:INTERESTS_SHOWN]
    return tuple(
        Interest(
            name=name,
            score=round(weights[name] / strongest, DIGITS),
            weight=round(weights[name], DIGITS),
            based_on=dict(sorted(sums[name].counts.items())),
            item_ids=_loudest(sums[name].items),
            last_at=max(sums[name].last_at),
        )
        for name in ranked
    )


def _loudest(items: Mapping[str, Iterable[float]]) -> tuple[str, ...]:
    worth = {item_id: fsum(weights) for item_id, weights in items.items()}
    return tuple(sorted(worth, key=lambda item_id: (-worth[item_id], item_id))[:ITEMS_NAMED])
