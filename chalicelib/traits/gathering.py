"""Gathers the facts of one person from the rooms that keep them: orders and timelines at once, then the items in them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from datetime import datetime
from itertools import islice

from chalicelib.activity import reads as activity
from chalicelib.activity.reads import Touch
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
ITEMS_AT_ONCE = 100
TOPICS_MAX = 20


def gather(person: Person, threads: Executor) -> Facts:
    """Everything the answers rest on, over all ids of the person.

    Two rounds: one query per customer id for orders and one per timeline, all at once; then one trip per 100 items.
    """
    histories = [threads.submit(orders.newest, each, ORDERS_READ) for each in person.customer_ids]
    timeline = threads.submit(activity.newest, _timelines(person), TOUCHES_READ)
    # Read apart, so that whoever floods it pushes nothing out.
    browsers: list[activity.Timeline] = [("claimed", each) for each in person.customer_ids]
    claimed = threads.submit(activity.newest, browsers, CLAIMS_READ)
    read = [history.result() for history in histories]
    recorded_after = max((each[-1].placed_at for each in read if len(each) == ORDERS_READ), default=None)
    touches = timeline.result()
    told = [Told(touch.order_id, _act(touch)) for touch in touches if touch.order_id]
    standing = purchases.standing(
        [_purchase(past) for each in read for past in each], told, recorded_after=recorded_after
    )
    acts = [_act(touch) for touch in touches if touch.kind != "order"]
    claims = [_act(touch) for touch in claimed.result()]
    return Facts(
        purchases=standing,
        acts=tuple(sorted(acts + claims, key=lambda act: (act.at, act.entry_id), reverse=True)),
        things=_things(standing, acts, claims, threads),
        purchases_after=recorded_after,
        acts_after=touches[-1].at if len(touches) == TOUCHES_READ else None,
    )


def _timelines(person: Person) -> list[activity.Who]:
    own: list[activity.Who] = [("customer", each) for each in person.customer_ids]
    return own + [("anonymous", each) for each in person.anonymous_ids]


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


def _things(
    standing: Sequence[Purchase], acts: Sequence[Act], claims: Sequence[Act], threads: Executor
) -> dict[str, Thing]:
    """What the catalogue says of the items met last, those that are only claimed after the others."""
    met: list[tuple[datetime, str]] = [
        (purchase.at, each.item_id) for purchase in standing for each in purchase.bought
    ]
    met += [(act.at, item_id) for act in acts for item_id in act.item_ids]
    met.sort(reverse=True)
    met += [(act.at, item_id) for act in claims for item_id in act.item_ids]
    wanted = list(islice(dict.fromkeys(item_id for _, item_id in met), ITEMS_READ))
    pages = [
        threads.submit(catalog.items, wanted[start : start + ITEMS_AT_ONCE], consistent=False)
        for start in range(0, len(wanted), ITEMS_AT_ONCE)
    ]
    return {item_id: _thing(item) for page in pages for item_id, item in page.result().items()}


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
