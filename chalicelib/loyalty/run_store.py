"""How far the daily run has come, in the settings table: `RUN`/`{name}` is the latest round over one table."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.shared.clock import EARLIEST, from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, table

PK = "RUN"
NEW, AS_SEEN = "attribute_not_exists(pk)", "version = :seen"
Key = tuple[str, str]


@dataclass(frozen=True)
class Round:
    """One round over a table: `after` is the last key that is done, None at the start and when all is done."""

    name: str
    begun_at: datetime = EARLIEST
    after: Key | None = None
    pages: int = 0
    is_done: bool = True
    version: int = 0


class RoundMoved(Exception):
    """Another run of the same round was quicker."""


def load(name: str) -> Round:
    """The latest round; one that is done, and long ago, where there was none. One trip, 1 read unit."""
    item = table("settings").get(PK, name, consistent=True)
    if item is None:
        return Round(name)
    after = (item["after"][0], item["after"][1]) if item["after"] else None
    return Round(name, from_text(item["begun_at"]), after, item["pages"], item["is_done"], item["version"])


def save(found: Round) -> Round:
    """Keep how far a round has come; raises RoundMoved. One trip, 1 write unit."""
    kept = replace(found, version=found.version + 1)
    item = {
        "pk": PK,
        "sk": kept.name,
        "begun_at": to_text(kept.begun_at),
        "after": list(kept.after or ()),
        "pages": kept.pages,
        "is_done": kept.is_done,
        "version": kept.version,
    }
    condition, values = (AS_SEEN, {":seen": found.version}) if found.version else (NEW, None)
    try:
        table("settings").put(item, condition=condition, values=values)
    except ConditionFailed as failed:
        raise RoundMoved from failed
    return kept
