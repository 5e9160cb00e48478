"""Ranking: numbers worked out by hand, and what holds for every input."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.recommendations import kinship, rules
from chalicelib.recommendations.model import (
    Act,
    Basket,
    Candidate,
    Hint,
    History,
    ItemRow,
    Learned,
    Neighbour,
    Part,
    Placement,
    Popularity,
    Situation,
    Source,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
POPULARITY = Popularity({"p": 100, "a": 50, "x": 25}, {"p": 200, "q": 100})


def situation(placement: Placement, past: History = History(), **more: Any) -> Situation:  # noqa: B008
    return Situation(placement, past, tuple(more.get("asked", ())), frozenset(more.get("excluded", ())), NOW)


def row(item_id: str, **lists: Any) -> ItemRow:
    interval_days = lists.pop("interval_days", None)
    named = {name: tuple(Neighbour(*each) for each in neighbours) for name, neighbours in lists.items()}
    return ItemRow(item_id, interval_days=interval_days, **named)


def scores(ranked: list[Candidate]) -> dict[str, float]:
    return {each.item_id: each.score for each in ranked}


def sold(share: float) -> float:
    return (0.001 + share) ** 0.2


def test_the_blend_adds_scaled_parts_and_asks_whether_it_is_still_sold() -> None:
    past = History((Basket("o2", NOW, ("a",)), Basket("o1", NOW - timedelta(days=365), ("b",))))
    learned = Learned(
        {
            "a": row("a", together=[("x", 0.4, 9), ("y", 0.1, 2)], next=[("y", 0.2, 3)]),
            "b": row("b", together=[("y", 0.5, 5)], users=[("x", 0.3, 4)]),
        },
        POPULARITY,
    )

    found = rules.candidates(situation(Placement.FOR_YOU, past), learned)

    own_b = exp(-1) * 0.97
    together_y = (0.1 + 0.8 * 0.5) / 0.5  # from a, and from b one basket earlier; the loudest is y itself
    together_x = 0.4 / 0.5
    popular = 1.001  # the best seller: 14 days, and a thousandth of 90
    assert scores(found) == pytest.approx(
        {
            "a": sold(0.5) ** 0.5 + 0.1 * 0.5 / popular * sold(0.5),
            "b": own_b * sold(0) ** 0.5,
            "x": (0.1 * together_x + 0.1 + 0.1 * 0.25 / popular) * sold(0.25),
            "y": (0.1 * together_y + 0.3) * sold(0),
            "p": 0.1 * sold(1),
            "q": 0.1 * 0.0005 / popular * sold(0),
        }
    )
    assert [each.item_id for each in found] == ["a", "b", "x", "y", "p", "q"]


def test_the_reason_comes_from_the_part_and_the_item_that_gave_most() -> None:
    past = History((Basket("o1", NOW, ("a",)),), (Hint(Act.VIEW, "e1", NOW, "v"),))
    learned = Learned(
        {
            "a": row("a", together=[("x", 0.3, 2)], next=[("y", 0.1, 2)]),
            "v": row("v", together=[("x", 0.9, 7)]),
        },
        POPULARITY,
    )

    found = {each.item_id: each for each in rules.candidates(situation(Placement.FOR_YOU, past), learned)}

    assert {item_id: each.part for item_id, each in found.items()} == {
        "a": Part.OWN,
        "v": Part.SEEN,
        "x": Part.TOGETHER,
        "y": Part.NEXT,
        "p": Part.POPULAR,
        "q": Part.POPULAR,
    }
    assert found["x"].source == Source("v", 0.4, Act.VIEW, "e1", NOW)  # 0.4 * 0.9 beats 1.0 * 0.3
    assert found["y"].source == Source("a", 1.0, Act.ORDER, "o1", NOW)


def test_what_one_looked_at_says_nothing_about_the_next_basket() -> None:
    past = History((), (Hint(Act.VIEW, "e1", NOW, "v"),))
    learned = Learned({"v": row("v", next=[("y", 0.1, 2)])})

    assert scores(rules.candidates(situation(Placement.FOR_YOU, past), learned)) == pytest.approx(
        {"v": 0.2 * sold(0)}
    )


def test_bought_together_is_the_row_itself_however_unpopular() -> None:
    learned = Learned(
        {"a": row("a", together=[("x", 0.4, 6), ("p", 0.1, 2)], users=[("y", 1.0, 9)])}, POPULARITY
    )

    found = rules.candidates(situation(Placement.BOUGHT_TOGETHER, asked=["a"]), learned)

    assert scores(found) == pytest.approx({"x": 1.0, "p": 0.25})


def test_without_a_page_it_is_about_what_was_done_last() -> None:
    past = History((Basket("o1", NOW, ("a",)),))
    learned = Learned({"a": row("a", together=[("x", 0.4, 6), ("a", 0.3, 6)])}, POPULARITY)

    found = rules.candidates(situation(Placement.BOUGHT_TOGETHER, past), learned)

    assert [each.item_id for each in found] == ["x"]
    assert rules.wanted_rows(situation(Placement.SIMILAR, past), 10) == ["a"]


def test_similar_is_customers_then_baskets_damped() -> None:
    learned = Learned(
        {"a": row("a", together=[("x", 0.4, 6)], users=[("y", 0.2, 3), ("x", 0.1, 2)])}, POPULARITY
    )

    found = rules.candidates(situation(Placement.SIMILAR, asked=["a"]), learned)

    assert scores(found) == pytest.approx({"x": (0.5 + 0.5) * sold(0.25), "y": 1.0 * sold(0)})


def test_trending_is_what_sells_in_the_order_learned() -> None:
    learned = Learned({}, Popularity({"b": 3, "a": 3, "c": 1}, {"d": 5}))

    found = rules.candidates(situation(Placement.TRENDING, excluded=["c"]), learned)

    assert [(each.item_id, each.score) for each in found] == [
        ("b", 1.0),
        ("a", 1.0),
        ("d", pytest.approx(0.001)),
    ]


def test_buy_again_puts_what_is_due_before_what_was_just_bought() -> None:
    past = History(
        (
            Basket("o3", NOW - timedelta(days=1), ("soap",)),
            Basket("o2", NOW - timedelta(days=11), ("soap", "rice")),
            Basket("o1", NOW - timedelta(days=21), ("rice",)),
        )
    )
    learned = Learned(
        {"soap": row("soap", interval_days=10), "rice": row("rice", interval_days=7)}, POPULARITY
    )

    found = rules.candidates(situation(Placement.BUY_AGAIN, past), learned)

    own_soap, own_rice = (
        exp(-1 / 365) + exp(-11 / 365) * 0.97,
        exp(-11 / 365) * 0.97 + exp(-21 / 365) * 0.97**2,
    )
    assert [(each.item_id, each.due_in_days) for each in found] == [("rice", -3), ("soap", 9)]
    assert scores(found) == pytest.approx(
        {"rice": own_rice / own_soap * sold(0) ** 0.5, "soap": 0.1 * sold(0) ** 0.5}
    )


def test_buy_again_reads_no_more_rows_than_it_may_show() -> None:
    past = History((Basket("o1", NOW, tuple(f"i{number:03d}" for number in range(300))),))

    assert len(rules.wanted_rows(situation(Placement.BUY_AGAIN, past), 10)) == 40
    assert len(rules.wanted_rows(situation(Placement.BUY_AGAIN, past), 100)) == 100
    assert "i000" not in rules.wanted_rows(situation(Placement.BUY_AGAIN, past, excluded=["i000"]), 10)


def test_a_shared_category_lifts_and_may_become_the_reason() -> None:
    speaking = [Source("a", 1.0, Act.ASKED), Source("b", 0.5, Act.VIEW)]
    ranked = [
        Candidate("x", 0.3, Part.USERS, speaking[0], share=0.3, factor=1.0),
        Candidate("y", 0.0, Part.POPULAR, factor=0.5),
        Candidate("z", 0.0, Part.NEWEST, factor=0.5),
    ]
    categories = {
        "a": ["home/candles"],
        "b": ["toys"],
        "x": ["home/lamps"],
        "y": ["toys", "home/lamps"],
        "z": ["food"],
    }

    found = kinship.with_categories(ranked, 0.5, speaking, categories)

    assert [(each.item_id, each.part, each.score) for each in found] == [
        ("x", Part.USERS, pytest.approx(0.3 + 0.5 * 0.5)),
        ("y", Part.CATEGORY, pytest.approx(0.5 * 0.5 * 0.5)),
        ("z", Part.NEWEST, 0.0),
    ]


def test_categories_speak_in_for_you_only_while_no_list_knows_the_sources() -> None:
    assert kinship.category_weight(situation(Placement.SIMILAR), Learned()) == 0.5
    assert kinship.category_weight(situation(Placement.FOR_YOU), Learned()) == 0.1
    assert (
        kinship.category_weight(situation(Placement.FOR_YOU), Learned({"a": row("a", interval_days=3)}))
        == 0.1
    )
    assert (
        kinship.category_weight(situation(Placement.FOR_YOU), Learned({"a": row("a", users=[("b", 1, 2)])}))
        == 0
    )
    assert kinship.category_weight(situation(Placement.BOUGHT_TOGETHER), Learned()) == 0


def test_the_silent_pool_is_what_sells_and_what_is_new_beyond_the_ranked() -> None:
    ranked = [Candidate("p", 1.0, Part.OWN)]

    pool = rules.silent_candidates(
        situation(Placement.SIMILAR, asked=["a"], excluded=["q"]),
        Learned({}, POPULARITY),
        ["n", "x", "a", "p"],
        ranked,
    )

    assert [(each.item_id, each.part, each.score) for each in pool] == [
        ("x", Part.POPULAR, 0.0),
        ("n", Part.NEWEST, 0.0),
    ]
    assert pool[0].factor == pytest.approx(sold(0.25))


@pytest.mark.parametrize(
    ("placement", "parts", "named"),
    [
        (Placement.FOR_YOU, [Part.OWN, Part.POPULAR], None),
        (Placement.FOR_YOU, [Part.POPULAR, Part.NEWEST], "popular"),
        (Placement.FOR_YOU, [Part.NEWEST], "newest"),
        (Placement.BUY_AGAIN, [Part.POPULAR], "popular"),
        (Placement.TRENDING, [Part.POPULAR, Part.NEWEST], None),
        (Placement.TRENDING, [Part.NEWEST], "newest"),
        (Placement.SIMILAR, [Part.CATEGORY], None),
        (Placement.SIMILAR, [], None),
    ],
)
def test_a_list_says_when_something_else_stood_in(
    placement: Placement, parts: list[Part], named: str | None
) -> None:
    assert rules.fallback(placement, parts) == named


ITEMS = st.sampled_from([f"i{number}" for number in range(8)])
MOMENTS = st.integers(0, 500).map(lambda hours: NOW - timedelta(hours=hours))
HINTS = st.builds(
    Hint, st.sampled_from([Act.VIEW, Act.CART, Act.CART_REMOVED, Act.CLAIM]), st.just("e"), MOMENTS, ITEMS
)
BASKETS = st.builds(Basket, st.uuids().map(str), MOMENTS, st.lists(ITEMS, min_size=1, max_size=4).map(tuple))
HISTORIES = st.builds(
    History, st.lists(BASKETS, max_size=4).map(tuple), st.lists(HINTS, max_size=6).map(tuple)
)
NEIGHBOURS = st.lists(
    st.builds(Neighbour, ITEMS, st.sampled_from([0.0, 0.1, 0.2, 0.4]), st.integers(1, 9)),
    max_size=5,
    unique_by=lambda each: each.item_id,
).map(tuple)
ROWS = st.dictionaries(ITEMS, st.tuples(*[NEIGHBOURS] * 4, st.none() | st.integers(1, 90)), max_size=8).map(
    lambda lists: {item_id: ItemRow(item_id, *each) for item_id, each in lists.items()}
)
COUNTS = st.dictionaries(ITEMS, st.integers(1, 5), max_size=8)
SITUATIONS = st.builds(
    Situation,
    st.sampled_from(Placement),
    HISTORIES,
    st.lists(ITEMS, max_size=2).map(tuple),
    st.frozensets(ITEMS, max_size=4),
    st.just(NOW),
)


@given(SITUATIONS, ROWS, COUNTS, COUNTS)
def test_whatever_comes_in(
    asked: Situation, rows: dict[str, ItemRow], days_14: dict[str, int], days_90: dict[str, int]
) -> None:
    learned = Learned(rows, Popularity(days_14, days_90))
    found = rules.candidates(asked, learned)
    ids = [each.item_id for each in found]

    assert not set(ids) & (asked.excluded | set(asked.asked)), "what may not be shown is not even a candidate"
    assert len(ids) == len(set(ids))
    assert all(each.score > 0 for each in found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert set(rules.wanted_rows(asked, 10)) >= {
        each.source.item_id for each in found if each.source and each.part != Part.SEEN
    }

    turned = Learned(dict(reversed(rows.items())), Popularity(days_14, days_90))
    assert [each.item_id for each in rules.candidates(asked, turned)] == ids, (
        "the order of reading decides nothing"
    )
