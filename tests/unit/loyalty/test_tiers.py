"""Tiers: reached at once, kept for a time, lost as the program says, and given back with what reached them."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.loyalty import answers, books
from chalicelib.loyalty.model import Account
from chalicelib.loyalty.program import Level, Program, Tiers
from tests.unit.loyalty.purse import SPEND, Purse, basket, day, given

LEVELS = (
    Level("silver", 100),
    Level("gold", 300, earn_percent=150, benefits=("free shipping",)),
    Level("black", 900),
)


def member(now: str = "2026-01-10", **terms: Any) -> Purse:
    known: dict[str, Any] = {"window_months": 2, "valid_months": 2} | terms
    return Purse(Program(earn=(SPEND,), expiry_months=36, tiers=Tiers(LEVELS, **known)), now=day(now))


def name(purse: Purse) -> str | None:
    return purse.account.tier.name if purse.account.tier else None


def shown(*accounts: Account, purse: Purse) -> Any:
    return answers.balance(accounts, purse.program, purse.now).tier


def test_a_tier_is_reached_by_the_order_that_reaches_it() -> None:
    purse = member()
    below = purse.earn("o1", 9_900)
    reached = purse.earn("o2", 100)

    assert below is not None
    assert reached is not None
    assert (below.tier_changed, reached.tier_changed, name(purse)) == (False, True, "silver")
    assert purse.account.tier is not None
    assert (purse.account.tier.won, purse.account.tier.until) == ("2026-01", "2026-03")


def test_the_tier_of_before_counts_for_what_an_order_earns() -> None:
    purse = member()
    purse.earn("o1", 30_000)

    assert given(purse.entries[0]) == {"spend": 300}, "the order that reaches gold does not yet earn as gold"
    assert given(purse.earn("o2", 1_000)) == {"spend": 15}


def test_points_given_by_hand_do_not_count() -> None:
    purse = member()
    purse.give(5_000)

    assert name(purse) is None


def test_only_the_window_counts() -> None:
    purse = member(window_months=3)
    purse.earn("o1", 6_000)
    purse.to(day("2026-03-31"))
    purse.earn("o2", 3_900)
    within = name(purse)
    purse.earn("o3", 100)
    reached = name(purse)
    late = member(window_months=3)
    late.earn("o1", 6_000)
    late.to(day("2026-04-01"))
    late.earn("o2", 4_000)

    assert (within, reached, name(late)) == (None, "silver", None)


def test_spending_may_count_instead_of_points() -> None:
    purse = member(metric="spend")
    purse.earn("o1", 150)
    other = member(metric="spend")
    other.earn("o1", basket(5_000, currency="USD", at=other.now))

    assert name(purse) == "silver"
    assert name(other) is None, "another currency is not comparable"


def test_the_month_is_one_of_the_programs_zone() -> None:
    purse = Purse(
        Program(earn=(SPEND,), timezone="Asia/Tokyo", tiers=Tiers(LEVELS, window_months=1)),
        now=day("2026-01-31", 15),
    )
    purse.earn("o1", 10_000)

    assert purse.account.tier is not None
    assert purse.account.tier.won == "2026-02"


@pytest.mark.parametrize(("downgrade", "after"), [("none", "gold"), ("one_step", "silver"), ("full", None)])
def test_a_tier_that_is_over_falls_as_the_program_says(downgrade: Any, after: str | None) -> None:
    purse = member(downgrade=downgrade)
    purse.earn("o1", 30_000)
    purse.to(day("2026-03-31", 23))
    last_day = name(purse)
    purse.to(day("2026-04-01", 0))

    assert (last_day, name(purse)) == ("gold", after)
    assert purse.account.tier is None or purse.account.tier.until == "2026-05"
    changed = [(each.kind, each.tier.name if each.tier else None) for each in purse.entries[1:]]
    assert changed == [("tier", after)]


def test_grace_lets_it_stand_longer() -> None:
    purse = member(grace_months=1)
    purse.earn("o1", 30_000)
    assert shown(purse.account, purse=purse).until == "2026-04-30"
    purse.to(day("2026-04-30", 23))
    kept = name(purse)
    purse.to(day("2026-05-01", 0))

    assert (kept, name(purse)) == ("gold", None)


def test_what_still_counts_holds_a_level_however_far_the_tier_falls() -> None:
    purse = member(downgrade="full")
    purse.earn("o1", 30_000)
    purse.to(day("2026-03-10"))
    purse.earn("o2", 10_000)  # 150 points, which is silver
    purse.to(day("2026-04-01", 0))

    assert name(purse) == "silver"


def test_to_earn_enough_again_keeps_it_for_longer() -> None:
    purse = member(window_months=3)
    purse.earn("o1", 30_000)
    purse.to(day("2026-03-10"))
    purse.earn("o2", 100)

    assert purse.account.tier is not None
    assert (name(purse), purse.account.tier.until) == ("gold", "2026-05")


def test_months_that_nobody_looked_at_are_caught_up() -> None:
    each, once = member(downgrade="one_step"), member(downgrade="one_step")
    for purse in (each, once):
        purse.earn("o1", 90_000)
    for month in range(2, 12):
        each.to(day(f"2026-{month:02d}-01", 0))
    once.to(day("2026-11-01", 0))

    assert name(each) == name(once) is None
    assert each.account.tier == once.account.tier


def test_a_refund_takes_back_the_tier_it_reached() -> None:
    purse = member()
    purse.earn("o1", 10_000)
    purse.earn("o2", 20_000)
    reached = name(purse)
    entry = purse.refund("o2")

    assert (reached, name(purse), entry.tier_changed) == ("gold", "silver", True)
    purse.refund("o1")
    assert name(purse) is None


def test_a_small_refund_takes_no_tier() -> None:
    purse = member()
    purse.earn("o1", 30_500)
    entry = purse.refund("o1", amount=500)

    assert (name(purse), entry.tier_changed) == ("gold", False)


def test_what_the_downgrade_left_rests_on_no_order() -> None:
    purse = member(downgrade="one_step")
    purse.earn("o1", 30_000)
    purse.to(day("2026-04-01", 0))
    purse.refund("o1")

    assert name(purse) == "silver"


def test_the_balance_says_what_the_next_tier_lacks() -> None:
    purse = member()
    purse.earn("o1", 29_000)
    tier = shown(purse.account, purse=purse)
    by_spend = member(metric="spend")
    by_spend.earn("o1", 290)
    spent = shown(by_spend.account, purse=by_spend)
    top = member()
    top.earn("o1", 90_000)

    assert (tier.name, tier.until, tier.benefits) == ("silver", "2026-03-31", [])
    assert (tier.next.name, tier.next.missing_points, tier.next.missing_amount) == ("gold", 10, None)
    assert (spent.next.missing_points, spent.next.missing_amount) == (None, 10)
    assert shown(top.account, purse=top).next is None
    assert shown(Account("u9"), purse=top).next.missing_points == 100
    assert answers.balance([Account("u9")], Program(), purse.now).tier is None


def test_ids_of_one_person_count_together() -> None:
    one, other = member(), member()
    one.earn("o1", 12_000)
    other.earn("o2", 13_000)
    tier = shown(one.account, other.account, purse=one)

    assert (tier.name, tier.next.missing_points) == ("silver", 50)


def test_what_is_read_before_a_run_is_what_the_run_will_write() -> None:
    purse = member(downgrade="one_step")
    purse.earn("o1", 30_000)
    before = purse.account
    read = books.settled(before, purse.program, day("2026-04-01", 0))
    purse.to(day("2026-04-01", 0))

    assert read == purse.account
    assert books.rebuilt("u1", purse.entries) == purse.account
