"""What was learned, in the catalogue table beside the items; a model serves as a whole or not at all.

`I#{item_id}`/`N#{version}` holds an item's neighbours, `MODEL`/`POP#{version}` what sells, and `MODEL`/`CURRENT` says
which version serves. `MODEL`/`ROWS#{version}#{part}` lists the items of a version, so that it can be removed again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from chalicelib.recommendations.model import Current, Learned, Popularity, SessionWeights, Trained
from chalicelib.recommendations.rows import (
    pack_popularity,
    pack_row,
    text_of,
    unpack_popularity,
    unpack_row,
    zipped,
)
from chalicelib.shared.clock import from_text, to_text
from chalicelib.shared.dynamo import ConditionFailed, Item, table

MODEL = "MODEL"
CURRENT = "CURRENT"
ROWS_PER_CHUNK = 500
IDS_PER_PART = 1000
PARTS_MAX = 10_000
VERSIONS_CACHED = 2

NONE_YET = "attribute_not_exists(pk)"
AS_SEEN = "version = :seen"

# A version's popularity never changes, so a process reads it once. The pointer is read in every request: a new model
# serves from the next one.
_popularity: dict[tuple[str, str], Popularity] = {}


class Overtaken(Exception):
    """Another training run was put in force meanwhile; this one serves nobody and is removed."""


def current() -> Current | None:
    """Which model serves, None before the first training. One trip, half a read unit."""
    return _current(table("catalog").get(MODEL, CURRENT))


def learned(version: str, item_ids: Iterable[str]) -> Learned:
    """The rows of some items (100 at most for one trip) and what sells. Half a read unit a row; a new version's
    popularity 1 to 3 once per process.
    """
    catalog = table("catalog")
    cached = _popularity.get((catalog.name, version))
    popularity_key = (MODEL, _popularity_sk(version))
    keys = [(_pk(item_id), _row_sk(version)) for item_id in item_ids]
    found = catalog.get_many(keys if cached else [popularity_key, *keys])
    if cached is None:
        stored = found.pop(popularity_key, None)
        cached = unpack_popularity(stored["popularity"]) if stored else Popularity()
        while len(_popularity) >= VERSIONS_CACHED:
            _popularity.pop(next(iter(_popularity)))
        _popularity[catalog.name, version] = cached
    rows = (unpack_row(item["pk"].removeprefix("I#"), item["row"]) for item in found.values())
    return Learned({row.item_id: row for row in rows}, cached)


def save(model: Trained, *, on_written: Callable[[int], None] | None = None) -> None:
    """Write a trained model and put it in force with one last write; until then the one before serves.

    Raises Overtaken when another run came first. Keeps the model before, whose rows requests under way still read,
    and removes older and unfinished ones. Safe to repeat. `on_written` hears of rows as they are written.
    """
    seen = _current(table("catalog").get(MODEL, CURRENT, consistent=True))
    before = _versions()
    item_ids = sorted({*model.neighbours, *model.intervals})
    # The list first: whatever of the rest gets written can then be found.
    _list(model.version, item_ids)
    _write(model, item_ids, on_written or (lambda _count: None))
    previous = None
    if seen:
        previous = seen.previous if seen.version == model.version else seen.version
    try:
        weights = SessionWeights(*model.session_weights)
        _switch(Current(model.version, previous, model.as_of, weights), seen)
    except Overtaken:
        _list(model.version, item_ids)  # the other run may have removed it, and then we wrote on
        _remove(model.version)
        raise
    # Only what was there when this run began: a run that began meanwhile is not ours to remove.
    for version in sorted(before - {model.version, previous}):
        _remove(version)


def _list(version: str, item_ids: Sequence[str]) -> None:
    parts = list(_parts(item_ids, IDS_PER_PART)) or [[]]
    table("catalog").put_many(
        [
            {"pk": MODEL, "sk": _part_sk(version, number), "item_ids": zipped(",".join(part))}
            for number, part in enumerate(parts)
        ]
    )


def _write(model: Trained, item_ids: Sequence[str], on_written: Callable[[int], None]) -> None:
    for chunk in _parts(item_ids, ROWS_PER_CHUNK):
        items: list[Item] = [
            {"pk": _pk(item_id), "sk": _row_sk(model.version), "row": pack_row(item_id, model)}
            for item_id in chunk
        ]
        table("catalog").put_many(items)
        on_written(len(chunk))
    table("catalog").put(
        {"pk": MODEL, "sk": _popularity_sk(model.version), "popularity": pack_popularity(model)}
    )


def _switch(new: Current, seen: Current | None) -> None:
    item: Item = {
        "pk": MODEL,
        "sk": CURRENT,
        "version": new.version,
        "previous": new.previous,
        "as_of": to_text(new.as_of),
        "session": json.dumps([new.session.own, new.session.decay, new.session.length]),
    }
    try:
        if seen is None:
            table("catalog").put(item, condition=NONE_YET)
        else:
            table("catalog").put(item, condition=AS_SEEN, values={":seen": seen.version})
    except ConditionFailed as failed:
        # Our own write, whose reply was lost, is no other run.
        if failed.old is None or failed.old["version"] != new.version:
            raise Overtaken(new.version) from failed


def _versions() -> set[str]:
    """Every version of which anything may be stored, finished or not."""
    found = table("catalog").query(MODEL, prefix="ROWS#", limit=PARTS_MAX, consistent=True)
    return {item["sk"].split("#")[1] for item in found}


def _remove(version: str) -> None:
    catalog = table("catalog")
    parts = catalog.query(MODEL, prefix=f"ROWS#{version}#", limit=PARTS_MAX, consistent=True)
    for part in parts:
        item_ids = [each for each in text_of(part["item_ids"]).split(",") if each]
        catalog.delete_many((_pk(item_id), _row_sk(version)) for item_id in item_ids)
    # The lists last: a run that dies in between leaves the next one what it needs.
    catalog.delete_many([(MODEL, _popularity_sk(version)), *((MODEL, part["sk"]) for part in parts)])


def _pk(item_id: str) -> str:
    return f"I#{item_id}"


def _row_sk(version: str) -> str:
    return f"N#{version}"


def _popularity_sk(version: str) -> str:
    return f"POP#{version}"


def _part_sk(version: str, number: int) -> str:
    return f"ROWS#{version}#{number:04d}"


def _current(item: Item | None) -> Current | None:
    if item is None:
        return None
    # A model trained by an earlier release has none.
    weights = SessionWeights(*json.loads(item["session"])) if "session" in item else SessionWeights()
    return Current(item["version"], item["previous"], from_text(item["as_of"]), weights)


def _parts(item_ids: Sequence[str], size: int) -> Iterator[list[str]]:
    left = iter(item_ids)
    while part := list(islice(left, size)):
        yield part
