"""The nouns of the desk: a note, what is on a watchlist, and a project a customer has in mind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from chalicelib.shared.errors import Conflict

NOTE_TEXT_MAX = 10_000
TOPICS_MAX = 20
NOTE_ITEMS_MAX = 50
SHOWN_TEXT_MAX = 1_000  # of a note on the timeline; the note itself has all of it
NOTES_PAGE_MAX = 200

NOTE_PREFIX = "NOTE#"  # of a note's sort key; the people relay knows it by this

WATCHED_MAX = 200
UNWATCHED_MAX = 200  # removals remembered, so that a late event does not bring an item back

VISITOR_KEPT = timedelta(days=400)  # a visitor's list, after its last word; as long as a timeline

PROJECTS_MAX = 50
COLOURS_MAX = 20

Who = tuple[Literal["customer", "anonymous"], str]

STAFF, WEB = "staff", "web"  # channels where nobody names one: the shop's people, and the customer's own page

# Who put something on the watchlist: an event that has its own entry on the timeline, the watchlist's own route, or the
# event of anybody's browser.
EVENT, API, BROWSER = "event", "api", "browser"

SHOP, CUSTOMER = "shop", "customer"


class AmbiguousProject(Conflict):
    code, title = "ambiguous-project", "Several projects of this customer have this id"


@dataclass(frozen=True)
class Note:
    """What somebody of the shop wrote down about a customer; never changed. `actor` is who the console says it was."""

    note_id: str
    customer_id: str
    text: str
    created_at: datetime
    channel: str = STAFF
    topics: tuple[str, ...] = ()
    item_ids: tuple[str, ...] = ()
    author_name: str | None = None
    author_role: str | None = None
    conversation_id: str | None = None
    actor: str | None = None
    visible_to_customer: bool = False


@dataclass(frozen=True)
class Mark:
    """The last word on one item: whether it is watched, since when, and through which channel."""

    watched: bool
    at: datetime
    channel: str
    by: str = EVENT


@dataclass(frozen=True)
class Marks:
    """What one id said about items. `version` counts its changes and is 0 while nothing is stored.

    `hinted` is what a browser said for the visitor it is, kept apart from what anybody trusted said.
    """

    who: Who
    version: int
    by_item: Mapping[str, Mark]
    hinted: Mapping[str, Mark] = field(default_factory=dict)


@dataclass(frozen=True)
class WatchedItem:
    """One item on a watchlist."""

    item_id: str
    added_at: datetime
    channel: str


@dataclass(frozen=True)
class Project:
    """Something a customer has in mind, such as a room to furnish. `updated_by` is `shop` or `customer`."""

    project_id: str
    customer_id: str
    title: str
    version: int
    created_at: datetime
    updated_at: datetime
    updated_by: str
    room: str | None = None
    for_whom: str | None = None
    style: str | None = None
    colours: tuple[str, ...] = ()
    deadline: date | None = None
    notes: str = ""
