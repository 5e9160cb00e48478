"""Redemptions: what expires first goes first, what is not confirmed returns, and nobody spends what is not there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.loyalty import books
from chalicelib.loyalty.model import HOLDS_MAX
from chalicelib.loyalty.redeeming import HoldOver, NotEnoughPoints
from chalicelib.shared.errors import Conflict, InvalidInput
from tests.unit.loyalty.purse import YEN, Purse, day


def filled(**program: Any) -> Purse:
    """10 points to the end of November 2027, 20 to December, 30 to January."""
    purse = Purse(replace(YEN, **program))
    for points in (10, 20, 30):
        purse.give(points)
        purse.to(
            purse.now.replace(
                day=1, month=purse.now.month % 12 + 1, year=purse.now.year + purse.now.month // 12
            )
        )
    return purse


def lots(purse: Purse) -> dict[str, int]:
    return purse.account.of("lot")


def test_what_expires_first_goes_first() -> None:
    purse = filled()
    purse.reserve("r1", 25)

    assert lots(purse) == {"2027-12": 5, "2028-01": 30}
    assert purse.account.of("held") == {"r1|2027-11": 10, "r1|2027-12": 15}
    assert purse.state == (35, 0, 25, 0)


def test_confirmed_they_are_gone() -> None:
    purse = filled()
    purse.reserve("r1", 25)
    entry = purse.confirm("r1")

    assert entry is not None
    assert (entry.kind, entry.points, purse.state, purse.account.holds) == ("redeem", -25, (35, 0, 0, 0), {})


def test_a_part_may_be_confirmed_and_the_rest_returns_to_its_months() -> None:
    purse = filled()
    purse.reserve("r1", 25)
    purse.confirm("r1", 12)

    assert lots(purse) == {"2027-12": 18, "2028-01": 30}
    with pytest.raises(HoldOver):
        purse.confirm("r1")


def test_released_they_are_as_before() -> None:
    purse = filled()
    before = lots(purse)
    purse.reserve("r1", 25)
    purse.release("r1")

    assert lots(purse) == before
    for again in (purse.confirm, purse.release):
        with pytest.raises(HoldOver):
            again("r1")


def test_unconfirmed_they_return_by_themselves() -> None:
    purse = filled()
    purse.reserve("r1", 25, minutes=15)
    purse.wait(minutes=14, seconds=59)
    held = purse.state
    purse.wait(seconds=1)

    assert (held, purse.state) == ((35, 0, 25, 0), (60, 0, 0, 0))
    assert (purse.entries[-1].kind, purse.entries[-1].reason) == ("release", "timeout")
    with pytest.raises(HoldOver):
        purse.confirm("r1")


def test_what_expired_while_it_was_held_is_over_when_it_returns() -> None:
    purse = filled()
    purse.to(day("2027-11-30", 23))
    purse.reserve("r1", 10, minutes=120)
    purse.to(day("2027-12-01", 0))
    held = purse.state
    purse.to(day("2027-12-01", 2))

    assert (held, purse.state) == ((50, 0, 10, 0), (50, 0, 0, 0))
    assert [each.kind for each in purse.entries[-2:]] == ["release", "expire"]


def test_what_was_held_in_time_may_be_spent_after_it() -> None:
    purse = filled()
    purse.to(day("2027-11-30", 23))
    purse.reserve("r1", 10, minutes=120)
    purse.to(day("2027-12-01", 0))
    purse.confirm("r1")

    assert purse.state == (50, 0, 0, 0)


def test_never_below_zero() -> None:
    purse = filled()

    with pytest.raises(NotEnoughPoints) as refused:
        purse.reserve("r1", 61)
    assert refused.value.extra == {"active_points": 60}
    purse.reserve("r1", 60)
    with pytest.raises(NotEnoughPoints):
        purse.reserve("r2", 1)


def test_points_that_wait_cannot_be_spent() -> None:
    purse = Purse(replace(YEN, pending_days=14))
    purse.earn("o1", 5000)

    with pytest.raises(NotEnoughPoints):
        purse.reserve("r1", 1)


def test_below_zero_as_far_as_the_program_allows() -> None:
    purse = filled(overdraft=40)
    purse.reserve("r1", 100)
    borrowed = purse.state
    with pytest.raises(NotEnoughPoints):
        purse.reserve("r2", 1)
    purse.confirm("r1")
    purse.give(50)

    assert borrowed == (0, 0, 100, 40)
    assert purse.state == (10, 0, 0, 0)


def test_what_was_borrowed_is_spent_last_and_owed_no_more_when_it_returns() -> None:
    purse = filled(overdraft=40)
    purse.reserve("r1", 100)
    purse.confirm("r1", 70)

    assert purse.state == (0, 0, 0, 10)


def test_the_least_that_can_be_redeemed() -> None:
    purse = filled(redeem_minimum=50)

    with pytest.raises(InvalidInput, match="50 points are the least"):
        purse.reserve("r1", 49)
    assert purse.reserve("r1", 50) is not None


def test_more_than_is_held_cannot_be_confirmed() -> None:
    purse = filled()
    purse.reserve("r1", 25)

    with pytest.raises(InvalidInput, match="25 points are held"):
        purse.confirm("r1", 26)
    assert purse.state == (35, 0, 25, 0)


def test_only_so_many_wait_at_once() -> None:
    purse = filled()
    for number in range(HOLDS_MAX):
        purse.reserve(f"r{number}", 1)

    with pytest.raises(Conflict, match=f"{HOLDS_MAX} redemptions wait"):
        purse.reserve("more", 1)
    purse.release("r0")
    assert purse.reserve("more", 1) is not None


def test_what_other_ids_owe_cannot_be_spent() -> None:
    purse = filled()

    with pytest.raises(NotEnoughPoints):
        purse.reserve("r1", 41, owed_elsewhere=20)
    assert purse.reserve("r1", 40, owed_elsewhere=20) is not None


def test_a_debt_may_not_be_deepened_by_a_redemption() -> None:
    purse = Purse()
    purse.earn("o1", 5000)
    purse.spend(50)
    purse.refund("o1")
    purse.give(20)

    with pytest.raises(NotEnoughPoints):
        purse.reserve("r1", 1)


def test_the_books_of_all_this_can_be_rebuilt() -> None:
    purse = filled(overdraft=40)
    purse.reserve("r1", 100)
    purse.confirm("r1", 70)
    purse.give(500)
    purse.reserve("r3", 200)
    purse.wait(days=1)

    assert books.rebuilt("u1", purse.entries) == purse.account
    assert purse.account.holds == {}
