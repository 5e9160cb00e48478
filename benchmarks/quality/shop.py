"""A shop made of plain orders or visits: trained by what trains, ranked by what serves, with a shop's own defaults."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice

from tqdm import tqdm

from benchmarks.quality.times import BEGIN
from chalicelib.recommendations import rules
from chalicelib.recommendations.known import ORDERS_READ, TOUCHES_READ
from chalicelib.recommendations.model import (
    Act,
    Basket,
    Candidate,
    Hint,
    History,
    ItemRow,
    Learned,
    Placement,
    SessionWeights,
    Situation,
)
from chalicelib.recommendations.rows import pack_popularity, pack_row, unpack_popularity, unpack_row
from training.train import Model, Purchase, View, train

LIMIT = 100
ROWS_KEPT = 5000
STEP = timedelta(seconds=10)  # between two items of a visit of which only the order is known


@dataclass(frozen=True)
class Line:
    """One item of one order of one customer (empty: a guest), at its moment."""

    user_id: str
    item_id: str
    basket_id: str
    at: datetime


@dataclass
class Shop:
    """A trained shop and its customers' baskets, newest first."""

    model: Model
    baskets: Mapping[str, Sequence[Basket]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # As they are stored and read again: what is lost on that way is lost here too.
        self._popularity = unpack_popularity(pack_popularity(self.model))
        self._row = lru_cache(ROWS_KEPT)(self._unpacked)

    def of_customer(self, user_id: str, *, discover: bool = False) -> list[str]:
        """At most 100 items for a customer, best first: what `for_you` or `discover` shows while everything is on sale.

        The service reads as many orders as it would of this customer; what was bought before those is no discovery
        either, so it is excluded as a caller would.
        """
        baskets = self.baskets.get(user_id, ())
        history = History(tuple(islice(baskets, ORDERS_READ)))
        if not discover:
            return self._list(Placement.FOR_YOU, history)
        older = frozenset(
            item_id for basket in islice(baskets, ORDERS_READ, None) for item_id in basket.item_ids
        )
        return self._list(Placement.DISCOVER, history, older)

    def of_visit(self, items: Sequence[str]) -> list[str]:
        """At most 100 items for somebody who looked at these, oldest first: what `session` shows."""
        now = self.model.as_of
        newest = list(reversed(items))[:TOUCHES_READ]
        hints = [
            Hint(Act.VIEW, f"e{place}", now - (place + 1) * STEP, item_id)
            for place, item_id in enumerate(newest)
        ]
        return self._list(Placement.SESSION, History((), tuple(hints)))

    def _list(
        self, placement: Placement, history: History, excluded: frozenset[str] = frozenset()
    ) -> list[str]:
        weights = SessionWeights(*self.model.session_weights)
        situation = Situation(placement, history, (), excluded, self.model.as_of, weights)
        rows = {each: row for each in rules.wanted_rows(situation, LIMIT) if (row := self._row(each))}
        learned = Learned(rows, self._popularity)
        found = rules.candidates(situation, learned)
        if len(found) < LIMIT:
            found += rules.popular_candidates(self._popularity, rules.unwanted(situation))
        return _first(found)

    def _unpacked(self, item_id: str) -> ItemRow | None:
        if item_id not in self.model.neighbours and item_id not in self.model.intervals:
            return None
        return unpack_row(item_id, pack_row(item_id, self.model))


def open_shop(lines: Sequence[Line]) -> Shop:
    """Train on all of these orders, as of the moment of the last one."""
    as_of = max((line.at for line in lines), default=BEGIN)
    keys = _basket_keys(lines)
    purchases = (
        Purchase(line.user_id or None, key, line.at, line.item_id, 1)
        for line, key in zip(lines, keys, strict=True)
    )
    model = _trained(purchases, (), as_of)
    return Shop(model, _baskets(lines, keys))


def open_doors(visits: Sequence[Sequence[str]], moments: Sequence[datetime]) -> Shop:
    """Train on visits alone, each at its moment."""
    as_of = max((at + len(items) * STEP for items, at in zip(visits, moments, strict=True)), default=BEGIN)
    views = (
        View(str(number), f"{place:06}", at + place * STEP, item_id)
        for number, (items, at) in enumerate(zip(visits, moments, strict=True))
        for place, item_id in enumerate(items)
    )
    return Shop(_trained((), views, as_of))


def _trained(purchases: Iterable[Purchase], views: Iterable[View], as_of: datetime) -> Model:
    with tqdm(desc="  Training     ", unit="step", disable=not sys.stderr.isatty(), leave=False) as bar:

        def show(step: str, done: int, total: int) -> None:
            bar.total, bar.n = total, done
            bar.set_postfix_str(step)

        return train(purchases, as_of, version="quality", views=views, progress=show)


def _basket_keys(lines: Iterable[Line]) -> list[str]:
    """A name of each line's basket that is its customer's alone and sorts as the file does: equal moments are common."""
    numbers: dict[tuple[str, str], str] = {}
    return [numbers.setdefault((line.user_id, line.basket_id), f"{len(numbers):09}") for line in lines]


def _baskets(lines: Sequence[Line], keys: Sequence[str]) -> dict[str, list[Basket]]:
    gathered: dict[str, dict[str, tuple[datetime, list[str]]]] = {}
    for line, key in zip(lines, keys, strict=True):
        if line.user_id:
            _, items = gathered.setdefault(line.user_id, {}).setdefault(key, (line.at, []))
            items.append(line.item_id)
    found = {}
    for user_id, by_key in gathered.items():
        newest = sorted(by_key.items(), key=lambda each: (each[1][0], each[0]), reverse=True)
        found[user_id] = [Basket(key, at, tuple(dict.fromkeys(items))) for key, (at, items) in newest]
    return found


def _first(found: Iterable[Candidate]) -> list[str]:
    return list(islice(dict.fromkeys(each.item_id for each in found), LIMIT))


def counted(things: Iterable[str], what: str, total: int) -> Iterator[str]:
    """The same things, with progress on a terminal."""
    return iter(tqdm(things, desc=f"  {what:<13}", total=total, disable=not sys.stderr.isatty(), leave=False))
