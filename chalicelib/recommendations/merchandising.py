"""The shop's own rules for its lists, pure: which are in force where and when, and what they say of an item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from chalicelib.catalog.reads import CatalogItem
from chalicelib.shared.places import Place, region_code, season

RULES_MAX = 50
TRAIT_FILTERS_MAX = 20
POSITION_MAX = 100
PERCENT_MAX = 1000
PINNED_MAX = 10  # of one answer, with all rules: they are looked up beside the candidates

Action = Literal["pin", "boost", "hide", "only", "cap"]
Per = Literal["brand", "category", "all"]
ACTIONS: tuple[str, ...] = get_args(Action)


@dataclass(frozen=True)
class Selection:
    """Which items a rule is about: those that fit everything said here. Where nothing is said, every item.

    A category holds all below it. `attributes` are equal to the item's, or among them where the item's is a list.
    """

    item_ids: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    attributes: Mapping[str, Any] = field(default_factory=dict)
    currency: str | None = None
    price_min: int | None = None
    price_max: int | None = None

    @property
    def is_by_id(self) -> bool:
        return bool(self.item_ids)

    def holds(self, item: CatalogItem) -> bool:
        """Whether the rule is about this item."""
        return (
            (not self.item_ids or item.item_id in self.item_ids)
            and (not self.categories or lies_in(item, self.categories))
            and (not self.brands or item.brand in self.brands)
            and all(_has(item.attributes, name, value) for name, value in self.attributes.items())
            and self._is_priced(item)
        )

    def _is_priced(self, item: CatalogItem) -> bool:
        if self.currency is None:
            return True
        amount = item.price_amount
        if amount is None or item.currency != self.currency:
            return False
        return (self.price_min is None or amount >= self.price_min) and (
            self.price_max is None or amount <= self.price_max
        )


@dataclass(frozen=True)
class Rule:
    """One rule. No `placements`, `countries`, `regions` or `seasons`: wherever it is; no times: always.

    `position` (from 1) is for `pin`, `percent` for `boost` (100 changes nothing), `per` and `most` for `cap`.
    """

    rule_id: str
    action: str
    items: Selection = Selection()
    placements: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    seasons: tuple[str, ...] = ()
    position: int = 0
    percent: int = 100
    per: str = "all"
    most: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    enabled: bool = True
    updated_at: datetime | None = None

    def is_in_force(self, placement: str, place: Place, now: datetime) -> bool:
        """Whether it counts for a list shown there and now; an unknown place fits no rule that names one."""
        return (
            self.enabled
            and (not self.placements or placement in self.placements)
            and (self.starts_at is None or now >= self.starts_at)
            and (self.ends_at is None or now < self.ends_at)
            and (not self.countries or place.country in self.countries)
            and (not self.regions or self._is_here(place))
            and (not self.seasons or season(now, place.country) in self.seasons)
        )

    def _is_here(self, place: Place) -> bool:
        if place.region is None:
            return False
        if place.region in self.regions:
            return True
        code = place.region_code
        return code is not None and code in {region_code(place.country, each) for each in self.regions}


@dataclass(frozen=True)
class TraitFilter:
    """Who has this value of a trait, said or inferred, is not shown these categories."""

    trait: str
    value: str
    categories: tuple[str, ...]


@dataclass(frozen=True)
class AudienceSettings:
    """What may keep items from people they are not made for. `age_percent` is for what is made for their age."""

    genders: bool = True
    ages: bool = True
    age_percent: int = 150
    trait_filters: tuple[TraitFilter, ...] = ()


@dataclass(frozen=True)
class Rulebook:
    """Everything a shop has set for its lists."""

    rules: tuple[Rule, ...] = ()
    audience: AudienceSettings = AudienceSettings()

    def with_rule(self, rule: Rule) -> Rulebook:
        """The same with this rule in place of the one of its id."""
        others = tuple(each for each in self.rules if each.rule_id != rule.rule_id)
        return Rulebook((*others, rule), self.audience)


@dataclass(frozen=True)
class InForce:
    """The rules that count for one list."""

    pins: tuple[Rule, ...] = ()
    boosts: tuple[Rule, ...] = ()
    hides: tuple[Rule, ...] = ()
    onlys: tuple[Rule, ...] = ()
    caps: tuple[Rule, ...] = ()

    @property
    def sees_categories(self) -> bool:
        """Whether it takes more than an id to tell what is boosted or left out: then more has to be looked at."""
        return any(not each.items.is_by_id for each in (*self.boosts, *self.hides)) or bool(
            self.onlys or self.caps
        )

    def shows(self, item: CatalogItem) -> bool:
        """Whether no rule hides it, and it is among those that the rules leave."""
        return not any(each.items.holds(item) for each in self.hides) and all(
            each.items.holds(item) for each in self.onlys
        )

    def factor(self, item: CatalogItem) -> float:
        """By how much its score is multiplied."""
        factor = 1.0
        for each in self.boosts:
            if each.items.holds(item):
                factor *= each.percent / 100
        return factor

    def pinned(self) -> list[tuple[int, str, str]]:
        """Position, item and rule of what is pinned: by position, then by rule; each item and each position once."""
        wanted = [
            (rule.position + place, item_id, rule.rule_id)
            for rule in self.pins
            for place, item_id in enumerate(rule.items.item_ids)
        ]
        positions: set[int] = set()
        item_ids: set[str] = set()
        found = []
        for position, item_id, rule_id in sorted(wanted, key=lambda each: (each[0], each[2])):
            if item_id in item_ids:
                continue
            while position in positions:
                position += 1  # noqa: PLW2901  the next free one
            positions.add(position)
            item_ids.add(item_id)
            found.append((position, item_id, rule_id))
        return sorted(found)[:PINNED_MAX]

    def named(self, item: CatalogItem) -> list[str]:
        """The rules that had a say in where this item stands."""
        return [each.rule_id for each in (*self.pins, *self.boosts, *self.onlys) if each.items.holds(item)]


class Counter:
    """How often each brand, category or selection is in a list already."""

    def __init__(self, caps: Sequence[Rule]) -> None:
        self._caps = caps
        self._counts: dict[tuple[str, str], int] = {}

    def has_room(self, item: CatalogItem) -> bool:
        """Whether one more like this item is allowed."""
        most = {cap.rule_id: cap.most for cap in self._caps}
        return all(self._counts.get(key, 0) < most[key[0]] for key in self._keys(item))

    def count(self, item: CatalogItem) -> None:
        """It is in the list."""
        for key in self._keys(item):
            self._counts[key] = self._counts.get(key, 0) + 1

    def _keys(self, item: CatalogItem) -> Iterable[tuple[str, str]]:
        for cap in self._caps:
            if not cap.items.holds(item):
                continue
            if cap.per == "all":
                yield cap.rule_id, ""
            elif cap.per == "brand":
                yield from [(cap.rule_id, item.brand)] if item.brand else []
            else:
                yield from ((cap.rule_id, path) for path in dict.fromkeys(item.categories))


def in_force(rulebook: Rulebook, placement: str, place: Place, now: datetime) -> InForce:
    """The rules that count for a list shown there and now."""
    of: dict[str, list[Rule]] = {action: [] for action in ACTIONS}
    for rule in sorted(rulebook.rules, key=lambda rule: rule.rule_id):
        if rule.is_in_force(placement, place, now):
            of[rule.action].append(rule)
    return InForce(*(tuple(of[action]) for action in ACTIONS))


def lies_in(item: CatalogItem, categories: Iterable[str]) -> bool:
    """Whether it is in one of these or below."""
    paths = tuple(each + "/" for each in item.categories)
    return any(path.startswith(each + "/") for path in paths for each in categories)


def _has(attributes: Mapping[str, Any], name: str, value: Any) -> bool:
    held = attributes.get(name)
    return value in held if isinstance(held, list) else held == value and type(held) is type(value)
