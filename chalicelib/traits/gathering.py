"""Gathers the facts of one person from the rooms that keep them: orders and timelines at once, then the items in them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Final

from chalicelib.activity import reads as activity
from chalicelib.activity.reads import Timeline, Touch
from chalicelib.catalog import reads as catalog
from chalicelib.catalog.reads import CatalogItem
from chalicelib.customers.reads import Person
from chalicelib.orders import reads as orders
from chalicelib.orders.reads import PastOrder
from chalicelib.traits import purchases
from chalicelib.traits.model import (
    CLAIMS_READ,
    ITEMS_READ,
    ORDERS_READ,
    TOUCHES_READ,
    VALUE_LENGTH_MAX,
    Act,
    Bought,
    Facts,
    Purchase,
    Thing,
)
from chalicelib.traits.purchases import Told

CONTENT = "content"
CLAIMED: Final = "claimed"
ITEMS_AT_ONCE = 100
TOPICS_MAX = 20


@dataclass(frozen=True)
class _Read:
    """What orders and timelines say, before the catalogue says what the items in them are."""

    standing: tuple[Purchase, ...]
    acts: list[Act]
    claims: list[Act]
    purchases_after: datetime | None
    acts_after: datetime | None


class Gathering:
    """The facts of one person on their way, asked for before all of the person's ids are known.

    One query for the orders of each customer id and one for each timeline, all at once; then the items in them, one
    trip per 100. What the first ids met is asked for while the timelines of the others are read.
    """

    def __init__(
        self, threads: Executor, customer_ids: Sequence[str], anonymous_ids: Sequence[str] = ()
    ) -> None:
        self._threads = threads
        self._orders: dict[str, Future[list[PastOrder]]] = {}
        self._timelines: dict[Timeline, Future[list[Touch]]] = {}
        self._items: dict[str, Future[dict[str, CatalogItem]]] = {}
        self.ask(customer_ids, anonymous_ids)
        self._first = frozenset(self._timelines)

    def ask(self, customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> None:
        """Ask for what was done under these ids too, without waiting for it."""
        for each in customer_ids:
            if each not in self._orders:
                self._orders[each] = self._threads.submit(orders.newest, each, ORDERS_READ)
        for who in _timelines(customer_ids, anonymous_ids):
            if who not in self._timelines:
                limit = CLAIMS_READ if who[0] == CLAIMED else TOUCHES_READ
                self._timelines[who] = self._threads.submit(activity.newest, [who], limit)

    def is_anything(self) -> bool:
        """Whether anything was done under the ids asked for."""
        return any(each.result() for each in self._orders.values()) or any(
            each.result() for each in self._timelines.values()
        )

    def facts(self, person: Person) -> Facts:
        """Everything the answers rest on, over all ids of the person."""
        self.ask(person.customer_ids, person.anonymous_ids)
        timelines = _timelines(person.customer_ids, person.anonymous_ids)
        first = [who for who in timelines if who in self._first]
        if len(first) < len(timelines):
            self._ask_for_items(_met(self._read(first)))
        read = self._read(timelines)
        met = _met(read)
        self._ask_for_items(met)
        found = ((item_id, self._items[item_id].result().get(item_id)) for item_id in met)
        return Facts(
            purchases=read.standing,
            acts=tuple(sorted(read.acts + read.claims, key=lambda act: (act.at, act.entry_id), reverse=True)),
            things={item_id: _thing(item) for item_id, item in found if item},
            purchases_after=read.purchases_after,
            acts_after=read.acts_after,
        )

    def _read(self, timelines: Sequence[Timeline]) -> _Read:
        read = [self._orders[who].result() for kind, who in timelines if kind == "customer"]
        recorded_after = max((each[-1].placed_at for each in read if len(each) == ORDERS_READ), default=None)
        touches = self._newest([who for who in timelines if who[0] != CLAIMED], TOUCHES_READ)
        # Apart, so that whoever floods it pushes nothing out.
        claimed = self._newest([who for who in timelines if who[0] == CLAIMED], CLAIMS_READ)
        told = [Told(touch.order_id, _act(touch)) for touch in touches if touch.order_id]
        recorded = [_purchase(past) for each in read for past in each]
        return _Read(
            purchases.standing(recorded, told, recorded_after=recorded_after),
            acts=[_act(touch) for touch in touches if touch.kind != "order"],
            claims=[_act(touch) for touch in claimed],
            purchases_after=recorded_after,
            acts_after=touches[-1].at if len(touches) == TOUCHES_READ else None,
        )

    def _newest(self, timelines: Sequence[Timeline], limit: int) -> list[Touch]:
        touches = [touch for who in timelines for touch in self._timelines[who].result()]
        return sorted(touches, key=lambda touch: (touch.at, touch.entry_id), reverse=True)[:limit]

    def _ask_for_items(self, met: Sequence[str]) -> None:
        wanted = [item_id for item_id in met if item_id not in self._items]
        for start in range(0, len(wanted), ITEMS_AT_ONCE):
            page = wanted[start : start + ITEMS_AT_ONCE]
            items = self._threads.submit(catalog.items, page, consistent=False)
            self._items |= dict.fromkeys(page, items)


def _timelines(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> list[Timeline]:
    who: list[Timeline] = [("customer", each) for each in customer_ids]
    who += [(CLAIMED, each) for each in customer_ids]
    return who + [("anonymous", each) for each in anonymous_ids]


def _purchase(past: PastOrder) -> Purchase:
    gifts = frozenset(past.gift_item_ids)
    quantities: dict[str, int] = {}
    for item_id, quantity in past.lines:
        quantities[item_id] = quantities.get(item_id, 0) + quantity
    bought = tuple(Bought(item_id, each, gift=item_id in gifts) for item_id, each in quantities.items())
    return Purchase(past.order_id, past.placed_at, past.total, past.currency, bought)


def _act(touch: Touch) -> Act:
    return Act(
        touch.entry_id,
        touch.kind,
        touch.event,
        touch.channel,
        touch.at,
        _items_of(touch),
        touch.trusted,
        touch.details,
    )


def _met(read: _Read) -> list[str]:
    """The items met last, those that are only claimed after the others."""
    met = [(purchase.at, each.item_id) for purchase in read.standing for each in purchase.bought]
    met += [(act.at, item_id) for act in read.acts for item_id in act.item_ids]
    met.sort(reverse=True)
    met += [(act.at, item_id) for act in read.claims for item_id in act.item_ids]
    return list(islice(dict.fromkeys(item_id for _, item_id in met), ITEMS_READ))


def _items_of(touch: Touch) -> tuple[str, ...]:
    if touch.kind == "list_view":
        return ()  # fifty items were shown; nobody chose one
    named = touch.details.get("product_id")
    return touch.item_ids or ((named,) if isinstance(named, str) and named else ())


def _thing(item: CatalogItem) -> Thing:
    listed = item.attributes.get("topics")
    named = [each for each in listed if _is_name(each)] if isinstance(listed, list) else []
    is_content = item.kind == CONTENT
    sensitive = item.attributes.get("sensitive_category")
    return Thing(
        item.item_id,
        categories=() if is_content else item.categories,
        brand=item.brand,
        topics=tuple(dict.fromkeys((*named[:TOPICS_MAX], *(item.categories if is_content else ())))),
        sensitive=sensitive.casefold() if isinstance(sensitive, str) else None,
    )


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= VALUE_LENGTH_MAX
