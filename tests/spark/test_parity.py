"""Training learns the same on Spark as on DuckDB: the same lists in the same order, with the same numbers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from local.demo import shop
from training.train import (
    POPULARITY_WINDOWS_DAYS,
    RELATIONS,
    TABLES,
    Interval,
    Model,
    Neighbour,
    Popular,
    Purchase,
    View,
    Viewed,
    statement,
    train,
)

AS_OF = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)  # a fixed day: the same weights on every run
SCORE_DIFFERENCE_MAX = 1e-6
COLUMNS = "customer_id string, basket_id string, at_s bigint, item_id string, quantity bigint"
VIEW_COLUMNS = "visitor_id string, entry_id string, at_s bigint, item_id string"


def bought(who: str | None, basket: str, days_ago: float, *items: str, pieces: int = 1) -> list[Purchase]:
    at = AS_OF - timedelta(days=days_ago)
    return [Purchase(who, basket, at, item, pieces) for item in items]


def chance(seed: int) -> list[Purchase]:
    """Few items and few moments, so that much is equal and only the rules for ties tell it apart."""
    random = Random(seed)
    customers = [None, *(f"u{number}" for number in range(8))]
    return [
        line
        for basket in range(120)
        for line in bought(
            random.choice(customers),
            f"o{basket}",
            random.choice([0, 1, 2.5, 14, 60, 90, 365, 3000]),
            *random.choices("abcdefghijklmnop", k=random.randrange(1, 8)),
            pieces=random.randrange(1, 3),
        )
    ]


CASES: dict[str, list[Purchase]] = {
    # Equal in everything but their ids; the last two stand the other way round in UTF-16.
    "ids": [
        line
        for basket in ("o1", "注文:2")
        for line in bought(
            "客-1", basket, 1, "Z", "a", "0012", "12", "1e3", "NULL", "a:b", "é", "\uff5a", "𠮷"
        )
    ],
    "edges-of-time": [
        line
        for days_ago in (-1, -1 / 86400, 0, 1, 2.5, 5, 7.5, 14, 14 + 1 / 86400, 90, 90 + 1 / 86400)
        for line in bought("u1", f"o{days_ago}", days_ago, "a", f"i{days_ago}")
    ],
    "guests": bought(None, "o1", 5, "a", "b") + bought(None, "o2", 1, "a", "c") + bought("u1", "o3", 1, "a"),
    "baskets-of-one-moment": bought("u1", "o2", 1, "b", "c") + bought("u1", "o1", 1, "a", "c"),
    "long-ago": [
        line
        for year in (20, 30, 40, 56)
        for line in bought(f"u{year % 3}", f"o{year}", year * 365, "a", f"i{year}", "b")
    ],
    # Of 60 the 50 that stay are told from the rest by their ids: the 50th and the 51st are equal.
    "large-basket": [
        line for n in range(60) for line in bought("u1", "o1", 3, f"i{n:02}", pieces=(n + 1) // 2 + 1)
    ],
    "long-list": [
        line for n in range(60) for line in bought(f"u{n}", f"o{n}", (n + 1) // 2, "a", f"i{n:02}")
    ],
    "long-history": [line for n in range(60) for line in bought("u1", f"o{n}", (n + 1) // 2, f"i{n:02}")],
    **{f"chance-{seed}": chance(seed) for seed in (1, 2, 3)},
}


def side_by_side(cases: dict[str, list[Purchase]]) -> list[Purchase]:
    """All cases in one shop, where they have nothing in common: Spark takes seconds for the smallest shop."""
    return [
        Purchase(who and f"{case}:{who}", f"{case}:{basket}", at, f"{case}:{item}", pieces)
        for case, lines in cases.items()
        for who, basket, at, item, pieces in lines
    ]


def large_enough_to_drop_what_was_seen_once() -> list[Purchase]:
    """5,000 baskets, and more items than popularity holds."""
    guests = [line for n in range(4998) for line in bought(None, f"g{n}", 1, f"g{n % 2100}")]
    return guests + bought("u1", "o1", 1, "a", "b") + bought("u1", "o2", 0, "a", "b", "c")


SHOPS: dict[str, list[Purchase]] = {
    "nothing": [],
    "one order": bought("u1", "o1", 1, "b", "a", "a"),
    "all cases": side_by_side(CASES),
    "5,000 baskets": large_enough_to_drop_what_was_seen_once(),
}


def looked_at(purchases: Sequence[Purchase]) -> list[View]:
    """Everything bought was looked at a little before, basket by basket; a large basket in two visits."""
    views = []
    for number, (who, basket, at, item, _) in enumerate(purchases):
        pause = timedelta(hours=1) if number % 30 > 20 else timedelta(seconds=number % 3)
        views.append(View(who or basket, f"{number:06}", at - timedelta(days=1) + pause, item))
    return views


def train_on_spark(spark: Any, purchases: Sequence[Purchase], views: Sequence[View]) -> Model:
    """Do what `train` does, with every statement given to Spark."""
    rows = [(who, basket, int(at.timestamp()), item, pieces) for who, basket, at, item, pieces in purchases]
    spark.createDataFrame(rows, COLUMNS).createOrReplaceTempView("purchases")
    seen = [(who, entry, int(at.timestamp()), item) for who, entry, at, item in views]
    spark.createDataFrame(seen, VIEW_COLUMNS).createOrReplaceTempView("views")
    spark.createDataFrame([(int(AS_OF.timestamp()),)], "as_of_s bigint").createOrReplaceTempView("parameters")
    for table in TABLES:
        spark.sql(statement(table)).cache().createOrReplaceTempView(table)
    neighbours: dict[str, dict[Any, list[Neighbour]]] = {}
    popularity: dict[int, list[Popular]] = {days: [] for days in POPULARITY_WINDOWS_DAYS}
    for relation in RELATIONS:
        for item_id, *rest in spark.sql(statement(relation)).collect():
            neighbours.setdefault(item_id, {}).setdefault(relation, []).append(Neighbour(*rest))
    for days, *rest in spark.sql(statement("popularity")).collect():
        popularity[days].append(Popular(*rest))
    intervals = {item_id: Interval(*rest) for item_id, *rest in spark.sql(statement("intervals")).collect()}
    viewed = [Viewed(*row) for row in spark.sql(statement("viewed")).collect()]
    spark.catalog.clearCache()
    return Model("v1", AS_OF, neighbours, popularity, intervals, viewed)


def without_scores(model: Model) -> dict[tuple[str, str], list[tuple[str, int]]]:
    return {
        (item_id, relation): [(one.item_id, one.times) for one in found]
        for item_id, lists in model.neighbours.items()
        for relation, found in lists.items()
    }


def score_difference(one: Model, other: Model) -> float:
    """The largest there is between two models with the same lists."""
    return max(
        (
            abs(left.score - right.score)
            for item_id, lists in one.neighbours.items()
            for relation, found in lists.items()
            for left, right in zip(found, other.neighbours[item_id][relation], strict=True)
        ),
        default=0.0,
    )


def agreed(spark: Any, purchases: Sequence[Purchase]) -> Model:
    """Train on both; answer the model once they agree."""
    views = looked_at(purchases)
    expected = train(purchases, AS_OF, version="v1", views=views)
    found = train_on_spark(spark, purchases, views)

    assert without_scores(found) == without_scores(expected)
    assert score_difference(found, expected) < SCORE_DIFFERENCE_MAX
    assert found.popularity == expected.popularity
    assert found.viewed == expected.viewed
    assert found.intervals == expected.intervals
    return expected


@pytest.mark.parametrize("name", SHOPS)
def test_tiny_shops(spark: Any, name: str):
    agreed(spark, SHOPS[name])


def test_the_demo_shop(spark: Any):
    lines = [
        Purchase(
            order["customer_id"], order["order_id"], order["placed_at"], line["item_id"], line["quantity"]
        )
        for order in shop.orders("small", now=AS_OF)
        for line in order["lines"]
    ]

    model = agreed(spark, lines)

    assert len(lines) == shop.sizes("small").lines
    for relation in RELATIONS:
        assert sum(len(lists.get(relation, ())) for lists in model.neighbours.values()) > 10_000
    assert all(model.popularity.values())
    assert len(model.intervals) > 1_000
