"""How many of the things that were bought next stand in a list, and how far up."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import log2
from typing import NamedTuple


class Quality(NamedTuple):
    recall_10: float
    recall_20: float
    ndcg_10: float
    discover_10: float
    """Recall@10 of the list without what was bought before, of what was bought for the first time."""


def recall(shown: Sequence[str], bought: Collection[str], places: int) -> float:
    """The share of what was bought that stands in the first places."""
    return len(set(shown[:places]) & set(bought)) / len(bought)


def ndcg(shown: Sequence[str], bought: Collection[str], places: int) -> float:
    """The same with higher places counting more; 1 when nothing else stands above what was bought."""
    gained = sum(1 / log2(place + 2) for place, item_id in enumerate(shown[:places]) if item_id in bought)
    return gained / sum(1 / log2(place + 2) for place in range(min(places, len(bought))))


def mean(values: Iterable[float]) -> float:
    """Over customers; 0 of nobody."""
    found = list(values)
    return sum(found) / len(found) if found else 0.0
