"""What training learns from visits, in numbers worked out by hand, and how it chooses their weights."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import log, sqrt

import pytest

from chalicelib.recommendations import rules
from chalicelib.recommendations.model import (
    Act,
    Hint,
    History,
    ItemRow,
    Learned,
    Neighbour,
    Placement,
    SessionWeights,
    Situation,
)
from training.sessions import HELD_MIN, choose
from training.train import View, Viewed, train

AS_OF = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)


def visit(visitor, minutes_ago, *items, pause_seconds=60):
    begun = AS_OF - timedelta(minutes=minutes_ago)
    return [
        View(visitor, f"{place:03}", begun + timedelta(seconds=place * pause_seconds), item)
        for place, item in enumerate(items)
    ]


def learn(*visits):
    return train([], AS_OF, version="v1", views=[view for each in visits for view in each])


def session(model, item):
    return {
        one.item_id: (pytest.approx(one.score, abs=1e-8), one.times)
        for one in model.neighbours[item]["session"]
    }


def test_what_is_nearer_in_a_visit_counts_more():
    """One visit a b c. a-b and b-c are one step, a-c two: 1 and 1/2, the divisor 1 + 10 is the same for all.

    Of a: b 1, c 1/2 directly; one hop further b comes by c (1/2 * 1), c by b (1 * 1), scaled to c's and a tenth.
    Everything is equally rare: ln(1 + 1), once for the item and its root for the other.
    """
    model = learn(visit("a1", 60, "a", "b", "c"))

    rarity = log(2) * sqrt(log(2))
    assert session(model, "a") == {
        "a": (rarity, 1),
        "b": ((1 + 0.1 * 0.5) * rarity, 1),
        "c": ((0.5 + 0.1) * rarity, 1),
    }


def test_both_directions_count():
    model = learn(visit("a1", 60, "a", "b"), visit("a2", 50, "b", "a"))

    assert session(model, "a")["b"][1] == session(model, "b")["a"][1] == 2


def test_the_rarer_of_two_comes_first():
    """x was looked at with a and with b, b in one visit more."""
    model = learn(visit("a1", 60, "x", "a"), visit("a2", 50, "x", "b"), visit("a3", 40, "b", "c"))

    assert [one.item_id for one in model.neighbours["x"]["session"]][:3] == ["a", "x", "b"]


def test_a_pause_of_more_than_half_an_hour_ends_a_visit():
    together = visit("a1", 600, "a", "b", pause_seconds=1800)
    apart = visit("a1", 600, "a", "b", pause_seconds=1801)

    assert "b" in session(learn(together), "a")
    assert session(learn(apart), "a").keys() == {"a"}


def test_what_is_more_than_twenty_steps_away_is_another_interest():
    steps = [f"i{number:02}" for number in range(22)]
    found = session(learn(visit("a1", 60, *steps)), "i00")

    assert found["i20"][1] == 1
    assert found["i21"][1] == 0, "only by way of a third item"


def test_a_list_is_filled_by_one_hop_further():
    model = learn(visit("a1", 60, "a", "b"), visit("a2", 50, "b", "c"))

    found = session(model, "a")
    assert found.keys() == {"a", "b", "c"}
    assert found["c"][1] == 0, "nobody looked at both"


def test_what_is_looked_at_counts_visits_of_two_weeks():
    two_weeks = 14 * 24 * 60
    model = learn(
        visit("a1", 60, "a", "b", "a"),
        visit("a2", 50, "a"),
        visit("a3", two_weeks + 1, "c"),
        visit("a1", 5, "a"),
    )

    assert model.viewed == [Viewed("a", 3), Viewed("b", 1)], "twice in one visit is once"


def test_what_comes_after_the_day_is_not_known_yet():
    assert learn(visit("a1", -60, "a", "b")).neighbours == {}


def test_the_same_views_give_the_same_model_in_any_order():
    views = [
        view for number in range(40) for view in visit(f"a{number}", 900 - number, *"abcdef"[number % 4 :])
    ]

    assert train([], AS_OF, version="v1", views=views[::-1]) == train([], AS_OF, version="v1", views=views)


def test_too_few_visits_choose_nothing():
    model = learn(*(visit(f"a{number}", number, "a", "b") for number in range(10 * HELD_MIN - 1)))

    assert model.session_weights == (2.0, 0.65, 5)


def shop(*newest: str, visits: int = 10 * HELD_MIN):
    """Whatever visits look like, the newest of all end as told."""
    return learn(*(visit(f"a{number}", 2 * visits - number, *newest) for number in range(visits)))


def test_where_visitors_come_back_to_what_they_saw_it_weighs_more():
    assert shop("a", "b", "c", "a").session_weights[0] > 0.5


def test_where_they_never_come_back_it_weighs_nothing():
    assert shop("a", "b", "c", "d").session_weights[0] == 0.0


def test_equal_weights_leave_the_default():
    assert choose([["a", "b"]], []) == SessionWeights()


def test_the_choice_asks_the_ranking_that_serves():
    """The items it foresees, in order, are those that the placement shows."""
    lists = [
        ("a", "a", 1.0, 9),
        ("a", "b", 0.9, 5),
        ("a", "c", 0.2, 2),
        ("b", "b", 1.0, 9),
        ("b", "c", 0.8, 4),
    ]
    chosen = choose([["a", "b", "c"]] * 3, lists)
    rows: dict[str, list[Neighbour]] = {}
    for item, other, score, count in lists:
        rows.setdefault(item, []).append(Neighbour(other, score, count))
    hints = tuple(Hint(Act.VIEW, f"e{item}", AS_OF, item) for item in "ba")

    shown = rules.candidates(
        Situation(Placement.SESSION, History((), hints), (), frozenset(), AS_OF, chosen),
        Learned({item: ItemRow(item, session=tuple(found)) for item, found in rows.items()}),
    )

    assert shown[0].item_id == "c"
