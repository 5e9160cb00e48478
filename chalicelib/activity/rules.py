"""Every decision about an event, pure: what it means, whose it is, what makes it the same event again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.activity.model import (
    ABOUT_ITEMS,
    ABOUT_PEOPLE,
    AHEAD_MAX,
    CLAIMED_KINDS,
    FACT,
    GA4_EVENTS,
    GA4_ORDER_PROPERTIES,
    GA4_PROPERTIES,
    GUEST_ORDER,
    HINT,
    ORDER_CANCELLED,
    ORDER_COMPLETED,
    ORDER_REFUNDED,
    ORDER_SCOPE,
    SEGMENT_EVENTS,
    SKEW_MAX,
    SKEW_MIN,
    WATCHING,
    Draft,
    Entry,
    Message,
    Said,
    Timeline,
    Who,
)
from chalicelib.activity.properties import Properties
from chalicelib.shared import clock, ids
from chalicelib.shared.errors import InvalidInput

ENTRY_ID_LENGTH = 24
ECHOED_MAX = 200  # of a wrong message id, so that its sender can find it
_CHANNEL = re.compile("[a-z][a-z0-9_]{0,39}")
_CHANNELS = {
    "browser": "web",
    "mobile": "app",
    "server": "",
}  # Segment's own words; a server acts for some channel
_APP_LIBRARY = re.compile("ios|android|kotlin|swift|react-native|flutter", re.IGNORECASE)
_SEGMENT_NAMES = {name.casefold(): name for name in SEGMENT_EVENTS}


def happened_at(
    event_type: str, timestamp: datetime | None, sent_at: datetime | None, *, now: datetime
) -> datetime:
    """When an event happened by our clock. Raises InvalidInput for a time more than a day ahead or before 2000.

    A client whose `sentAt` lies ahead has a fast clock, and its times are set back by as much. A `sentAt` in the past
    proves nothing: a client that was offline may send an old request again. A clock that is wrong beyond belief is
    not set right but refused.
    """
    if timestamp is None:
        return now
    if sent_at is not None and sent_at - now > SKEW_MIN:
        if sent_at - now > SKEW_MAX:
            raise InvalidInput.of("sentAt", "lies more than a year in the future")
        timestamp -= sent_at - now
        if timestamp < clock.EARLIEST:
            raise InvalidInput.of(
                "timestamp", "lies before the year 2000 when the sender's clock is set right"
            )
    if timestamp - now > AHEAD_MAX:
        raise InvalidInput.of("timestamp", "lies more than a day in the future")
    if event_type in ABOUT_PEOPLE:
        return min(timestamp, now)  # the last word counts, and a fast clock must not have it until tomorrow
    return timestamp


def channel_of(event_type: str, named: Any, context: Mapping[str, Any]) -> str:
    """The channel an event came through: as named, else as far as its context shows, else the web."""
    for name in (named, context.get("channel")):
        channel = _CHANNELS.get(name, name) if isinstance(name, str) else ""
        if _CHANNEL.fullmatch(channel):
            return channel
    library = context.get("library")
    library_name = library.get("name") if isinstance(library, dict) else ""
    is_app = event_type == "screen" or (isinstance(library_name, str) and _APP_LIBRARY.search(library_name))
    return "app" if is_app else "web"


def meaning_of(event: str) -> tuple[str, str]:
    """The canonical name of a track event and its kind, whichever vocabulary it was said in."""
    name = GA4_EVENTS.get(event) or _SEGMENT_NAMES.get(event.casefold(), event)
    return name, SEGMENT_EVENTS.get(name, "event")


def draft(said: Said, *, trusted: bool) -> Draft:
    """The entry an event becomes, and what makes it one; raises InvalidInput naming every wrong field."""
    if not (said.customer_id or said.anonymous_id) or (said.type == "alias" and not said.customer_id):
        wanted = "is required" if said.type == "alias" else "is required, or anonymousId"
        raise InvalidInput.of("userId", wanted)
    if said.type == "track":
        return _track(said, trusted=trusted)
    told: dict[str, dict[str, Any]] = {
        # Not the values: a profile forgets an address when it is told to, and its timeline should not remember it.
        "identify": {"traits": sorted(said.traits)},
        "alias": {"previous_id": said.previous_id},
        "group": {"group_id": said.group_id, "traits": said.traits},
    }
    details = told.get(said.type, {"name": said.event, **said.properties} if said.event else said.properties)
    drafted = _drafted(said, said.type, said.event or said.type, trusted=trusted, details=details)
    return replace(drafted, said=said) if said.type in ABOUT_PEOPLE else drafted


def not_ahead(draft: Draft, *, now: datetime) -> Draft:
    """A word on the watchlist was said by now: the last one counts, and a fast clock must not have it until tomorrow."""
    entry = draft.entry
    if entry.kind not in WATCHING or entry.at <= now:
        return draft
    return replace(draft, entry=replace(entry, at=now))


def entry_id_of(message: Message) -> str:
    """The id of the entry a message becomes: always the same, and not the same for another scope."""
    return ids.fingerprint(message.scope, message.message_id)[:ENTRY_ID_LENGTH]


def same_of_customer(entry: Entry) -> str | None:
    """The id of the entry that a guest's order has as a customer's, None for any other entry."""
    if entry.kind != "order" or entry.who[0] == "customer" or entry.order_id is None:
        return None
    return entry_id_of(Message(ORDER_SCOPE, entry.order_id))


def named(draft: Draft) -> list[Who]:
    """Everybody a draft speaks of, the ids that are only claimed included."""
    said, entry = draft.said, draft.entry
    previous_id = said.previous_id if said else None  # a customer's or a device's, which nobody says
    customer_ids = {entry.customer_id, said.customer_id if said else None, previous_id} - {None}
    anonymous_ids = {entry.anonymous_id, previous_id} - {None}
    return [("customer", each) for each in customer_ids if each] + [
        ("anonymous", each) for each in anonymous_ids if each
    ]


def erased_problem(draft: Draft, erased: Mapping[Who, datetime]) -> InvalidInput | None:
    """Why a draft of somebody who was erased may not be stored, None when it may.

    A customer id is gone for good. A device may start anew as a stranger's: only what happened on it before, and what
    would link it to somebody by what was said before, is refused.
    """
    entry, said = draft.entry, draft.said
    for customer_id in {entry.customer_id, said.customer_id if said else None}:
        if customer_id and ("customer", customer_id) in erased:
            return InvalidInput.of("userId", "was erased")
    devices = {"previousId": said.previous_id if said else None}
    if ("customer", devices["previousId"]) in erased:
        return InvalidInput.of("previousId", "was erased")
    if said or entry.who[0] == "anonymous":
        devices["anonymousId"] = entry.anonymous_id
    for field, anonymous_id in devices.items():
        erased_at = erased.get(("anonymous", anonymous_id)) if anonymous_id else None
        if erased_at is not None and entry.at <= erased_at:
            return InvalidInput.of(field, "was erased after this happened")
    return None


def _track(said: Said, *, trusted: bool) -> Draft:
    event, kind = meaning_of(said.event)
    sent_as = _words_of(said.event, kind)
    values = {ours: said.properties[theirs] for ours, theirs in sent_as.items() if theirs in said.properties}
    values |= {name: value for name, value in said.properties.items() if name not in sent_as.values()}
    properties = Properties(values, sent_as)
    item_ids = properties.item_ids(required=kind in ABOUT_ITEMS)
    order_id = properties.order_id(required=event in (ORDER_COMPLETED, ORDER_REFUNDED))
    details = values
    if event == ORDER_COMPLETED:
        details = properties.order(order_id)
    elif event == ORDER_REFUNDED:
        details = properties.refund(order_id)
    elif order_id and event == ORDER_CANCELLED:
        details = values | {"order_id": order_id}  # which may have been sent as a number
    # In an event of the shop's own making a `product_id` may mean anything.
    if properties.problems and kind != "event":
        first = properties.problems[0]
        raise InvalidInput(f"{first.field}: {first.message}", fields=properties.problems)
    if not trusted:
        kind = CLAIMED_KINDS.get(kind, kind)
    return _drafted(said, kind, event, trusted=trusted, item_ids=item_ids, order_id=order_id, details=details)


def _drafted(said: Said, kind: str, event: str, *, trusted: bool, **more: Any) -> Draft:
    who = _who(said, trusted=trusted)
    # A hint has a scope of its own, so that whoever guesses a message id cannot block the fact that has it, nor
    # another browser's hint.
    message = Message(FACT, said.message_id)
    if not trusted:
        message = Message(HINT, ids.fingerprint(*who, said.anonymous_id or "", said.message_id))
    if kind == "order":
        # An order is one order, whoever tells of it: an event, a second event, or the order's own record. While
        # nobody has said whose it is, it is a guest's, and that must not keep it from becoming a customer's.
        message = Message(ORDER_SCOPE if who[0] == "customer" else GUEST_ORDER, more["order_id"])
    entry = Entry(
        entry_id=entry_id_of(message),
        who=who,
        kind=kind,
        event=event,
        channel=said.channel,
        at=said.at,
        trusted=trusted,
        # Whom a browser claims to be is not said of its timeline: it would outlive that customer's erasure there.
        customer_id=None if who[0] == "anonymous" else said.customer_id,
        anonymous_id=said.anonymous_id,
        **more,
    )
    return Draft(message, entry)


def _who(said: Said, *, trusted: bool) -> Timeline:
    # A browser's claim to be somebody stays with the browser.
    if said.anonymous_id and (not said.customer_id or (said.type in ABOUT_PEOPLE and not trusted)):
        return "anonymous", said.anonymous_id
    assert said.customer_id, "checked in draft"
    return "customer" if trusted else "claimed", said.customer_id


def _words_of(event: str, kind: str) -> Mapping[str, str]:
    if event not in GA4_EVENTS:
        return {}
    return GA4_ORDER_PROPERTIES if kind in ("order", "order_refunded") else GA4_PROPERTIES
