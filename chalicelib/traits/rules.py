"""Computed traits, pure: facts and a definition in, a value out. The order in which facts are handed in never matters."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any

from chalicelib.shared import durations
from chalicelib.traits.model import (
    AHEAD_MAX,
    VALUE_LENGTH_MAX,
    Act,
    Computation,
    Computed,
    Facts,
    Purchase,
    Thing,
)

OF_ITEMS = frozenset({"category", "brand", "item_id"})
OF_PROPERTIES = "properties."


@dataclass(frozen=True)
class _Occurrence:
    """One thing that happened, whether an order or not."""

    at: datetime
    name: str
    channel: str | None
    item_ids: tuple[str, ...]
    details: Mapping[str, Any]
    amount: int = 0
    currency: str = ""


def start_of(within: str | None, now: datetime) -> datetime | None:
    """Since when facts count: those later than this do, to the millisecond. None: all of them."""
    return durations.parse(within).before(now) if within else None


def is_within(at: datetime, start: datetime | None, now: datetime) -> bool:
    """Whether a fact counts now. A sender's clock may run ahead, as far as the door allows."""
    return (start is None or at > start) and at <= now + AHEAD_MAX


def is_read_from(start: datetime | None, read_after: datetime | None) -> bool:
    """Whether everything since `start` was read, when all that is later than `read_after` was."""
    return read_after is None or (start is not None and start >= read_after)


def is_in(path: str, category: str) -> bool:
    """Whether a category path lies in a category: `grocery/vegetables` is in `grocery`, `groceries` is not."""
    return path == category or path.startswith(f"{category}/")


def items_in(categories: Iterable[str], things: Mapping[str, Thing]) -> frozenset[str]:
    """The items that lie in one of the categories."""
    wanted = frozenset(categories)
    return frozenset(
        item_id for item_id, thing in things.items() if wanted and not wanted.isdisjoint(thing.lies_in)
    )


def sensitive_part(path: str, sensitive: Collection[str]) -> str | None:
    """The sensitive category among the parts of a category path or topic, None when there is none."""
    return next((part for part in path.casefold().split("/") if part in sensitive), None)


def without_sensitive(facts: Facts, sensitive: Collection[str]) -> Facts:
    """The same facts with nothing that tells what kind of thing a sensitive item is, and no page's sensitive category."""
    return replace(
        facts,
        things={
            item_id: Thing(item_id) if _is_sensitive(thing, sensitive) else thing
            for item_id, thing in facts.things.items()
        },
        acts=tuple(_without_category(act, sensitive) for act in facts.acts),
    )


def _is_sensitive(thing: Thing, sensitive: Collection[str]) -> bool:
    return thing.sensitive in sensitive or any(
        sensitive_part(path, sensitive) for path in (*thing.categories, *thing.topics)
    )


def _without_category(act: Act, sensitive: Collection[str]) -> Act:
    category = act.details.get("category")
    if not isinstance(category, str) or not sensitive_part(category, sensitive):
        return act
    return replace(act, details={name: each for name, each in act.details.items() if name != "category"})


def compute(definition: Computation, facts: Facts, now: datetime) -> Computed:
    """What a computed trait is worth now."""
    start = start_of(definition.within, now)
    inside = items_in([definition.category], facts.things) if definition.category is not None else None
    happened = [
        each
        for each in _occurrences(definition, facts)
        if is_within(each.at, start, now) and _passes(definition, each, inside)
    ]
    happened.sort(key=lambda each: (each.at, each.name))
    told = [
        (each, values) for each in happened if (values := _values(definition, each, inside, facts.things))
    ]
    is_money = (definition.aggregate, definition.about) == ("sum", "total")
    value = _sum_of_money(told) if is_money else _AGGREGATES[definition.aggregate](told)
    complete = _is_read(definition, facts, start) or (definition.aggregate == "last" and bool(told))
    return Computed(value, complete, facts=len(told), since=start)


def _occurrences(definition: Computation, facts: Facts) -> list[_Occurrence]:
    if definition.is_about_orders:
        return [_of_purchase(purchase) for purchase in facts.purchases]
    return [
        _Occurrence(act.at, act.entry_id, act.channel, act.item_ids, act.details)
        for act in facts.acts
        if definition.event in (act.kind, act.event) and (act.trusted or not definition.trusted_only)
    ]


def _of_purchase(purchase: Purchase) -> _Occurrence:
    item_ids = tuple(each.item_id for each in purchase.bought)
    return _Occurrence(
        purchase.at,
        purchase.order_id,
        purchase.channel,
        item_ids,
        purchase.details,
        purchase.total,
        purchase.currency,
    )


def _passes(definition: Computation, each: _Occurrence, inside: frozenset[str] | None) -> bool:
    if definition.channel is not None and definition.channel != each.channel:
        return False
    return inside is None or not inside.isdisjoint(each.item_ids)


def _values(
    definition: Computation,
    each: _Occurrence,
    inside: frozenset[str] | None,
    things: Mapping[str, Thing],
) -> list[Any]:
    """What an occurrence says of the property; nothing says something of a count, and once."""
    name = definition.about
    if name is None:
        return [1]
    if name == "total":
        return [{"amount": each.amount, "currency": each.currency}]
    if name == "channel":
        return [each.channel] if each.channel is not None else []
    if name in OF_ITEMS:
        counted = [item_id for item_id in each.item_ids if inside is None or item_id in inside]
        return _of_items(definition, counted, things)
    found: Any = each.details
    for step in name.removeprefix(OF_PROPERTIES).split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    listed = found if isinstance(found, list) else [found]
    return [value for value in listed if _is_value(value)]


def _of_items(definition: Computation, counted: list[str], things: Mapping[str, Thing]) -> list[str]:
    if definition.about == "item_id":
        return counted
    known = [things[item_id] for item_id in counted if item_id in things]
    if definition.about == "brand":
        return [thing.brand for thing in known if thing.brand]
    category = definition.category
    return [path for thing in known for path in thing.categories if category is None or is_in(path, category)]


def _is_value(value: Any) -> bool:
    return isinstance(value, bool | int | float) or (
        isinstance(value, str) and 0 < len(value) <= VALUE_LENGTH_MAX
    )


def _is_read(definition: Computation, facts: Facts, start: datetime | None) -> bool:
    # What an order's record does not hold, its channel and free-form properties, comes from the timeline.
    from_timeline = definition.channel is not None or (definition.about or "").startswith(
        ("channel", OF_PROPERTIES)
    )
    sources = []
    if definition.is_about_orders:
        sources.append(facts.purchases_after)
    if from_timeline or not definition.is_about_orders:
        sources.append(facts.acts_after)
    return all(is_read_from(start, after) for after in sources)


_Told = Sequence[tuple[_Occurrence, list[Any]]]  # earliest first, each with at least one value


def _count(told: _Told) -> int:
    return len(told)


def _sum_of_money(told: _Told) -> dict[str, int]:
    sums: dict[str, int] = {}
    for each, _ in told:
        sums[each.currency] = sums.get(each.currency, 0) + each.amount
    return dict(sorted(sums.items()))


def _sum(told: _Told) -> int | float:
    values = [value for _, values in told for value in values]
    numbers = [value for value in values if isinstance(value, int | float) and not isinstance(value, bool)]
    total = sum(map(Fraction, numbers), Fraction(0))  # exact, so the order of the facts does not show
    return int(total) if total.denominator == 1 else float(total)


def _first(told: _Told) -> Any:
    return told[0][1][0] if told else None


def _last(told: _Told) -> Any:
    return told[-1][1][0] if told else None


def _most_frequent(told: _Told) -> Any:
    ranks: dict[tuple[str, Any], tuple[int, datetime]] = {}
    for each, values in told:
        for value in values:
            count, _ = ranks.get(_key(value), (0, each.at))
            ranks[_key(value)] = (count + 1, each.at)
    # Of equals the one seen last, then the first by name.
    best = max(ranks.values(), default=None)
    return min((key for key, rank in ranks.items() if rank == best), default=("", None))[1]


def _distinct(told: _Told) -> int:
    return len({_key(value) for _, values in told for value in values})


def _key(value: Any) -> tuple[str, Any]:
    return type(value).__name__, value  # true is not 1


_AGGREGATES: dict[str, Callable[[_Told], Any]] = {
    "count": _count,
    "sum": _sum,
    "first": _first,
    "last": _last,
    "most_frequent": _most_frequent,
    "distinct": _distinct,
}
