"""Every decision of the desk, pure: the last word on a watched item, and what a change of a project is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.desk.model import BROWSER, UNWATCHED_MAX, WATCHED_MAX, Mark, Marks, Project, WatchedItem

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


def heard(known: Marks, said: Mapping[str, Mark], *, hint: bool) -> Marks:
    """What one id says after these words too; `hint` are the words of the browser that it is."""
    if hint:
        by_browser = {item_id: replace(mark, by=BROWSER) for item_id, mark in said.items()}
        return replace(known, hinted=hear(known.hinted, by_browser))
    return replace(known, by_item=hear(known.by_item, said))


def fold(lists: Iterable[Marks]) -> dict[str, Mark]:
    """What all ids of one person say together: of each item the last word of any of them.

    A browser's removal takes back what the same browser put on the list, which it has by now, and nothing else.
    """
    folded: dict[str, Mark] = {}
    for each in lists:
        added = {item_id: mark for item_id, mark in each.hinted.items() if mark.watched}
        for item_id, mark in (*each.by_item.items(), *added.items()):
            if item_id not in folded or _order(mark) > _order(folded[item_id]):
                folded[item_id] = mark
    return folded


def watched(marks: Mapping[str, Mark]) -> list[WatchedItem]:
    """What is on the list, newest first. What browsers put there takes the room that is left."""
    trusted = {item_id: mark for item_id, mark in marks.items() if mark.by != BROWSER}
    kept = _newest(trusted, watched=True, limit=WATCHED_MAX)
    room = WATCHED_MAX - len(kept)
    kept |= _newest(
        {item_id: mark for item_id, mark in marks.items() if item_id not in trusted}, watched=True, limit=room
    )
    newest = _newest(kept, watched=True, limit=WATCHED_MAX)
    return [WatchedItem(item_id, mark.at, mark.channel) for item_id, mark in newest.items()]


def is_full(marks: Mapping[str, Mark]) -> bool:
    """Whether no further item may be put on the list; what browsers put there keeps nobody out."""
    return sum(mark.watched and mark.by != BROWSER for mark in marks.values()) >= WATCHED_MAX


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


def _order(mark: Mark) -> tuple[datetime, bool, str, str]:
    # At the same moment a removal wins; the rest only makes the outcome the same in any order.
    return mark.at, not mark.watched, mark.channel, mark.by


def _newest(marks: Mapping[str, Mark], *, watched: bool, limit: int) -> dict[str, Mark]:
    found = [(item_id, mark) for item_id, mark in marks.items() if mark.watched is watched]
    found.sort(key=lambda each: (each[1].at, each[0]), reverse=True)
    return dict(found[:limit])
