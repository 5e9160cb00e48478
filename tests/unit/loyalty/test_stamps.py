"""Stamp cards: every Nth visit or purchase, a visit once a day and store; and the supermarket card as it is told."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from chalicelib.loyalty import books, rules
from chalicelib.loyalty.program import EarnRule, Program
from tests.unit.loyalty.purse import SPEND, Purse, basket, day, given

FIFTH = EarnRule("fifth-visit", "stamps", points=200, every=5)
THIRD = EarnRule("third-purchase", "stamps", points=70, every=3, counts="purchases")
CARD = Program(earn=(SPEND, FIFTH), timezone="Asia/Tokyo")


def visits(purse: Purse) -> int:
    return purse.account.sums.get("stamp:fifth-visit", 0)


def shopped(days: int = 5, total: int = 1980) -> Purse:
    """Ito's visits, one a day."""
    purse = Purse(CARD, now=day("2026-11-01"))
    for number in range(1, days + 1):
        purse.earn(f"v{number}", total, store="ginza")
        purse.wait(days=1)
    return purse


def test_the_supermarket_card() -> None:
    purse = shopped()

    assert purse.account.active == 5 * 19 + 200 == 295
    assert [given(each) for each in purse.entries] == [{"spend": 19}] * 4 + [
        {"spend": 19, "fifth-visit": 200}
    ]


def test_a_refund_of_the_fifth_visit_takes_its_bonus() -> None:
    purse = shopped()
    entry = purse.refund("v5")

    assert (purse.account.active, entry.points) == (76, -219)
    assert given(entry) == {"spend": -19, "fifth-visit": -200}
    assert visits(purse) == 4


def test_a_refund_of_what_was_spent_is_owed_and_repaid() -> None:
    purse = shopped()
    purse.spend(290)
    purse.refund("v5")
    owing = purse.state
    purse.earn("v6", 10_000, store="ginza")
    purse.earn("v7", 14_000, store="shibuya")

    assert owing == (0, 0, 0, 214)
    assert purse.account.owed == 0
    assert purse.account.active == 295 - 290 - 219 + (100 + 200) + 140
    assert purse.account.lifetime == 76 + 100 + 200 + 140


def test_after_a_refund_the_next_visit_is_the_fifth() -> None:
    purse = shopped()
    purse.refund("v5")
    entry = purse.earn("v6", 1980, store="ginza")

    assert given(entry) == {"spend": 19, "fifth-visit": 200}
    assert purse.account.active == 295


def test_a_refund_of_an_earlier_visit_takes_the_bonus_that_rested_on_it() -> None:
    purse = shopped()
    purse.refund("v2")

    assert purse.account.active == 76
    assert visits(purse) == 4


def test_a_partial_refund_keeps_the_stamp() -> None:
    purse = Purse(CARD)
    purse.earn("o1", basket(None, ("a", 1, 1000), ("b", 1, 980)), store="ginza")
    purse.refund("o1", lines={"a": 1})

    assert (visits(purse), purse.account.active) == (1, 9)


def test_one_visit_a_day_and_store() -> None:
    purse = Purse(CARD, now=day("2026-11-22", 0))
    for number, store in enumerate(["ginza", "ginza", "shibuya", "ginza"]):
        purse.earn(f"o{number}", 100, store=store)
        purse.wait(minutes=5)

    assert visits(purse) == 2


def test_two_orders_of_one_visit_are_one_stamp_until_both_came_back() -> None:
    purse = Purse(CARD)
    purse.earn("o1", 1000, store="ginza")
    purse.earn("o2", 1000, store="ginza")
    purse.refund("o1")
    kept = visits(purse)
    purse.refund("o2")

    assert (kept, visits(purse)) == (1, 0)


def test_a_visits_day_is_one_of_the_programs_zone() -> None:
    purse = Purse(CARD, now=day("2026-11-22", 14))
    purse.earn("o1", 100, store="ginza")
    purse.to(day("2026-11-22", 15))  # midnight in Tokyo
    purse.earn("o2", 100, store="ginza")

    assert visits(purse) == 2


def test_every_purchase_counts_on_a_card_of_purchases() -> None:
    purse = Purse(Program(earn=(THIRD,)))
    for number in range(7):
        purse.earn(f"o{number}", 100, store="ginza")

    assert purse.account.active == 2 * 70
    assert [given(each) for each in purse.entries][2] == {"third-purchase": 70}


@pytest.mark.parametrize("order", ["12345", "54321", "31524"])
def test_visits_told_in_any_order_come_to_the_same(order: str) -> None:
    purse = Purse(CARD, now=day("2026-11-20"))
    for number in order:
        purse.earn(f"v{number}", 1980, store="ginza", at=day(f"2026-11-0{number}"))

    assert purse.account.active == 295


def test_a_visit_without_a_purchase_counts_once() -> None:
    purse = shopped(4)
    today = day("2026-11-05").date().isoformat()

    def visit() -> Any:
        return rules.visit(purse.account, purse.program, day=today, store_id="ginza", now=purse.now)

    assert given(purse.keep(visit())) == {"fifth-visit": 200}
    assert visit() is None
    purse.earn("o9", 100, store="ginza")
    assert visits(purse) == 5


def test_a_card_counts_in_its_days_only() -> None:
    fifth = EarnRule("fifth-visit", "stamps", points=200, every=5, ends_on=date(2026, 11, 2))
    purse = Purse(Program(earn=(fifth,)), now=day("2026-11-01"))
    for number in range(4):
        purse.earn(f"o{number}", 100, store="ginza")
        purse.wait(days=1)

    assert visits(purse) == 2


def test_the_account_remembers_six_visits_and_counts_all_stamps() -> None:
    purse = shopped(12)

    assert len(purse.account.of("visit")) == books.KEPT["visit"] == 6
    assert visits(purse) == 12
    assert purse.account.active == 12 * 19 + 2 * 200
    assert books.rebuilt("u1", reversed(purse.entries)) == purse.account
