"""What is known of the person asking, read from the facts themselves: what was accepted a moment ago is in it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.activity import reads as activity
from chalicelib.activity.reads import Touch
from chalicelib.customers import reads as customers
from chalicelib.customers.reads import Person
from chalicelib.orders import reads as orders
from chalicelib.orders.reads import PastOrder
from chalicelib.recommendations import rule_store, store
from chalicelib.recommendations.history import merge
from chalicelib.recommendations.merchandising import Rulebook
from chalicelib.recommendations.model import Act, Asker, Basket, Current, Hint, History

ORDERS_READ = 50
TOUCHES_READ = 50
LINKED_IDS_MAX = 5  # of a customer's browsers and apps: the ones linked last
CLAIMS_MAX = 5  # of what a browser nobody knows said of a customer
READS_AT_ONCE_MAX = 8
PURPOSE = "personalization"

HEARSAY = "hearsay"  # no kind of entry: what is made of one that may be anybody's
# What on a timeline says that somebody takes an interest in an item. An order is more, and read apart.
ACTS = {
    "view": Act.VIEW,
    "click": Act.VIEW,
    "wishlist": Act.VIEW,
    "cart": Act.CART,
    "cart_removed": Act.CART_REMOVED,
    "order_claimed": Act.CLAIM,
    HEARSAY: Act.HEARSAY,
}


@dataclass(frozen=True)
class Known:
    """The person and their past, the model that serves, and the shop's rules.

    A stranger has no past, and neither has whoever does not want it used. `person` is a customer who asks as such.
    """

    history: History
    current: Current | None
    rulebook: Rulebook
    person: Person | None = None

    @property
    def address(self) -> Mapping[str, Any] | None:
        """Where the person said they live."""
        address = self.person.traits.get("address") if self.person else None
        return address if isinstance(address, Mapping) else None


def load(customer_id: str | None, anonymous_id: str | None, asker: Asker) -> Known:
    """Read it. One trip, two when the id that was given is linked to another one of the same person.

    Who withdrew the consent to personalization is a stranger, under every id.
    """
    with ThreadPoolExecutor(READS_AT_ONCE_MAX) as threads:
        current = threads.submit(store.current)
        rulebook = threads.submit(rule_store.load)
        person, history = None, History()
        if customer_id is not None:
            person, history = _of_customer(threads, customer_id, anonymous_id, asker)
        elif anonymous_id is not None:
            history = _of_visitor(threads, anonymous_id, asker)
        return Known(history, current.result(), rulebook.result(), person)


def _of_customer(
    threads: Executor, customer_id: str, anonymous_id: str | None, asker: Asker
) -> tuple[Person | None, History]:
    """Who a customer is, None for whoever does not want it used, and their orders and events, under every id they have, and those of the linked browsers."""
    person = threads.submit(customers.person, customer_id)
    recorded = threads.submit(orders.newest, customer_id, ORDERS_READ)
    own = threads.submit(activity.newest, [("customer", customer_id)], TOUCHES_READ)
    claimed = threads.submit(activity.newest, [("claimed", customer_id)], TOUCHES_READ)
    here = (
        threads.submit(activity.newest, [("anonymous", anonymous_id)], TOUCHES_READ) if anonymous_id else None
    )
    owner = threads.submit(customers.owner_of, anonymous_id) if anonymous_id else None
    profile = person.result()
    if _withdrew(profile):
        return None, History()
    touches = own.result()
    claims = claimed.result()
    baskets = recorded.result()
    customer_ids = profile.customer_ids if profile else (customer_id,)
    others = [each for each in customer_ids if each != customer_id]
    if others:
        baskets = _newest([*baskets, *orders.newest(others, ORDERS_READ)])
        touches += activity.newest([("customer", each) for each in others], TOUCHES_READ)
        claims += activity.newest([("claimed", each) for each in others], TOUCHES_READ)
    devices = set(profile.anonymous_ids) if profile else set()
    linked = [each for each in reversed(profile.anonymous_ids) if each != anonymous_id] if profile else []
    if linked:
        touches += activity.newest([("anonymous", each) for each in linked[:LINKED_IDS_MAX]], TOUCHES_READ)
    # A shared browser must not join two people, and a customer could name any visitor's id: hers are the linked ones.
    unlinked = () if asker is Asker.CUSTOMER else (None,)
    if here and owner and owner.result() in (*unlinked, *customer_ids):
        touches += here.result()
        devices.add(anonymous_id or "")
    # Of somebody nobody has named there are orders all the same, and what follows from them.
    who = profile or Person(customer_id, (), None, None, None, None, {}, None, (customer_id,))
    return who, _history(baskets, touches + _believed(claims, devices))


def _of_visitor(threads: Executor, anonymous_id: str, asker: Asker) -> History:
    """The browser's own events and never more, whoever it is linked to; for a browser without a guest's orders."""
    owner = threads.submit(customers.customer_of, anonymous_id)
    touches = threads.submit(activity.newest, [("anonymous", anonymous_id)], TOUCHES_READ)
    customer_id = owner.result()
    if customer_id is not None and _withdrew(customers.person(customer_id)):
        return History()
    is_told = asker is not Asker.BROWSER
    return _history([], [touch for touch in touches.result() if is_told or touch.kind != "order"])


def _believed(claimed: Iterable[Touch], devices: Collection[str]) -> list[Touch]:
    """What browsers said of a customer: all of it from `devices` of theirs, else little, and nothing to quote."""
    theirs: list[Touch] = []
    doubtful: list[Touch] = []
    for touch in claimed:
        if touch.anonymous_id in devices:
            theirs.append(touch)
        elif touch.kind in ACTS and touch.kind != "cart_removed":
            doubtful.append(replace(touch, kind=HEARSAY, item_ids=touch.item_ids[:1]))
    return theirs + doubtful[:CLAIMS_MAX]


def _newest(recorded: Sequence[PastOrder]) -> list[PastOrder]:
    ordered = sorted(recorded, key=lambda order: (order.placed_at, order.order_id), reverse=True)
    return ordered[:ORDERS_READ]


def _withdrew(person: Person | None) -> bool:
    return person is not None and (person.erased or person.consents.get(PURPOSE) is False)


def _history(recorded: Sequence[PastOrder], touches: Iterable[Touch]) -> History:
    newest_first = sorted(touches, key=lambda touch: (touch.at, touch.entry_id), reverse=True)
    known = {order.order_id for order in recorded}
    baskets = [
        Basket(
            order.order_id,
            order.placed_at,
            tuple(item_id for item_id, _ in order.lines),
            frozenset(order.gift_item_ids),
        )
        for order in recorded
    ]
    told = [
        Basket(touch.order_id or touch.entry_id, touch.at, touch.item_ids)
        for touch in newest_first
        if touch.kind == "order" and touch.trusted
    ]
    hints = [
        Hint(ACTS[touch.kind], touch.entry_id, touch.at, item_id)
        for touch in newest_first
        if touch.kind in ACTS and (touch.order_id is None or touch.order_id not in known)
        for item_id in touch.item_ids
    ]
    return History(merge(baskets, told, complete=len(recorded) < ORDERS_READ), tuple(hints))
