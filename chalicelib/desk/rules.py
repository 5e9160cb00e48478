"""Every decision of the desk, pure: the last word on a watched item, and what a change of a project is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.desk.model import UNWATCHED_MAX, WATCHED_MAX, Mark, Project, WatchedItem

TICK = timedelta(milliseconds=1)  # the precision of stored times


def hear(known: Mapping[str, Mark], said: Mapping[str, Mark]) -> dict[str, Mark]:
    """Of each item the last word. In whatever order the words come, and however often, the outcome is the same."""
    heard = dict(known)
    for item_id, mark in said.items():
        if item_id not in heard or _order(mark) > _order(heard[item_id]):
            heard[item_id] = mark
    return _newest(heard, watched=True, limit=WATCHED_MAX) | _newest(
        heard, watched=False, limit=UNWATCHED_MAX
    )


def fold(lists: Iterable[Mapping[str, Mark]]) -> dict[str, Mark]:
    """What all ids of one person say together: of each item the last word of any of them."""
    folded: dict[str, Mark] = {}
    for each in lists:
        for item_id, mark in each.items():
            if item_id not in folded or _order(mark) > _order(folded[item_id]):
                folded[item_id] = mark
    return folded


def watched(marks: Mapping[str, Mark]) -> list[WatchedItem]:
    """What is on the list, newest first."""
    newest = _newest(marks, watched=True, limit=WATCHED_MAX)
    return [WatchedItem(item_id, mark.at, mark.channel) for item_id, mark in newest.items()]


def at_of_edit(before: Mark | None, now: datetime) -> datetime:
    """When an edit made in view of `before` counts: now, and in any case after what it replaces."""
    return max(now, before.at + TICK) if before else now


def changed(before: Project | None, wanted: Project) -> Project | None:
    """The project to store, or None when nothing would change."""
    if before is None:
        return wanted
    after = replace(
        wanted, customer_id=before.customer_id, version=before.version + 1, created_at=before.created_at
    )
    is_same = after == replace(
        before,
        version=after.version,
        updated_at=after.updated_at,
        updated_by=after.updated_by,
    )
    return None if is_same else after


def is_current(if_match: str, version: int) -> bool:
    """Whether an If-Match header names this version; 0 is a thing that does not exist."""
    wanted = [each.strip().removeprefix("W/").strip('"') for each in if_match.split(",")]
    return version > 0 and (str(version) in wanted or "*" in wanted)


def _order(mark: Mark) -> tuple[datetime, bool, str, str]:
    # At the same moment a removal wins; the rest only makes the outcome the same in any order.
    return mark.at, not mark.watched, mark.channel, mark.by


def _newest(marks: Mapping[str, Mark], *, watched: bool, limit: int) -> dict[str, Mark]:
    found = [(item_id, mark) for item_id, mark in marks.items() if mark.watched is watched]
    found.sort(key=lambda each: (each[1].at, each[0]), reverse=True)
    return dict(found[:limit])
