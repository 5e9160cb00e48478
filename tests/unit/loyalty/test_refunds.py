"""Refunds: by line, by amount, whole, as often as something is left; earning and returning and keeping is impossible."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given as tried
from hypothesis import strategies as st

from chalicelib.loyalty import books
from chalicelib.loyalty.model import Entry
from chalicelib.loyalty.program import Cap, EarnRule, Multiplier, Program, Scope, Step
from chalicelib.loyalty.refunding import Taken, taken_from
from chalicelib.shared.errors import InvalidInput
from tests.unit.loyalty.purse import SPEND, YEN, Purse, basket, day, given

LINES = (("a", 2, 1000), ("b", 1, 3000))  # 5,000 yen: 50 points
WAITING = replace(YEN, pending_days=14)


def bought(purse: Purse | None = None, order_id: str = "o1") -> Purse:
    purse = purse or Purse()
    purse.earn(order_id, basket(None, *LINES, at=purse.now))
    return purse


def taken(entry: Entry) -> dict[str, int]:
    return {name: n for name, n in vars(taken_from(entry)).items() if n}


def test_a_line_takes_its_share() -> None:
    purse = bought()

    assert purse.refund("o1", lines={"a": 1}).points == -10
    assert purse.refund("o1", lines={"a": 1}).points == -10
    assert purse.refund("o1", lines={"b": 1}).points == -30
    assert purse.state == (0, 0, 0, 0)


def test_an_amount_takes_what_the_rest_no_longer_earns() -> None:
    purse = bought()

    assert [purse.refund("o1", amount=each).points for each in (50, 50, 900, 4000)] == [-1, 0, -9, -40]
    assert purse.account.active == 0
    assert purse.account.sums == {}


def test_lines_amounts_and_then_the_rest() -> None:
    purse = bought()
    purse.refund("o1", lines={"a": 2})
    purse.refund("o1", amount=500)
    rest = purse.refund("o1")

    assert (rest.points, purse.state, purse.account.lifetime) == (-25, (0, 0, 0, 0), 0)


@pytest.mark.parametrize(
    ("refunded", "field", "limit"),
    [
        ({"lines": {"a": 3}}, "lines", "of line a 2 are left"),
        ({"lines": {"c": 1}}, "lines", "no line c"),
        ({"amount": 5001}, "amount", "5000 JPY are left"),
    ],
)
def test_more_than_is_left_is_refused_with_its_limit(refunded: Any, field: str, limit: str) -> None:
    purse = bought()

    with pytest.raises(InvalidInput) as refused:
        purse.refund("o1", **refunded)
    assert refused.value.fields[0].field == field
    assert limit in refused.value.fields[0].message
    assert purse.account.version == 1


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ({"lines": {"a": 2}}, {"lines": {"a": 1}}),
        ({"amount": 4000}, {"amount": 1001}),
        ({"lines": {"b": 1}}, {"amount": 2001}),
        ({}, {}),
        ({"amount": 5000}, {}),
        ({"lines": {"a": 2, "b": 1}}, {}),
        ({"whole": True}, {"lines": {"a": 1}}),
        ({"whole": True}, {"amount": 1}),
    ],
)
def test_nothing_is_refunded_twice(first: Any, then: Any) -> None:
    purse = bought()
    purse.refund("o1", **first)
    left = purse.account

    with pytest.raises(InvalidInput):
        purse.refund("o1", **then)
    assert purse.account == left


def test_from_what_waits_first() -> None:
    purse = bought(Purse(WAITING))
    purse.give(100)

    assert taken(purse.refund("o1", lines={"b": 1})) == {"pending": 30}
    assert purse.state == (100, 20, 0, 0)
    purse.to(day("2026-12-06"))
    assert purse.state == (120, 0, 0, 0)


def test_what_waits_of_another_order_stays() -> None:
    purse = bought(Purse(WAITING))
    purse.arrive("o1")
    bought(purse, "o2")
    purse.spend(50)

    assert taken(purse.refund("o1")) == {"negative": 50}
    assert purse.state == (0, 50, 0, 50)
    purse.to(day("2026-12-06"))
    assert purse.state == (0, 0, 0, 0), "what o2 earned repaid it"


def test_then_from_its_own_month_then_from_others_then_it_is_owed() -> None:
    purse = bought()
    purse.wait(days=30)
    purse.give(15)
    purse.to(day("2026-12-24"))
    purse.spend(30)  # of the earlier month
    entry = purse.refund("o1")

    assert taken(entry) == {"lots": 20, "active": 15, "negative": 15}
    assert purse.state == (0, 0, 0, 15)


def test_what_expired_of_its_own_is_not_taken_again() -> None:
    purse = bought()
    purse.to(day("2027-06-01"))
    purse.give(100)
    purse.to(day("2027-12-01"))  # o1's 50 are over
    entry = purse.refund("o1")

    assert taken(entry) == {"expired": 50}
    assert purse.state == (100, 0, 0, 0)


def test_what_was_spent_before_it_expired_is_owed_all_the_same() -> None:
    purse = bought()
    purse.spend(40)
    purse.to(day("2027-12-01"))
    entry = purse.refund("o1")

    assert taken(entry) == {"expired": 10, "negative": 40}
    assert purse.state == (0, 0, 0, 40)


def test_a_debt_is_repaid_by_whatever_is_earned_and_expiry_goes_on() -> None:
    purse = bought()
    purse.spend(50)
    purse.refund("o1")
    purse.give(20)
    owing = purse.state
    purse.earn("o2", 10_000)

    assert owing == (0, 0, 0, 30)
    assert purse.state == (70, 0, 0, 0)
    purse.to(day("2027-12-01"))
    assert purse.state == (0, 0, 0, 0)


def test_a_refund_that_is_heard_of_before_the_order() -> None:
    purse = Purse()
    of = basket(None, *LINES)
    purse.refund("o1", of, lines={"a": 1})
    purse.refund("o1", of, amount=1000)
    purse.earn("o1", of)
    whole = Purse()
    whole.refund("o1", of)

    assert purse.account.active == 30
    assert whole.earn("o1", of) is None
    assert whole.state == (0, 0, 0, 0)


def test_the_program_of_then_decides() -> None:
    purse = bought()
    purse.changed(earn=(replace(SPEND, points=7),))

    assert purse.refund("o1", lines={"b": 1}).points == -30
    assert purse.earn("o2", 1000) is not None
    assert purse.refund("o2").points == -70


def test_the_tier_and_the_multiplier_of_then_decide() -> None:
    purse = Purse(replace(YEN, multipliers=(Multiplier("double", 200),)))
    bought(purse)
    purse.changed(multipliers=())

    assert purse.refund("o1", amount=2500).points == -50
    assert purse.account.active == 50


def test_a_step_that_is_no_longer_reached_is_taken_back() -> None:
    steps = EarnRule("basket", "basket", steps=(Step(3000, 20), Step(5000, 50)))
    purse = bought(Purse(Program(earn=(SPEND, steps))))
    entry = purse.refund("o1", amount=100)

    assert given(entry) == {"spend": -1, "basket": -30}
    assert given(purse.refund("o1", lines={"b": 1})) == {"spend": -30, "basket": -20}


def test_a_refund_takes_only_what_its_own_lines_earned() -> None:
    only_a = EarnRule("a-only", "items", points=25, scope=Scope(frozenset({"a"})))
    purse = bought(Purse(Program(earn=(only_a,))))

    assert purse.refund("o1", lines={"b": 1}).points == 0
    assert purse.refund("o1", lines={"a": 1}).points == -25


def test_a_capped_rule_gives_back_no_more_than_it_gave_and_its_lifetime_is_free_again() -> None:
    purse = bought(Purse(Program(earn=(replace(SPEND, cap=Cap(lifetime=30)),))))
    entry = purse.refund("o1")
    again = purse.earn("o2", 9900)

    assert (entry.points, given(again)) == (-30, {"spend": 30})


def test_points_held_for_a_redemption_are_not_taken() -> None:
    purse = bought()
    purse.reserve("r1", 50)
    purse.refund("o1")

    assert purse.state == (0, 0, 50, 50)
    purse.release("r1")
    assert purse.state == (0, 0, 0, 0)


def test_an_order_of_which_nothing_was_earned_takes_nothing() -> None:
    purse = bought(Purse(replace(YEN, currency="USD")))
    entry = purse.refund("o1")

    assert (entry.points, entry.moves, taken_from(entry)) == (0, {}, Taken())


def test_each_refund_says_what_it_took_by_rule() -> None:
    purse = bought()

    assert given(purse.refund("o1", lines={"a": 1})) == {"spend": -10}


PARTS = st.lists(
    st.one_of(
        st.builds(lambda n: {"lines": {"a": n}}, st.integers(1, 2)),
        st.just({"lines": {"b": 1}}),
        st.builds(lambda n: {"amount": n}, st.integers(1, 2500)),
        st.just({"spend": 10}),
        st.just({"wait": 20}),
        st.just({}),
    ),
    max_size=8,
)


@tried(PARTS, st.sampled_from([YEN, WAITING, Program(earn=(replace(SPEND, rounding="half_up"),))]))
def test_after_the_whole_is_refunded_nothing_is_kept_however_it_came_back(
    parts: Any, program: Program
) -> None:
    purse = bought(Purse(program))
    spent = 0
    for part in [*parts, {}]:
        if "wait" in part:
            purse.wait(days=part["wait"])
        elif "spend" in part and purse.account.active >= part["spend"]:
            purse.spend(part["spend"])
            spent += part["spend"]
        elif "spend" not in part:
            try:
                purse.refund("o1", **part)
            except InvalidInput:
                continue  # more than is left

    assert purse.account.active + purse.account.pending - purse.account.owed == -spent
    assert purse.account.lifetime == 0
    assert books.rebuilt("u1", purse.entries) == purse.account
