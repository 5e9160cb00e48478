"""Chooses how a shop's visitors browse: a small grid over the weights of session lists, on the shop's own last days.

It asks the service's own ranking, which is pure: a second writing of the formula would drift away from what serves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import groupby, product
from math import log2
from typing import Any

from chalicelib.recommendations.history import loudness_of_steps
from chalicelib.recommendations.model import Act, ItemRow, Neighbour, SessionWeights, Source
from chalicelib.recommendations.rules import looked_at

HELD_SHARE = 10  # the newest tenth of the visits is asked, the rest teaches
HELD_MAX = 1000  # more would only take longer; `NEWEST` holds no more
HELD_MIN = 50  # fewer would choose by chance
PLACES = 20

OWN = (2.0, 0.0, 0.5, 8.0)
DECAY = (0.65, 0.5, 0.8, 0.9)
LENGTH = (5, 10, 20)
"""The default stands first in each: of equal ones it wins."""

Execute = Callable[[str], Iterable[tuple[Any, ...]]]

NEWEST = """
    SELECT v.visitor_id, v.visit, v.item_id, h.began_s
    FROM visits AS v
    INNER JOIN (
        SELECT visitor_id, visit, MIN(at_s) AS began_s
        FROM visits
        GROUP BY visitor_id, visit
        HAVING COUNT(DISTINCT item_id) >= 2
        ORDER BY began_s DESC, visitor_id, visit
        LIMIT 1000
    ) AS h ON v.visitor_id = h.visitor_id AND v.visit = h.visit
    ORDER BY h.began_s DESC, v.visitor_id, v.visit, v.place
"""
COUNT = """
    SELECT COUNT(*)
    FROM (SELECT visitor_id FROM visits GROUP BY visitor_id, visit HAVING COUNT(DISTINCT item_id) >= 2) AS seen
"""

Visit = list[str]


def held_out(execute: Execute) -> tuple[list[Visit], int | None]:
    """The newest visits to ask, and the second before which the others ended; none while there are too few."""
    [(visits,)] = execute(COUNT)
    held = min(int(visits) // HELD_SHARE, HELD_MAX)
    if held < HELD_MIN:
        return [], None
    found: list[Visit] = []
    cutoff_s = None
    for (_, _, began_s), steps in groupby(execute(NEWEST), key=lambda row: (row[0], row[1], row[3])):
        if len(found) == held:
            break
        found.append([item_id for item_id, _ in groupby(row[2] for row in steps)])
        cutoff_s = began_s - 1
    return found, cutoff_s


def choose(visits: Sequence[Visit], learned: Iterable[tuple[str, str, float, int]]) -> SessionWeights:
    """The weights with which what was `learned` before best foresees the last step of each visit (NDCG@20)."""
    wanted = {item_id for visit in visits for item_id in visit[:-1]}
    lists: dict[str, list[Neighbour]] = {}
    for item_id, other_id, score, count in learned:
        if item_id in wanted:
            lists.setdefault(item_id, []).append(Neighbour(other_id, score, count))
    rows = {item_id: ItemRow(item_id, session=tuple(found)) for item_id, found in lists.items()}
    asked = [(list(dict.fromkeys(reversed(visit[:-1]))), visit[-1]) for visit in visits]
    best, most = SessionWeights(), 0.0
    for own, decay, length in product(OWN, DECAY, LENGTH):
        weights = SessionWeights(own, decay, length)
        gained = sum(_gain(steps, truth, weights, rows) for steps, truth in asked)
        if gained > most:
            best, most = weights, gained
    return best


def _gain(steps: Sequence[str], truth: str, weights: SessionWeights, rows: Mapping[str, ItemRow]) -> float:
    speaking = [
        Source(item_id, loudness, Act.VIEW)
        for item_id, loudness in zip(steps, loudness_of_steps(weights), strict=False)
    ]
    values = looked_at(speaking, rows, weights).values
    own = values.get(truth, 0.0)
    if own <= 0:
        return 0.0
    place = 1 + sum(value > own for value in values.values())
    return 1 / log2(1 + place) if place <= PLACES else 0.0
