"""How what was learned is stored: columns, so that equal things lie together and compress. Pure.

Ids are joined by commas (no id holds one), scores are steps down from the best of their list, and counts are counts.
Ids and small numbers of 200 neighbours come to about 850 bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence

from chalicelib.recommendations.model import ItemRow, Neighbour, Popularity, Trained

RELATIONS = ("together", "users", "next", "session")
WINDOWS_DAYS = (14, 90)

STEPS_OF_SCORE = 1000  # a score is kept as thousandths of the best in its list: finer than any ranking sees
BILLIONTH = 1e-9


def pack_row(item_id: str, model: Trained) -> bytes:
    """What the model learned of one item."""
    relations = model.neighbours.get(item_id, {})
    interval = model.intervals.get(item_id)
    columns = [_pack_neighbours(relations.get(name, ())) for name in RELATIONS]
    return zipped(json.dumps([*columns, interval[0] if interval else None], separators=(",", ":")))


def unpack_row(item_id: str, packed: bytes) -> ItemRow:
    """The same as the ranking reads it; a row of an earlier release has fewer lists."""
    *columns, interval_days = json.loads(text_of(packed))
    lists = dict(zip(RELATIONS, (_unpack_neighbours(*each) for each in columns), strict=False))
    return ItemRow(item_id, **lists, interval_days=interval_days)


def pack_popularity(model: Trained) -> bytes:
    """What sells and what is looked at."""
    windows = [*(model.popularity.get(days, ()) for days in WINDOWS_DAYS), model.viewed]
    return zipped(json.dumps([_pack_counts(each) for each in windows], separators=(",", ":")))


def unpack_popularity(packed: bytes) -> Popularity:
    """The same as the ranking reads it."""
    windows = []
    for joined, counts in json.loads(text_of(packed)):
        windows.append(dict(zip(joined.split(",") if joined else (), counts, strict=True)))
    return Popularity(*windows)


def zipped(text: str) -> bytes:
    """A text as it is stored."""
    return zlib.compress(text.encode(), 9)


def text_of(data: bytes) -> str:
    """What `zipped` stored."""
    return zlib.decompress(data).decode()


def _pack_counts(counted: Iterable[tuple[str, int]]) -> list[object]:
    pairs = list(counted)
    return [",".join(item_id for item_id, _ in pairs), [count for _, count in pairs]]


def _pack_neighbours(neighbours: Sequence[tuple[str, float, int]]) -> tuple[str, int, list[int], list[int]]:
    best = max((score for _, score, _ in neighbours), default=0.0) or 1.0
    steps, last = [], STEPS_OF_SCORE
    for _, score, _ in neighbours:
        level = max(round(score / best * STEPS_OF_SCORE), 1)
        steps.append(last - level)
        last = level
    counts = [count for _, _, count in neighbours]
    return ",".join(item_id for item_id, _, _ in neighbours), round(best / BILLIONTH), steps, counts


def _unpack_neighbours(
    joined: str, best: int, steps: Sequence[int], counts: Sequence[int]
) -> tuple[Neighbour, ...]:
    neighbours, level = [], STEPS_OF_SCORE
    for item_id, step, count in zip(joined.split(",") if joined else (), steps, counts, strict=True):
        level -= step
        neighbours.append(Neighbour(item_id, best * BILLIONTH * level / STEPS_OF_SCORE, count))
    return tuple(neighbours)
