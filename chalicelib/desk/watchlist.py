"""One watchlist, whoever fills it: events, the shop's people, the customer; of each item the last word counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from chalicelib.desk import rules, store
from chalicelib.desk.model import EVENT, Mark, WatchedItem, Who


def hear(who: Who, item_ids: Sequence[str], mark: Mark, *, hint: bool = False) -> None:
    """Take in a word on some items. Late, twice or in any order, it ends in the same list. Two trips.

    A `hint` is the word of the browser that `who` is.
    """
    said = dict.fromkeys(item_ids, mark)
    store.change_marks(who, lambda known: rules.heard(known, said, hint=hint), at=mark.at)


def hear_event(
    *,
    watched: bool,
    item_ids: Sequence[str],
    at: datetime,
    channel: str,
    customer_id: str | None,
    anonymous_id: str | None,
    trusted: bool,
) -> None:
    """Take in a wishlist event. A browser speaks for the visitor it is, whatever customer it claims to be.

    Once somebody trusted has linked that visitor to a customer, what it watches is on the customer's list too.
    """
    mark = Mark(watched, at, channel, EVENT)
    if trusted and customer_id:
        hear(("customer", customer_id), item_ids, mark)
    elif anonymous_id:
        hear(("anonymous", anonymous_id), item_ids, mark, hint=not trusted)


def marks_of(customer_ids: Iterable[str], anonymous_ids: Iterable[str], *, now: datetime) -> dict[str, Mark]:
    """The last word on each item under all ids of one person. One trip, consistent."""
    return rules.fold(store.marks(everybody(customer_ids, anonymous_ids), now=now))


def watched(marks: Mapping[str, Mark]) -> list[WatchedItem]:
    """What is on the list, newest first."""
    return rules.watched(marks)


def everybody(customer_ids: Iterable[str], anonymous_ids: Iterable[str]) -> list[Who]:
    """All ids of one person with their kind."""
    people: list[Who] = [("customer", each) for each in customer_ids]
    return people + [("anonymous", each) for each in anonymous_ids]
