"""Notes, watchlist and projects over HTTP, and the facts this room publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Field

from chalicelib.desk.model import (
    COLOURS_MAX,
    NOTE_ITEMS_MAX,
    NOTE_PREFIX,
    NOTE_TEXT_MAX,
    NOTES_PAGE_MAX,
    TOPICS_MAX,
)
from chalicelib.shared.clock import from_text
from chalicelib.shared.contract import At, Id, In, Line, Out, Published, Query, Text
from chalicelib.shared.facts import Fact

NOTE_ADDED = "note.added"

Channel = Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,39}$", examples=["store"])]
Topic = Annotated[Line, Field(max_length=100)]


class Author(In):
    """Who wrote it, in the words the shop uses."""

    name: Line | None = Field(default=None, examples=["佐藤"])
    role: Line | None = Field(default=None, examples=["store staff"])


class NoteBody(In):
    """Something worth remembering about a customer, for whoever talks to them next."""

    text: Annotated[Text, Field(min_length=1, max_length=NOTE_TEXT_MAX)] = Field(examples=["沖縄も検討"])
    topics: list[Topic] = Field(default_factory=list, max_length=TOPICS_MAX, examples=[["travel"]])
    item_ids: list[Id] = Field(default_factory=list, max_length=NOTE_ITEMS_MAX)
    author: Author | None = None
    conversation_id: Id | None = Field(
        default=None, description="Ties the notes of one conversation together."
    )
    channel: Literal["staff", "store", "phone", "chat", "email"] = Field(
        default="staff", description="Where the conversation was; `staff` when there was none."
    )
    visible_to_customer: bool = Field(
        default=False,
        description="Whether it is on the customer's own pages. The copy of their data has every note.",
    )


class NotesQuery(Query):
    limit: int = Field(default=50, ge=1, le=NOTES_PAGE_MAX)
    cursor: str | None = Field(default=None, max_length=4096, description="`next_cursor` of the page before.")


class AuthorAnswer(Out):
    name: str | None
    role: str | None


class NoteAnswer(Out):
    note_id: str
    text: str
    topics: list[str]
    item_ids: list[str]
    author: AuthorAnswer | None
    conversation_id: str | None
    channel: str
    visible_to_customer: bool
    actor: str | None = Field(description="The `X-Actor` of a staff key; null on the customer's own page.")
    created_at: At


class NotesAnswer(Out):
    """A page of notes, newest first."""

    data: list[NoteAnswer]
    next_cursor: str | None


class WatchQuery(Query):
    channel: Channel | None = Field(
        default=None,
        description="Where it was added; `staff` for a key and `web` for a customer if left out.",
    )


class PriceAnswer(Out):
    amount: int
    currency: str


class WatchedCard(Out):
    """What the catalogue says of an item now."""

    title: str = Field(description="In the language asked for, where there is one.")
    kind: str
    price: PriceAnswer | None
    image_url: str | None
    url: str | None
    in_stock: bool


class WatchedAnswer(Out):
    item_id: str
    added_at: At
    channel: str
    item: WatchedCard | None = Field(description="Null when the catalogue does not know it, or hides it.")


class WatchlistAnswer(Out):
    """What a customer keeps an eye on, newest first, whoever put it there."""

    data: list[WatchedAnswer]


class ProjectBody(In):
    """Something a customer has in mind. A `PUT` replaces it whole."""

    title: Line = Field(examples=["地下室の改築"])
    room: Line | None = Field(default=None, examples=["basement"])
    for_whom: Line | None = Field(default=None, examples=["a teenager"])
    style: Line | None = Field(default=None, examples=["modern"])
    colours: list[Topic] = Field(default_factory=list, max_length=COLOURS_MAX, examples=[["beige"]])
    deadline: date | None = Field(default=None, examples=["2027-03-31"])
    notes: Text = Field(default="", description="Free text; the customer may read it.")


class ProjectQuery(Query):
    kept_under: Id | None = Field(
        default=None,
        description="Which one is meant, where two ids of a customer each have a project of this id.",
    )


class ProjectAnswer(Out):
    project_id: str
    kept_under: str = Field(description="The customer id it was made for, also where that was merged since.")
    title: str
    room: str | None
    for_whom: str | None
    style: str | None
    colours: list[str]
    deadline: date | None
    notes: str
    updated_by: str = Field(description="`shop` or `customer`.")
    created_at: At
    updated_at: At
    version: int = Field(description="Grows by one with every change; also the ETag.")


class ProjectsAnswer(Out):
    """A customer's projects, the one changed last first."""

    data: list[ProjectAnswer]


class NoteAdded(Published):
    """Fact `note.added`. Its text stays in the house: whoever may read it asks for it."""

    customer_id: str
    note_id: str
    channel: str
    topics: list[str]
    item_ids: list[str]
    visible_to_customer: bool
    at: str


def facts_of(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Sequence[Fact]:
    """What a change in the people table means in this room's words: a new note is `note.added`."""
    if old is not None or new is None or not new["sk"].startswith(NOTE_PREFIX):
        return []
    data = NoteAdded(**{name: new[name] for name in NoteAdded.model_fields})
    return [
        Fact(
            id=f"{NOTE_ADDED}:{data.note_id}",
            type=NOTE_ADDED,
            subject=f"customers/{data.customer_id}",
            time=from_text(data.at),
            data=data.model_dump(),
        )
    ]
