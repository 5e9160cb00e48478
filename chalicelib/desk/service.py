"""Use cases of the desk: what is written down here is in the next request of every channel."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chalicelib.activity import telling as timeline
from chalicelib.catalog import reads as catalog
from chalicelib.customers import reads as people
from chalicelib.desk import answers, reads, rules, store, watchlist
from chalicelib.desk.model import (
    API,
    BROWSER,
    CUSTOMER,
    PROJECTS_MAX,
    SHOP,
    SHOWN_TEXT_MAX,
    STAFF,
    WATCHED_MAX,
    WEB,
    AmbiguousProject,
    Mark,
    Note,
    Project,
)
from chalicelib.desk.schemas import (
    NOTE_ADDED,
    NoteAnswer,
    NoteBody,
    NotesAnswer,
    NotesQuery,
    ProjectBody,
    WatchedAnswer,
    WatchlistAnswer,
)
from chalicelib.shared import etags, ids, tokens
from chalicelib.shared.clock import to_text
from chalicelib.shared.errors import Busy, Conflict, NotFound, StaleVersion
from chalicelib.shared.rounds import rounds

PROJECT_CREATED = "project.created"
NO_PROJECT = "this customer has no such project"
WISHLIST_ADDED, WISHLIST_REMOVED = "Product Added to Wishlist", "Product Removed from Wishlist"


def add_note(customer_id: str, body: NoteBody, *, actor: str | None, key: str, now: datetime) -> NoteAnswer:
    """Write a note down once per Idempotency-Key; it is on the timeline when this returns. Raises KeyReused.

    A run that ended between the note and its place on the timeline is finished by sending it again.
    """
    _selves(customer_id)  # erased? then nothing is written
    drafted = Note(
        note_id=ids.new(now),
        customer_id=customer_id,
        text=body.text,
        created_at=now,
        channel=body.channel,
        topics=tuple(body.topics),
        item_ids=tuple(dict.fromkeys(body.item_ids)),
        author_name=body.author.name if body.author else None,
        author_role=body.author.role if body.author else None,
        conversation_id=body.conversation_id,
        actor=actor,
        visible_to_customer=body.visible_to_customer,
    )
    note = store.add_note(drafted, key=key, request=body.model_dump_json())
    timeline.tell(
        note.customer_id,
        cause=f"{NOTE_ADDED}:{note.note_id}",
        kind="note",
        event=NOTE_ADDED,
        channel=note.channel,
        at=note.created_at,
        item_ids=note.item_ids,
        details=_shown(note),
        internal=not note.visible_to_customer,
        now=now,
    )
    return answers.note(note, own=False)


def notes(customer_id: str, query: NotesQuery, *, own: bool, now: datetime) -> NotesAnswer:
    """One page of notes about a customer, newest first; their own page has the visible ones only."""
    filter_name = ids.fingerprint("notes", customer_id, str(own))
    before = tokens.position_of(filter_name, query.cursor, now=now)
    customer_ids, _ = _selves(customer_id, own=own)
    found, following = store.look(customer_ids, visible_only=own, limit=query.limit, before=before)
    return NotesAnswer(
        data=[answers.note(note, own=own) for note in found],
        next_cursor=tokens.cursor(filter_name, following, now=now) if following else None,
    )


def watched_items(customer_id: str, *, own: bool, language: str, now: datetime) -> WatchlistAnswer:
    """What a customer keeps an eye on, with what the catalogue says of it now."""
    found = reads.watchlist(*_selves(customer_id, own=own), now=now)
    items = catalog.items(each.item_id for each in found)
    return WatchlistAnswer(data=[answers.watched(each, items.get(each.item_id), language) for each in found])


def watch(
    customer_id: str, item_id: str, *, channel: str | None, own: bool, language: str, now: datetime
) -> WatchedAnswer:
    """Put an item on the watchlist; doing it again changes nothing. Raises Conflict when the list is full."""
    marks = watchlist.marks_of(*_selves(customer_id), now=now)
    mark = marks.get(item_id)
    # What only a browser put there becomes the customer's own, so that the browser does not take it off again.
    if mark is None or not mark.watched or mark.by == BROWSER:
        if rules.is_full(marks):
            raise Conflict(f"a watchlist holds {WATCHED_MAX} items; remove one first")
        mark = _say(customer_id, item_id, mark, watched=True, channel=channel, own=own, now=now)
    _show(customer_id, item_id, mark, now=now)
    [found] = watchlist.watched({item_id: mark})
    return answers.watched(found, catalog.items([item_id]).get(item_id), language)


def unwatch(customer_id: str, item_id: str, *, channel: str | None, own: bool, now: datetime) -> None:
    """Take an item off the watchlist; doing it again changes nothing."""
    mark = watchlist.marks_of(*_selves(customer_id), now=now).get(item_id)
    if mark is None:
        return
    if mark.watched:
        mark = _say(customer_id, item_id, mark, watched=False, channel=channel, own=own, now=now)
    _show(customer_id, item_id, mark, now=now)


def projects(customer_id: str, *, own: bool) -> Sequence[Project]:
    """A customer's projects, the one changed last first."""
    return reads.projects(_selves(customer_id, own=own)[0])


def project(customer_id: str, project_id: str, *, kept_under: str | None, own: bool) -> Project:
    """One project; raises NotFound and AmbiguousProject."""
    found = _find(_selves(customer_id, own=own)[0], project_id, kept_under)
    if found is None:
        raise NotFound(NO_PROJECT)
    return found


def put_project(
    customer_id: str,
    project_id: str,
    body: ProjectBody,
    *,
    if_match: str | None,
    own: bool,
    now: datetime,
    kept_under: str | None = None,
) -> tuple[Project, bool]:
    """Make a project or replace it whole; returns it and whether it is new. The same again changes nothing.

    `if_match` is the header. Raises StaleVersion, AmbiguousProject, NotFound where none is `kept_under` that id, or
    Conflict for one project too many.
    """
    wanted = Project(
        project_id=project_id,
        customer_id=customer_id,
        version=1,
        created_at=now,
        updated_at=now,
        updated_by=CUSTOMER if own else SHOP,
        **dict(body) | {"colours": tuple(body.colours)},
    )
    customer_ids, _ = _selves(customer_id)
    for _ in rounds():
        before = _find(customer_ids, project_id, kept_under)
        if before is None and kept_under is not None:
            raise NotFound(NO_PROJECT)
        after = rules.changed(before, wanted)
        if after is not None:
            _check_version(if_match, before)
            if before is None and len(reads.projects(customer_ids)) >= PROJECTS_MAX:
                raise Conflict(f"a customer may have {PROJECTS_MAX} projects; remove one first")
            try:
                store.put_project(after)
            except store.ProjectMoved:
                continue
        stored = after or before
        assert stored is not None, "what would change nothing is there"
        if stored.version == 1:
            _show_project(stored, own=stored.updated_by == CUSTOMER, now=now)
        return stored, before is None
    raise Busy("others kept changing this project first")


def delete_project(
    customer_id: str, project_id: str, *, kept_under: str | None, if_match: str | None
) -> None:
    """Remove a project; doing it again changes nothing. Raises StaleVersion and AmbiguousProject."""
    customer_ids, _ = _selves(customer_id)
    for _ in rounds():
        found = _find(customer_ids, project_id, kept_under)
        if found is None:
            return
        _check_version(if_match, found)
        try:
            store.delete_project(found)
        except store.ProjectMoved:
            continue
        return
    raise Busy("others kept changing this project first")


def erase(customer_ids: Sequence[str], anonymous_ids: Sequence[str], *, now: datetime) -> dict[str, int]:  # noqa: ARG001
    """Remove everything the desk keeps about one person. Safe to break off and repeat."""
    everybody = watchlist.everybody(customer_ids, anonymous_ids)
    return {"people.desk": sum(store.erase(who) for who in everybody)}


def _selves(customer_id: str, *, own: bool = True) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """All ids of the person; raises Gone, and Moved for a merged id that somebody else than its `own` person reads.

    What is written stays under the id it was written for, so that undoing a merge gives each side back its own.
    """
    person = people.asked_person(customer_id, own=own)
    return (person.customer_ids, person.anonymous_ids) if person else ((customer_id,), ())


def _say(
    customer_id: str,
    item_id: str,
    before: Mark | None,
    *,
    watched: bool,
    channel: str | None,
    own: bool,
    now: datetime,
) -> Mark:
    mark = Mark(watched, rules.at_of_edit(before, now), channel or (WEB if own else STAFF), API)
    watchlist.hear(("customer", customer_id), [item_id], mark)
    return mark


def _show(customer_id: str, item_id: str, mark: Mark, *, now: datetime) -> None:
    """Put what the watchlist's own route did on the timeline, once; an event is there already."""
    if mark.by != API:
        return
    timeline.tell(
        customer_id,
        cause=f"watchlist:{customer_id}#{item_id}#{to_text(mark.at)}",
        kind="wishlist" if mark.watched else "wishlist_removed",
        event=WISHLIST_ADDED if mark.watched else WISHLIST_REMOVED,
        channel=mark.channel,
        at=mark.at,
        item_ids=(item_id,),
        details={"product_id": item_id},
        now=now,
    )


def _show_project(project: Project, *, own: bool, now: datetime) -> None:
    timeline.tell(
        project.customer_id,
        cause=f"{PROJECT_CREATED}:{project.customer_id}#{project.project_id}#{to_text(project.created_at)}",
        kind="project",
        event=PROJECT_CREATED,
        channel=WEB if own else STAFF,
        at=project.created_at,
        details={"project_id": project.project_id, "title": project.title},
        now=now,
    )


def _shown(note: Note) -> dict[str, object]:
    told = {
        "note_id": note.note_id,
        "text": note.text[:SHOWN_TEXT_MAX],
        "is_shortened": len(note.text) > SHOWN_TEXT_MAX,
        "topics": list(note.topics),
        "author_name": note.author_name,
        "author_role": note.author_role,
        "conversation_id": note.conversation_id,
    }
    return {name: value for name, value in told.items() if value}


def _find(customer_ids: Sequence[str], project_id: str, kept_under: str | None) -> Project | None:
    """The one project that is meant; two who turned out to be one may each have one of this id."""
    found = [
        each
        for each in store.find_projects(customer_ids, project_id)
        if kept_under in (None, each.customer_id)
    ]
    if len(found) > 1:
        raise AmbiguousProject(
            "say which with kept_under: " + ", ".join(sorted(each.customer_id for each in found))
        )
    return found[0] if found else None


def _check_version(if_match: str | None, before: Project | None) -> None:
    if not etags.allows(if_match, str(before.version) if before else None):
        raise StaleVersion(f"it has version {before.version} now" if before else "it does not exist")
