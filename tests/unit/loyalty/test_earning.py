"""What a basket earns: every kind of rule, what multiplies it, what limits it, and how rules go together."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chalicelib.loyalty.earning import NextStep, earned, next_steps, remaining
from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX
from chalicelib.loyalty.program import Cap, EarnRule, Multiplier, Program, Scope, Step
from tests.unit.loyalty.purse import SPEND, YEN, Purse, basket, day, given

STEPS = EarnRule("basket", "basket", steps=(Step(3000, 20), Step(5000, 50), Step(10_000, 150)))
TEA = EarnRule("tea", "items", points=30, scope=Scope(categories=frozenset({"drinks/tea"})))


def program(*rules: EarnRule, **more: Any) -> Program:
    return Program(earn=rules, **more)


def points(known: Program, *bought: Any, percent: int = 100, **more: Any) -> dict[str, int]:
    return {each.rule: each.points for each in earned(known, basket(*bought, **more), percent)}


@pytest.mark.parametrize(
    ("total", "expected"), [(0, 0), (99, 0), (100, 1), (199, 1), (1980, 19), (10**12, POINTS_PER_ENTRY_MAX)]
)
def test_only_whole_steps_of_the_amount_earn(total: int, expected: int) -> None:
    assert points(YEN, total).get("spend", 0) == expected


@pytest.mark.parametrize(
    ("rounding", "expected"), [("down", [1, 1, 1]), ("half_up", [1, 2, 2]), ("up", [1, 2, 2])]
)
def test_rounding_is_stated(rounding: Any, expected: list[int]) -> None:
    known = program(replace(SPEND, rounding=rounding))

    assert [points(known, total)["spend"] for total in (100, 150, 199)] == expected
    assert points(known, 149)["spend"] == (2 if rounding == "up" else 1)


def test_below_the_minimum_nothing_is_earned() -> None:
    known = program(replace(SPEND, minimum=500))

    assert points(known, 499) == {}
    assert points(known, 500) == {"spend": 5}


def test_another_currency_earns_nothing() -> None:
    assert points(YEN, 5000, currency="USD") == {}


@pytest.mark.parametrize(
    ("total", "expected"), [(2999, 0), (3000, 20), (4999, 20), (5000, 50), (10_000, 150), (99_999, 150)]
)
def test_the_highest_step_that_is_reached_counts(total: int, expected: int) -> None:
    assert points(program(STEPS), total).get("basket", 0) == expected


def test_each_piece_of_an_item_or_of_a_category_and_below_it() -> None:
    lines = [("sencha", 2, 500), ("cup", 1, 900)]
    kinds = {"sencha": ["drinks/tea/green"], "cup": ["drinks/teaware"]}

    assert points(program(TEA), None, *lines, **kinds) == {"tea": 60}
    assert points(program(replace(TEA, scope=Scope(frozenset({"cup"})))), None, *lines) == {"tea": 30}


def test_exceptions_win() -> None:
    scope = Scope(
        categories=frozenset({"drinks"}),
        except_item_ids=frozenset({"sencha"}),
        except_categories=frozenset({"drinks/alcohol"}),
    )
    lines = [("sencha", 1, 500), ("sake", 1, 1000), ("hojicha", 1, 400)]
    kinds = {"sencha": ["drinks/tea"], "sake": ["drinks/alcohol"], "hojicha": ["drinks/tea"]}

    assert points(program(replace(TEA, scope=scope)), None, *lines, **kinds) == {"tea": 30}


def test_of_what_was_paid_a_scope_has_the_share_of_its_lines() -> None:
    known = program(replace(SPEND, scope=Scope(frozenset({"a"}))))

    assert points(known, None, ("a", 3, 1000), ("b", 1, 1000)) == {"spend": 30}
    assert points(known, 2000, ("a", 3, 1000), ("b", 1, 1000)) == {"spend": 15}, "half of it was a discount"


@pytest.mark.parametrize(
    ("at", "zone", "percent"),
    [
        (day("2026-11-22", 14), "UTC", 200),  # a Sunday
        (day("2026-11-22", 14), "Asia/Tokyo", 200),
        (day("2026-11-22", 15), "Asia/Tokyo", 100),  # Monday 00:00 there
        (day("2026-11-21", 15), "Asia/Tokyo", 200),
        (day("2026-11-21", 15), "UTC", 100),
    ],
)
def test_days_of_the_week_are_those_of_the_programs_zone(at: Any, zone: str, percent: int) -> None:
    sundays = Multiplier("sundays", 200, weekdays=frozenset({6}))

    assert points(program(SPEND, timezone=zone, multipliers=(sundays,)), 1000, at=at) == {
        "spend": percent // 10
    }


def test_the_first_and_the_last_day_count() -> None:
    sale = Multiplier("sale", 300, starts_on=date(2026, 12, 1), ends_on=date(2026, 12, 3))
    days = ["2026-11-30", "2026-12-01", "2026-12-03", "2026-12-04"]

    found = [points(program(SPEND, multipliers=(sale,)), 1000, at=day(each))["spend"] for each in days]
    ruled = replace(SPEND, starts_on=sale.starts_on, ends_on=sale.ends_on)

    assert found == [10, 30, 30, 10]
    assert [bool(points(program(ruled), 1000, at=day(each))) for each in days] == [False, True, True, False]


@pytest.mark.parametrize(("stacking", "expected"), [("best", 300), ("product", 600)])
def test_multipliers_of_one_day_go_together_as_the_program_says(stacking: Any, expected: int) -> None:
    both = (
        Multiplier("double", 200),
        Multiplier("triple", 300),
        Multiplier("other", 900, frozenset({"basket"})),
    )

    assert points(program(SPEND, multipliers=both, multiplier_stacking=stacking), 10_000) == {
        "spend": expected
    }


def test_percentages_are_rounded_down_one_after_the_other() -> None:
    known = program(SPEND, multipliers=(Multiplier("half more", 150),))

    assert points(known, 1900, percent=125) == {"spend": 35}  # 19 -> 28 -> 35


def test_rules_add_up_or_the_best_counts() -> None:
    both = program(SPEND, STEPS)

    assert points(both, 5000) == {"spend": 50, "basket": 50}
    assert points(replace(both, stacking="best"), 5000) == {"spend": 50}, "the first of equals"
    assert points(replace(both, stacking="best"), 10_000) == {"basket": 150}


def test_caps_for_an_event_a_day_and_ever() -> None:
    event, daily, ever = (
        Purse(program(replace(SPEND, cap=Cap(**{name: 30})))) for name in ("per_event", "per_day", "lifetime")
    )
    for purse in (event, daily, ever):
        purse.earn("o1", 2500)
        purse.earn("o2", 9900)
        purse.wait(days=1)
        purse.earn("o3", 2500)

    assert [given(each).get("spend", 0) for each in event.entries] == [25, 30, 25]
    assert [given(each).get("spend", 0) for each in daily.entries] == [25, 5, 25]
    assert [given(each).get("spend", 0) for each in ever.entries] == [25, 5]


def test_the_day_of_a_cap_is_one_of_the_programs_zone() -> None:
    known = program(replace(SPEND, cap=Cap(per_day=30)), timezone="Asia/Tokyo")
    purse = Purse(known, now=day("2026-11-22", 14))
    purse.earn("o1", 9900)
    purse.to(day("2026-11-22", 15))
    purse.earn("o2", 9900)

    assert purse.account.active == 60


def test_spend_so_much_more_for_so_many_more_points() -> None:
    known = program(STEPS)

    assert next_steps(known, basket(4380)) == [NextStep("basket", 620, 30)]
    assert next_steps(known, basket(2380)) == [NextStep("basket", 620, 20)]
    assert next_steps(program(EarnRule("basket", "basket", steps=(Step(5000, 50),))), basket(4380)) == [
        NextStep("basket", 620, 50)
    ]
    assert next_steps(known, basket(10_000)) == []


def test_the_next_step_counts_what_other_rules_and_multipliers_give_for_it() -> None:
    known = program(SPEND, STEPS, multipliers=(Multiplier("double", 200),))
    minimum = program(replace(SPEND, minimum=5000))

    assert next_steps(known, basket(4380)) == [NextStep("basket", 620, 2 * (50 + 50) - 2 * (43 + 20))]
    assert next_steps(minimum, basket(4380)) == [NextStep("spend", 620, 50)]


def test_steps_of_several_rules_come_nearest_first() -> None:
    far = replace(STEPS, name="far", steps=(Step(9000, 100),))

    assert [each.rule for each in next_steps(program(far, STEPS), basket(4380))] == ["basket", "far"]


def test_what_is_left_of_a_basket_has_its_share_of_the_price() -> None:
    bought = basket(2500, ("a", 2, 1000), ("b", 1, 1000))

    assert remaining(bought, {"a": 1}, 0).total == 1667
    assert remaining(bought, {"a": 2}, 0).total == 834
    assert remaining(bought, {"a": 2, "b": 1}, 0).total == 0
    assert remaining(bought, {"a": 1}, 100).total == 1567
    assert remaining(bought, {}, 9999).total == 0
