"""Interests, without AWS."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isclose
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.traits.interests import WEIGHTS, fading, interests, seconds_of
from chalicelib.traits.model import (
    GIFT_WEIGHT,
    INTERESTS_SHOWN,
    Act,
    Bought,
    Facts,
    Interest,
    Interests,
    Purchase,
    Thing,
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
DAY = timedelta(days=1)
THINGS = {
    "tofu": Thing("tofu", ("grocery/soy", "sale"), "Shiro", ("cooking",)),
    "lamp": Thing("lamp", ("home/lamps",), "Hikari"),
    "tale": Thing("tale", (), None, ("reading", "home")),
}


def act(number: int, kind: str = "view", *item_ids: str, days: float = 0, **details: Any) -> Act:
    return Act(f"e{number}", kind, kind, "web", NOW - days * DAY, item_ids, trusted=False, details=details)


def order(*item_ids: str, days: float = 0, gift: bool = False) -> Purchase:
    return Purchase(
        "o1", NOW - days * DAY, 100, "JPY", tuple(Bought(each, 1, gift=gift) for each in item_ids)
    )


def found(*happened: Purchase | Act, half_life_days: int = 30, now: datetime = NOW) -> Interests:
    read = Facts(
        tuple(each for each in happened if isinstance(each, Purchase)),
        tuple(each for each in happened if isinstance(each, Act)),
        THINGS,
    )
    return interests(read, half_life_days=half_life_days, now=now)


def scores(found: tuple[Interest, ...]) -> dict[str, float]:
    return {each.name: each.score for each in found}


def test_a_view_speaks_for_category_brand_and_topic() -> None:
    here = found(act(1, "view", "tofu"))

    assert scores(here.categories) == {"grocery/soy": 1, "sale": 1}
    assert scores(here.brands) == {"Shiro": 1}
    assert scores(here.topics) == {"cooking": 1}
    [brand] = here.brands
    assert (brand.weight, brand.based_on, brand.item_ids, brand.last_at) == (1, {"views": 1}, ("tofu",), NOW)


def test_an_order_outweighs_a_cart_and_a_cart_a_view() -> None:
    weights = [
        found(each).brands[0].weight
        for each in (act(1, "view", "tofu"), act(1, "cart", "tofu"), order("tofu"))
    ]

    assert weights == sorted(set(weights))


def test_coming_back_and_staying_count_more() -> None:
    once = found(act(1, "view", "tofu"), act(2, "view", "lamp"))
    back = found(act(1, "view", "tofu"), act(2, "view", "lamp"), act(3, "view", "tofu"))
    long = found(act(1, "view", "tofu", duration_seconds=90), act(2, "view", "lamp"))

    assert scores(once.brands) == {"Hikari": 1, "Shiro": 1}
    assert back.brands[0].weight == 2.5
    assert back.brands[0].based_on == {"repeats": 1, "views": 2}
    assert scores(back.brands) == {"Shiro": 1, "Hikari": 0.4}
    assert long.brands[0].weight == 2.5
    assert long.brands[0].based_on == {"seconds": 90, "views": 1}


def test_a_page_about_an_item_or_a_category() -> None:
    here = found(
        act(1, "page", "lamp", duration_seconds=30),
        act(2, "page", category=" garden/tools ", engagement_time_msec=60_000),
        act(3, "list_view", category="sale"),
        act(4, "page", category=7),
        act(5, "page", category="x" * 301),
        act(6, "event", "lamp"),
    )

    assert scores(here.categories) == {"garden/tools": 1, "home/lamps": 0.6667, "sale": 0.3333}
    assert here.categories[0].based_on == {"pages": 1, "seconds": 60}


@pytest.mark.parametrize(
    ("details", "seconds"),
    [
        ({}, 0),
        ({"duration_seconds": 12.5}, 12.5),
        ({"duration_seconds": 10**9}, 300),
        ({"duration_seconds": -5}, 0),
        ({"duration_seconds": True}, 0),
        ({"duration_seconds": "12"}, 0),
        ({"engagement_time_msec": 1500}, 1.5),
        ({"duration_seconds": 0, "engagement_time_msec": 2000}, 2),
    ],
)
def test_how_long_somebody_stayed(details: dict[str, Any], seconds: float) -> None:
    assert seconds_of(details) == seconds


def test_a_gift_says_little_of_the_buyer() -> None:
    here = found(order("tofu", gift=True))

    assert here.brands[0].weight == found(order("tofu")).brands[0].weight * GIFT_WEIGHT
    assert here.brands[0].based_on == {"gifts": 1}


def test_content_speaks_for_its_topics() -> None:
    here = found(act(1, "view", "tale"))

    assert here.categories == here.brands == ()
    assert scores(here.topics) == {"home": 1, "reading": 1}


@given(st.integers(1, 400), st.floats(0, 2000))
def test_half_is_left_after_a_half_life(half_life_days: int, days: float) -> None:
    here = fading(NOW - days * DAY, half_life_days, NOW)
    later = fading(NOW - (days + half_life_days) * DAY, half_life_days, NOW)

    assert 0 <= here <= 1
    assert isclose(later, here / 2, rel_tol=1e-6)
    assert fading(NOW + DAY, half_life_days, NOW) == 1


def test_an_old_interest_gives_way_and_then_goes() -> None:
    lamps, soy = act(1, "cart", "lamp", days=60), act(2, "view", "tofu")

    assert scores(found(lamps, soy).brands) == {"Shiro": 1, "Hikari": 0.75}
    assert scores(found(lamps, soy, half_life_days=365).brands)["Shiro"] < 0.5
    assert found(act(1, "view", "lamp", days=129)).brands != ()
    assert found(act(1, "view", "lamp", days=130)).brands == ()


def test_a_time_far_ahead_is_not_now() -> None:
    assert found(act(1, "view", "lamp", days=-2)) == Interests()


def test_only_the_strongest_are_named() -> None:
    pages = [act(number, "page", category=f"c{number:02d}", days=number) for number in range(40)]
    here = found(*pages)

    assert [each.name for each in here.categories] == [f"c{number:02d}" for number in range(INTERESTS_SHOWN)]


HAPPENED = st.lists(
    st.tuples(
        st.sampled_from([*WEIGHTS, "order"]),
        st.sampled_from([*sorted(THINGS), "gone"]),
        st.floats(0, 200),
        st.integers(0, 400),
    ),
    max_size=15,
)


@given(HAPPENED, st.randoms())
def test_scores_are_shares_of_the_strongest_in_whatever_order_facts_come(past: Any, dice: Any) -> None:
    happened = [
        order(item, days=days)
        if kind == "order"
        else act(number, kind, item, days=days, duration_seconds=seconds)
        for number, (kind, item, days, seconds) in enumerate(past)
    ]
    here = found(*happened)
    dice.shuffle(happened)

    assert found(*happened) == here
    for kind in (here.categories, here.brands, here.topics):
        assert [each.score for each in kind] == sorted((each.score for each in kind), reverse=True)
        assert all(0 <= each.score <= 1 for each in kind)
        assert not kind or kind[0].score == 1


@given(HAPPENED, st.integers(0, 100))
def test_time_alone_strengthens_nothing(past: Any, days_later: int) -> None:
    happened = [
        order(item, days=days) if kind == "order" else act(number, kind, item, days=days)
        for number, (kind, item, days, _) in enumerate(past)
    ]
    before = {each.name: each.weight for each in found(*happened).brands}

    for each in found(*happened, now=NOW + days_later * DAY).brands:
        assert each.weight <= before[each.name]
