"""What the desk's nouns look like over HTTP."""

from __future__ import annotations

from chalicelib.catalog.reads import CatalogItem
from chalicelib.desk.model import Note, Project, WatchedItem
from chalicelib.desk.schemas import (
    AuthorAnswer,
    NoteAnswer,
    PriceAnswer,
    ProjectAnswer,
    WatchedAnswer,
    WatchedCard,
)


def note(note: Note, *, own: bool) -> NoteAnswer:
    """A note; who wrote it is for the shop to know, what they are is not."""
    has_author = note.author_name is not None or note.author_role is not None
    return NoteAnswer(
        note_id=note.note_id,
        text=note.text,
        topics=list(note.topics),
        item_ids=list(note.item_ids),
        author=AuthorAnswer(name=None if own else note.author_name, role=note.author_role)
        if has_author
        else None,
        conversation_id=None if own else note.conversation_id,
        channel=note.channel,
        visible_to_customer=note.visible_to_customer,
        actor=None if own else note.actor,
        created_at=note.created_at,
    )


def watched(watched: WatchedItem, item: CatalogItem | None, language: str) -> WatchedAnswer:
    """One item of a watchlist in `ja` or `en`."""
    return WatchedAnswer(
        item_id=watched.item_id,
        added_at=watched.added_at,
        channel=watched.channel,
        item=_card(item, language) if item and not item.hidden else None,
    )


def project(project: Project) -> ProjectAnswer:
    """A project with the id it is kept under."""
    shown = {name: value for name, value in vars(project).items() if name != "customer_id"}
    return ProjectAnswer(**shown | {"kept_under": project.customer_id, "colours": list(project.colours)})


def _card(item: CatalogItem, language: str) -> WatchedCard:
    price = (
        PriceAnswer(amount=item.price_amount, currency=item.currency)
        if item.price_amount is not None and item.currency is not None
        else None
    )
    return WatchedCard(
        title=item.title_in(language),
        kind=item.kind,
        price=price,
        image_url=item.image_url,
        url=item.url,
        in_stock=item.in_stock,
    )
