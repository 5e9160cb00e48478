"""What other rooms may ask the desk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chalicelib.desk import store
from chalicelib.desk import watchlist as watching
from chalicelib.desk.model import Marks, Note, Project, WatchedItem
from chalicelib.shared import clock
from chalicelib.shared.clock import to_text

__all__ = ["Note", "Project", "WatchedItem", "export_of", "notes", "projects", "watchlist"]

EXPORT_MAX = 100_000


def notes(customer_ids: Sequence[str], *, visible_only: bool = False, limit: int = 50) -> list[Note]:
    """The newest notes about one person, newest first. A trip for each id, consistent."""
    return store.look(customer_ids, visible_only=visible_only, limit=limit)[0]


def watchlist(
    customer_ids: Sequence[str], anonymous_ids: Sequence[str] = (), *, now: datetime
) -> list[WatchedItem]:
    """What one person keeps an eye on, newest first. One trip, consistent."""
    return watching.watched(watching.marks_of(customer_ids, anonymous_ids, now=now))


def projects(customer_ids: Sequence[str]) -> list[Project]:
    """One person's projects, the one changed last first. A trip for each id, consistent.

    Two ids of a person may each have a project of the same id; both are there, each under its `customer_id`.
    """
    found = [project for customer_id in customer_ids for project in store.projects(customer_id)]
    return sorted(found, key=lambda each: (each.updated_at, each.customer_id), reverse=True)


def export_of(customer_ids: Sequence[str], anonymous_ids: Sequence[str]) -> dict[str, Any]:
    """Everything the desk keeps about one person, internal notes too, as plain JSON."""
    found = notes(customer_ids, limit=EXPORT_MAX)
    everybody = watching.everybody(customer_ids, anonymous_ids)
    return {
        "notes": [_plain_note(note) for note in reversed(found)],
        "watchlist": [
            each for marks in store.marks(everybody, now=clock.now()) for each in _plain_marks(marks)
        ],
        "projects": [
            _plain_project(project) for customer_id in customer_ids for project in store.projects(customer_id)
        ],
    }


def _plain_note(note: Note) -> dict[str, Any]:
    # Who of the shop's people wrote it is said of them and not of the customer; what they are is not.
    told = {name: value for name, value in vars(note).items() if name not in ("author_name", "actor")}
    return told | {
        "created_at": to_text(note.created_at),
        "topics": list(note.topics),
        "item_ids": list(note.item_ids),
    }


def _plain_marks(marks: Marks) -> list[dict[str, Any]]:
    kind, identifier = marks.who
    said = [*sorted(marks.by_item.items()), *sorted(marks.hinted.items())]
    return [
        {
            f"{kind}_id": identifier,
            "item_id": item_id,
            "watched": mark.watched,
            "at": to_text(mark.at),
            "channel": mark.channel,
            "by": mark.by,
        }
        for item_id, mark in said
    ]


def _plain_project(project: Project) -> dict[str, Any]:
    return vars(project) | {
        "created_at": to_text(project.created_at),
        "updated_at": to_text(project.updated_at),
        "colours": list(project.colours),
        "deadline": project.deadline.isoformat() if project.deadline else None,
    }
