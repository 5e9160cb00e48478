"""The textbook methods, each with its own small grid: what the blend stands beside."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any

import numpy as np
from implicit.als import AlternatingLeastSquares
from implicit.nearest_neighbours import BM25Recommender, CosineRecommender
from implicit.utils import ParameterWarning
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from benchmarks.quality.shop import Line

PLACES = 20
POPULAR_DAYS = 14
SEED = 7
GROUPS_MAX = 7  # TIFU-KNN: a history is cut into so many groups of baskets
LITTLE = 1e-6  # only orders what is otherwise equal

Options = Mapping[str, Any]
Scores = Any  # a dense array: customers asked x items


@dataclass(frozen=True)
class Past:
    """Orders as matrices. `asked` are the customers for whom lists are wanted; all of them have ordered."""

    lines: Sequence[Line]
    asked: Sequence[str]

    @cached_property
    def items(self) -> list[str]:
        return sorted({line.item_id for line in self.lines})

    @cached_property
    def users(self) -> list[str]:
        return sorted({line.user_id for line in self.lines if line.user_id})

    @cached_property
    def rows(self) -> list[int]:
        """The row of each customer asked."""
        places = {user_id: place for place, user_id in enumerate(self.users)}
        return [places[user_id] for user_id in self.asked]

    @cached_property
    def baskets(self) -> list[list[list[int]]]:
        """Of each customer, oldest first: the items' columns."""
        columns = {item_id: place for place, item_id in enumerate(self.items)}
        found: dict[str, dict[str, set[int]]] = {user_id: {} for user_id in self.users}
        for line in sorted(self.lines, key=lambda each: each.at):
            if line.user_id:
                found[line.user_id].setdefault(line.basket_id, set()).add(columns[line.item_id])
        return [[sorted(items) for items in baskets.values()] for baskets in found.values()]

    @cached_property
    def counts(self) -> Any:
        """Customers x items: in how many baskets."""
        return self.weighed(lambda _newer, _count: 1.0)

    def weighed(self, weight: Callable[[int, int], float]) -> Any:
        """Customers x items: the sum of each basket's weight, given how many are newer and how many there are."""
        cells: list[tuple[float, int, int]] = []
        for row, baskets in enumerate(self.baskets):
            for place, items in enumerate(baskets):
                value = weight(len(baskets) - 1 - place, len(baskets))
                cells += [(value, row, item) for item in items]
        values, rows, columns = zip(*cells, strict=True)
        return csr_matrix(
            (values, (rows, columns)), shape=(len(self.users), len(self.items)), dtype=np.float64
        )

    @cached_property
    def popular(self) -> Any:
        """Baskets of the last 14 days, the most popular being 1."""
        since = max(line.at for line in self.lines) - timedelta(days=POPULAR_DAYS)
        columns = {item_id: place for place, item_id in enumerate(self.items)}
        counted = np.zeros(len(self.items))
        for item_id, _ in {(line.item_id, line.basket_id) for line in self.lines if line.at >= since}:
            counted[columns[item_id]] += 1
        return counted / counted.max()

    def lists(self, scores: Scores, *, discover: bool) -> list[list[str]]:
        """The best of each row; with `discover` without what was bought before."""
        if discover:
            scores = np.where(self.counts[self.rows].toarray() > 0, -np.inf, scores)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :PLACES]
        return [[self.items[place] for place in row] for row in best]


def popularity(past: Past) -> Scores:
    """What sells, the same for everybody."""
    return np.tile(past.popular, (len(past.asked), 1))


def frequency(past: Past, *, popular: float) -> Scores:
    """How often the customer bought it, and what sells."""
    return past.counts[past.rows].toarray() + popular * past.popular


def cosine(past: Past, *, neighbours: int) -> Scores:
    """Item-item cosine."""
    model = CosineRecommender(K=neighbours, num_threads=1)
    _fit(model, past.counts)
    return past.counts[past.rows].dot(model.similarity).toarray() + LITTLE * past.popular


def bm25(past: Past, *, neighbours: int, b: float) -> Scores:
    """Item-item with BM25 weights."""
    model = BM25Recommender(K=neighbours, B=b, num_threads=1)
    _fit(model, past.counts)
    return past.counts[past.rows].dot(model.similarity).toarray() + LITTLE * past.popular


def _fit(model: Any, counts: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ParameterWarning)  # it speaks of a matrix that it made itself
        model.fit(counts, show_progress=False)


def als(past: Past, *, factors: int, alpha: float, regularization: float) -> Scores:
    """Matrix factorization of implicit feedback."""
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=factors, alpha=alpha, regularization=regularization, num_threads=1, random_state=SEED
        )
        model.fit(past.counts.astype(np.float32), show_progress=False)
        return model.user_factors[past.rows] @ model.item_factors.T


def tifu_knn(past: Past, *, groups: float, baskets: float, nearest: int, own: float) -> Scores:
    """Temporal item frequency: decayed counts, blended with those of the most alike customers.

    Baskets fade inside a group and groups among each other, as in the paper (Hu et al., SIGIR 2020).
    """

    def weight(newer: int, count: int) -> float:
        size = -(-count // GROUPS_MAX)
        filled = -(-count // size)
        return float(baskets ** (newer % size) / size * groups ** (newer // size) / filled)

    vectors = past.weighed(weight)
    norms = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    asked = vectors[past.rows]
    distances = norms[past.rows][:, None] + norms[None, :] - 2 * asked.dot(vectors.T).toarray()
    distances[np.arange(len(past.rows)), past.rows] = np.inf
    alike = np.argpartition(distances, nearest, axis=1)[:, :nearest]
    of_others = np.vstack([np.asarray(vectors[places].mean(axis=0)).ravel() for places in alike])
    return own * asked.toarray() + (1 - own) * of_others + LITTLE * LITTLE * past.popular


def grid(**choices: Sequence[Any]) -> Sequence[Options]:
    """Every combination."""
    found: list[dict[str, Any]] = [{}]
    for name, values in choices.items():
        found = [{**each, name: value} for each in found for value in values]
    return found


RIVALS: dict[str, tuple[Callable[..., Scores], Sequence[Options]]] = {
    "popularity, 14 days": (popularity, [{}]),
    "item-item cosine": (cosine, grid(neighbours=[20, 100, 500])),
    "item-item BM25": (bm25, grid(neighbours=[20, 100, 500], b=[0.2, 0.75])),
    "ALS": (als, grid(factors=[64, 128], alpha=[0.1, 0.3, 1.0, 10.0], regularization=[1.0, 10.0, 30.0])),
    "personal frequency + popularity": (frequency, grid(popular=[LITTLE, 0.5, 1.0, 3.0])),
    "TIFU-KNN": (
        tifu_knn,
        grid(groups=[0.6, 0.8, 0.95], baskets=[0.9], nearest=[30, 100, 300], own=[0.2, 0.35, 0.5, 0.7]),
    ),
}
