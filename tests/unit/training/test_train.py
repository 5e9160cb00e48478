"""What training learns, in numbers worked out by hand."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from training.train import RELATIONS, STEPS, Interval, Neighbour, Popular, Purchase, train

AS_OF = datetime(2026, 6, 30, 12, 0, tzinfo=UTC)


def bought(customer, basket, days_ago, *items, quantity=1):
    at = AS_OF - timedelta(days=days_ago)
    return [Purchase(customer, basket, at, item, quantity) for item in items]


def learn(*orders, as_of=AS_OF):
    return train([line for order in orders for line in order], as_of, version="v1")


def neighbours(model, item, relation):
    return [
        (one.item_id, pytest.approx(one.score, abs=1e-8), one.times)
        for one in model.neighbours[item][relation]
    ]


def ids(model, item, relation):
    return [one.item_id for one in model.neighbours[item][relation]]


def test_together_is_jaccard_over_fading_baskets():
    """Today a+b (weight 1), 60 days ago a+c (weight 1/e = 0.36788).

    a weighs 1.36788, b 1, c 0.36788. a-b: 1 / (1.36788 + 1 - 1 + 5).
    a-c: 0.36788 / (1.36788 + 0.36788 - 0.36788 + 5).
    """
    model = learn(bought("u1", "o1", 0, "a", "b"), bought("u2", "o2", 60, "a", "c"))

    assert neighbours(model, "a", "together") == [("b", 1 / 6.36787944, 1), ("c", 0.36787944 / 6.36787944, 1)]
    assert neighbours(model, "b", "together") == [("a", 1 / 6.36787944, 1)]
    assert neighbours(model, "c", "together") == [("a", 0.36787944 / 6.36787944, 1)]


def test_together_counts_baskets_not_pieces_or_lines():
    """The item twice in one basket is one basket; two baskets of today: 2 / (2 + 2 - 2 + 5)."""
    model = learn(
        bought("u1", "o1", 0, "a", "b", quantity=7) + bought("u1", "o1", 0, "a", quantity=2),
        bought("u1", "o2", 0, "a", "b"),
    )

    assert neighbours(model, "a", "together") == [("b", 2 / 7, 2)]


def test_users_is_the_cosine_between_customers():
    """u1 bought a and b today; u2 c today and a a year ago, which has faded to 1/e = 0.36788.

    Squares: a 1 + 0.13534, b 1, c 1. a-b: 1 / sqrt(1.13534). a-c: 0.36788 / sqrt(1.13534).
    That u2 bought them in two baskets makes no difference.
    """
    model = learn(bought("u1", "o1", 0, "a", "b"), bought("u2", "o2", 365, "a"), bought("u2", "o3", 0, "c"))

    assert neighbours(model, "a", "users") == [("b", 0.93850790, 1), ("c", 0.34525776, 1)]
    assert neighbours(model, "c", "users") == [("a", 0.34525776, 1)]


def test_users_counts_the_last_purchase_of_an_item_once():
    """Two customers bought a, one of them b, all today: 1 / sqrt(2 * 1). The guest's a changes nothing."""
    model = learn(
        bought("u1", "o1", 365, "a"),
        bought("u1", "o2", 0, "a", "b"),
        bought("u2", "o3", 0, "a"),
        bought(None, "o4", 0, "a"),
    )

    assert neighbours(model, "a", "users") == [("b", 0.70710678, 1)]


def test_next_shares_out_one_per_item_before():
    """u1: a, then b+c today. u2: a+b, then b 60 days ago.

    a hands b 1/2 + 1/e and c 1/2. Baskets: a in 2, b in 3, c in 1.
    a-b: 0.86788 / (2^0.3 * 3^0.7 + 5), where 2^0.3 = 1.23114 and 3^0.7 = 2.15767.
    a-c: 0.5 / (1.23114 * 1 + 5).
    b hands only itself, which is left out.
    """
    model = learn(
        bought("u1", "o1", 10, "a"),
        bought("u1", "o2", 0, "b", "c"),
        bought("u2", "o3", 90, "a", "b"),
        bought("u2", "o4", 60, "b"),
    )

    assert neighbours(model, "a", "next") == [("b", 0.86787944 / 7.65640248, 2), ("c", 0.5 / 6.23114441, 1)]
    assert "next" not in model.neighbours["b"]
    assert "next" not in model.neighbours["c"]


def test_next_looks_one_basket_ahead_and_only_forward():
    model = learn(bought("u1", "o3", 3, "a"), bought("u1", "o2", 2, "b"), bought("u1", "o1", 1, "c"))

    assert ids(model, "a", "next") == ["b"]
    assert ids(model, "b", "next") == ["c"]
    assert "c" not in model.neighbours or "next" not in model.neighbours["c"]


def test_baskets_of_one_moment_follow_by_their_id():
    model = learn(bought("u1", "o2", 1, "b"), bought("u1", "o1", 1, "a"))

    assert ids(model, "a", "next") == ["b"]


def test_popularity_counts_baskets_in_two_windows():
    model = learn(
        bought("u1", "o1", 0, "a", "b"),
        bought("u1", "o2", 14, "a"),  # the edge still counts
        bought("u2", "o3", 14.01, "b"),
        bought("u2", "o4", 90, "b"),
        bought("u2", "o5", 90.01, "a"),
    )

    assert model.popularity == {
        14: [Popular("a", 2), Popular("b", 1)],
        90: [Popular("b", 3), Popular("a", 2)],
    }


def test_of_equally_popular_items_the_newest_comes_first_then_the_lower_id():
    many = [f"i{n:02}" for n in range(40)]
    model = learn(bought("u1", "o1", 3, "a"), *(bought("u1", f"o{item}", 1, item) for item in reversed(many)))

    assert [popular.item_id for popular in model.popularity[14]] == [*many, "a"]


@pytest.mark.parametrize(
    ("days_ago", "interval"),
    [
        ((70, 60, 40, 0), Interval(days=20, gaps=3)),  # gaps 10, 20, 40
        ((30, 20, 0), Interval(days=10, gaps=2)),  # gaps 10, 20: the lower of the two
        ((30.04, 30, 0), Interval(days=30, gaps=1)),  # an hour apart is one purchase
        ((29.4, 0), Interval(days=29, gaps=1)),
        ((29.6, 0), Interval(days=30, gaps=1)),
    ],
)
def test_an_interval_is_the_median_gap(days_ago, interval):
    model = learn(*(bought("u1", f"o{days}", days, "a") for days in days_ago))

    assert model.intervals == {"a": interval}


def test_intervals_look_at_each_customer_alone():
    model = learn(
        *(
            bought(customer, f"{customer}{days}", days, "a")
            for customer, days in (
                ("u1", 30),
                ("u1", 20),
                ("u2", 7),
                ("u2", 5),
                ("u3", 0),
            )
        )
    )

    assert model.intervals == {"a": Interval(days=2, gaps=2)}


def test_guests_count_where_no_history_is_needed():
    model = learn(bought(None, "o1", 5, "a", "b"), bought(None, "o2", 1, "a", "c"))

    assert [popular.item_id for popular in model.popularity[14]] == ["a", "c", "b"]
    assert model.neighbours["b"].keys() == {"together"}
    assert model.intervals == {}


def test_what_comes_after_the_day_is_not_known_yet():
    earlier = bought("u1", "o1", 10, "a", "b")
    later = bought("u1", "o2", 1, "a", "c")

    assert learn(earlier, later, as_of=AS_OF - timedelta(days=5)) == learn(
        earlier, as_of=AS_OF - timedelta(days=5)
    )


def test_nothing_bought_is_an_empty_model():
    model = learn()

    assert (model.neighbours, model.popularity, model.intervals) == ({}, {14: [], 90: []}, {})
    assert (model.version, model.as_of) == ("v1", AS_OF)


def test_the_first_order_already_teaches():
    """Weights are 1: together 1 / (1 + 1 - 1 + 5), users 1 / sqrt(1 * 1); there is no next basket yet."""
    model = learn(bought("u1", "o1", 0, "a", "b"))

    assert model.neighbours == {
        "a": {"together": [Neighbour("b", 1 / 6, 1)], "users": [Neighbour("b", 1.0, 1)]},
        "b": {"together": [Neighbour("a", 1 / 6, 1)], "users": [Neighbour("a", 1.0, 1)]},
    }


def test_one_thing_alone_has_no_neighbours():
    model = learn(bought("u1", "o1", 0, "a"))

    assert model.neighbours == {}
    assert model.popularity[14] == [Popular("a", 1)]


@pytest.mark.parametrize(("filling", "survives"), [(4998, True), (4999, False)])
def test_from_5000_baskets_on_a_pair_must_be_seen_twice(filling, survives):
    once = bought("u1", "o1", 0, "a", "b")
    others = [bought(None, f"f{number}", 0, "z") for number in range(filling)]

    assert ("a" in learn(once, *others).neighbours) is survives


def test_two_sightings_survive_in_a_large_shop():
    others = [bought(None, f"f{number}", 0, "z") for number in range(5000)]
    model = learn(bought("u1", "o1", 0, "a", "b"), bought("u1", "o2", 0, "a", "b"), *others)

    assert ids(model, "a", "together") == ["b"]


def test_a_huge_basket_keeps_the_50_with_most_pieces():
    many = [line for n in range(60) for line in bought("u1", "o1", 0, f"i{n:02}", quantity=n + 1)]
    model = learn(many)

    assert model.neighbours.keys() == {f"i{n:02}" for n in range(10, 60)}
    assert len(model.neighbours["i59"]["together"]) == 49


def test_a_list_holds_the_best_50():
    """a was with each of 60 others once, on another day each: the newest 50 are the strongest."""
    model = learn(*(bought(f"u{n}", f"o{n}", n, "a", f"i{n:02}") for n in range(60)))

    for relation in ("together", "users"):
        assert ids(model, "a", relation) == [f"i{n:02}" for n in range(50)]


def test_a_customer_counts_with_the_newest_50_items():
    model = learn(*(bought("u1", f"o{n}", n, f"i{n:02}") for n in range(60)))

    assert {item for item, lists in model.neighbours.items() if "users" in lists} == {
        f"i{n:02}" for n in range(50)
    }


def test_ties_are_settled_by_id():
    """b, c and d stand to a exactly alike."""
    model = learn(bought("u1", "o1", 0, "d", "c", "b", "a"))

    assert ids(model, "a", "together") == ids(model, "a", "users") == ["b", "c", "d"]


def test_very_old_baskets_keep_an_order():
    """After 20 years all weights have faded to the least there is; what was seen more often still leads."""
    years_20 = 20 * 365
    model = learn(
        bought("u1", "o1", years_20, "a", "c"),
        bought("u2", "o2", years_20, "a", "c"),
        bought("u3", "o3", years_20, "a", "b"),
    )

    assert ids(model, "a", "together") == ["c", "b"]
    assert all(0 < one.score < 1e-8 for one in model.neighbours["a"]["together"])


@pytest.mark.parametrize(
    "item", ["花瓶", "é", "e\u0301", "0012", "1e3", "NULL", 'a"b', "a,b", "a\nb", " a ", "😀"], ids=ascii
)
def test_ids_come_back_as_they_went_in(item):
    model = learn(bought("客-1", "注文:1", 0, item, "other"), bought("客-1", "注文:2", 0, item))

    assert model.popularity[14][0] == Popular(item, 2)
    assert ids(model, "other", "together") == [item]


def test_the_order_of_the_purchases_makes_no_difference():
    random = Random(1)
    lines = [
        line
        for number in range(200)
        for line in bought(
            f"u{number % 40}", f"o{number}", random.randrange(400), *random.sample("abcdefghijklmnopqrst", 5)
        )
    ]
    expected = train(lines, AS_OF, version="v1")

    assert len(expected.neighbours) == 20
    for _ in range(3):
        random.shuffle(lines)
        assert train(lines, AS_OF, version="v1") == expected


def test_scores_fall_along_every_list():
    random = Random(2)
    model = learn(
        *(
            bought(f"u{n % 9}", f"o{n}", random.randrange(100), *random.sample("abcdefgh", 3))
            for n in range(60)
        )
    )

    for lists in model.neighbours.values():
        for relation in RELATIONS[:3]:
            scores = [one.score for one in lists[relation]]
            assert scores == sorted(scores, reverse=True)
            assert all(math.isfinite(score) and score > 0 for score in scores)


def test_progress_tells_each_step_once():
    told = []
    train([], AS_OF, version="v1", progress=lambda *step: told.append(step))

    assert told == [
        *((step, done, len(STEPS)) for done, step in enumerate(STEPS)),
        ("done", len(STEPS), len(STEPS)),
    ]


@pytest.mark.parametrize("naive", ["as_of", "purchase"])
def test_moments_need_a_zone(naive):
    bare = AS_OF.replace(tzinfo=None)
    purchases = [Purchase("u1", "o1", bare if naive == "purchase" else AS_OF, "a", 1)]

    with pytest.raises(AssertionError, match="zone"):
        train(purchases, bare if naive == "as_of" else AS_OF, version="v1")
