"""The desk's part of the people table.

`C#{customer_id}`/`NOTE#{note_id}` (a ULID, so newest last) and `ONCE#note#…`; `C#{customer_id}`/`PROJECT#{project_id}`;
`C#{customer_id}` or `A#{anonymous_id}`/`WATCHLIST`, one item with all marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from chalicelib.desk.model import NOTE_PREFIX, PROJECTS_MAX, VISITOR_KEPT, Mark, Marks, Note, Project, Who
from chalicelib.shared import once
from chalicelib.shared.clock import epoch_seconds, from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table
from chalicelib.shared.errors import Busy
from chalicelib.shared.rounds import rounds

PROJECT_PREFIX, WATCHLIST, NOTE = "PROJECT#", "WATCHLIST", "note"
NEW = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"
LATER = float("inf")
ERASE_PAGE = 100
ROUNDS_MAX = 10
LOOKED_AT = 200  # notes of each id read in a round that looks for visible ones only
PROJECTS_READ_MAX = PROJECTS_MAX + 50  # a few more than are allowed, should several be made at once


class ProjectMoved(Exception):
    """Somebody else's change, or our own whose reply was lost, came first: load again and see which."""


# --- notes


def add_note(note: Note, *, key: str, request: str) -> Note:
    """Store a note once per key; returns the one that stands; raises KeyReused. One trip, 4 write units and up."""
    return _note(once.make("people", NOTE, _note_item(note), key=key, request=request))


def notes(customer_id: str, *, limit: int, before: str = "") -> list[Note]:
    """Notes under one id, newest first, those before a note id. One trip, consistent; 1 read unit per 4 KB."""
    found = table("people").query(
        _pk(customer_id),
        prefix=NOTE_PREFIX,
        before=NOTE_PREFIX + before if before else "",
        newest_first=True,
        limit=limit,
        consistent=True,
    )
    return [_note(item) for item in found]


def look(
    customer_ids: Sequence[str], *, visible_only: bool, limit: int, before: str = ""
) -> tuple[list[Note], str]:
    """Notes under all these ids as one list, newest first, and the note id to go on before, empty at the end.

    A trip for each id; more when visible ones are rare, and then a page may be short while the list goes on.
    """
    size = LOOKED_AT if visible_only else limit + 1
    found: list[Note] = []
    for _ in range(ROUNDS_MAX):
        pages = [notes(each, limit=size, before=before) for each in customer_ids]
        # Below the highest point where some list goes on, notes of that list may be missing.
        horizon = max((page[-1].note_id for page in pages if len(page) == size), default="")
        rows = sorted((note for page in pages for note in page), key=lambda note: note.note_id, reverse=True)
        found += [
            note
            for note in rows
            if note.note_id >= horizon and (note.visible_to_customer or not visible_only)
        ]
        if len(found) > limit:
            return found[:limit], found[limit - 1].note_id
        if not horizon:
            return found, ""
        before = horizon
    return found, before


# --- watchlist


def marks(who: Iterable[Who], *, now: datetime) -> list[Marks]:
    """What these ids said about items, consistent; an empty one for each who said nothing. One trip."""
    wanted = list(dict.fromkeys(who))
    found = table("people").get_many(((partition_of(each), WATCHLIST) for each in wanted), consistent=True)
    return [_marks(each, found.get((partition_of(each), WATCHLIST)), now) for each in wanted]


def change_marks(who: Who, change: Callable[[Marks], Marks], *, at: datetime) -> None:
    """Load, decide, commit what was said at `at`. Two trips, one when nothing changes."""
    for _ in rounds():
        [before] = marks([who], now=at)
        after = change(before)
        if after == before:
            return
        condition, values = (AS_SEEN, {":seen": before.version}) if before.version else (NEW, None)
        try:
            table("people").put(_marks_item(after, before.version + 1), condition=condition, values=values)
        except ConditionFailed:
            continue  # the next round reads the winner, which may be our own write whose reply was lost
        return
    raise Busy("others kept changing this watchlist first")


# --- projects


def projects(customer_id: str) -> list[Project]:
    """Every project under one id, consistent. One trip; 1 read unit per 4 KB."""
    found = table("people").query(
        _pk(customer_id), prefix=PROJECT_PREFIX, limit=PROJECTS_READ_MAX, consistent=True
    )
    return [_project(item) for item in found]


def find_projects(customer_ids: Iterable[str], project_id: str) -> list[Project]:
    """The projects of this id under any of these customer ids. One trip, consistent."""
    keys = [(_pk(each), PROJECT_PREFIX + project_id) for each in customer_ids]
    return [_project(item) for item in table("people").get_many(keys, consistent=True).values()]


def put_project(project: Project) -> None:
    """Write a project over the version before it; raises ProjectMoved. One trip, 1 write unit per KB."""
    condition, values = (AS_SEEN, {":seen": project.version - 1}) if project.version > 1 else (NEW, None)
    try:
        table("people").put(_project_item(project), condition=condition, values=values)
    except ConditionFailed as failed:
        if failed.old is None or _project(failed.old) != project:
            raise ProjectMoved from failed


def delete_project(project: Project) -> None:
    """Remove a project as it was seen; raises ProjectMoved. One trip, 1 write unit."""
    try:
        table("people").delete(
            _pk(project.customer_id),
            PROJECT_PREFIX + project.project_id,
            condition=f"{NEW} OR {AS_SEEN}",
            values={":seen": project.version},
        )
    except ConditionFailed as failed:
        raise ProjectMoved from failed


# --- everything of one person


def erase(who: Who) -> int:
    """Remove all of it under one id; returns how many items. Safe to break off and repeat."""
    pk = partition_of(who)
    removed = 0
    for prefix in (NOTE_PREFIX, PROJECT_PREFIX, once.PREFIX + NOTE, WATCHLIST):
        while found := table("people").query(pk, prefix=prefix, limit=ERASE_PAGE, consistent=True):
            for item in found:
                table("people").delete(item["pk"], item["sk"])
            removed += len(found)
    return removed


def partition_of(who: Who) -> str:
    """The partition key of a customer or a visitor."""
    kind, identifier = who
    return f"C#{identifier}" if kind == "customer" else f"A#{identifier}"


def _pk(customer_id: str) -> str:
    return f"C#{customer_id}"


def _note_item(note: Note) -> Item:
    item: Item = {
        "pk": _pk(note.customer_id),
        "sk": NOTE_PREFIX + note.note_id,
        "note_id": note.note_id,
        "customer_id": note.customer_id,
        "text": note.text,
        "at": to_text(note.created_at),
        "channel": note.channel,
        "topics": list(note.topics),
        "item_ids": list(note.item_ids),
        "visible_to_customer": note.visible_to_customer,
    }
    optional = {name: getattr(note, name) for name in _NOTE_OPTIONAL}
    return item | {name: value for name, value in optional.items() if value is not None}


_NOTE_OPTIONAL = ("author_name", "author_role", "conversation_id", "actor")


def _note(item: Item) -> Note:
    return Note(
        note_id=item["note_id"],
        customer_id=item["customer_id"],
        text=item["text"],
        created_at=from_text(item["at"]),
        channel=item["channel"],
        topics=tuple(item["topics"]),
        item_ids=tuple(item["item_ids"]),
        visible_to_customer=item["visible_to_customer"],
        **{name: item.get(name) for name in _NOTE_OPTIONAL},
    )


def _marks_item(marks: Marks, version: int) -> Item:
    last = max(mark.at for mark in (*marks.by_item.values(), *marks.hinted.values()))
    return {
        "pk": partition_of(marks.who),
        "sk": WATCHLIST,
        "version": version,
        "marks": _plain_marks(marks.by_item),
        **({"hinted": _plain_marks(marks.hinted)} if marks.hinted else {}),
        **({"ttl": epoch_seconds(last + VISITOR_KEPT)} if marks.who[0] == "anonymous" else {}),
    }


def _plain_marks(by_item: Mapping[str, Mark]) -> dict[str, Any]:
    return {
        item_id: [mark.watched, to_text(mark.at), mark.channel, mark.by] for item_id, mark in by_item.items()
    }


def _marks(who: Who, item: Item | None, now: datetime) -> Marks:
    if item is None:
        return Marks(who, 0, {})
    if item.get("ttl", LATER) <= epoch_seconds(now):
        return Marks(who, item["version"], {})  # the store deletes it within days, not at the hour
    return Marks(who, item["version"], _by_item(item["marks"]), _by_item(item.get("hinted", {})))


def _by_item(plain: Mapping[str, Any]) -> dict[str, Mark]:
    return {
        item_id: Mark(watched, from_text(at), channel, by)
        for item_id, (watched, at, channel, by) in plain.items()
    }


def _project_item(project: Project) -> Item:
    return {
        "pk": _pk(project.customer_id),
        "sk": PROJECT_PREFIX + project.project_id,
        "project_id": project.project_id,
        "customer_id": project.customer_id,
        "title": project.title,
        "version": project.version,
        "created_at": to_text(project.created_at),
        "updated_at": to_text(project.updated_at),
        "updated_by": project.updated_by,
        "room": project.room,
        "for_whom": project.for_whom,
        "style": project.style,
        "colours": list(project.colours),
        "deadline": project.deadline.isoformat() if project.deadline else None,
        "notes": project.notes,
    }


def _project(item: Item) -> Project:
    plain: dict[str, Any] = {name: value for name, value in item.items() if name not in ("pk", "sk")}
    changed = {
        "created_at": from_text(item["created_at"]),
        "updated_at": from_text(item["updated_at"]),
        "colours": tuple(item["colours"]),
        "deadline": date.fromisoformat(item["deadline"]) if item["deadline"] else None,
    }
    return Project(**plain | changed)
