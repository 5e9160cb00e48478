"""Points over time: what waits, what expires and what slides, in the program's zone; and books that can be rebuilt."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given as tried
from hypothesis import strategies as st

from chalicelib.loyalty import answers, books
from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX, Account
from chalicelib.loyalty.program import Program
from tests.unit.loyalty.purse import SPEND, YEN, Purse, basket, day

TOKYO = replace(YEN, timezone="Asia/Tokyo")
WAITING = replace(YEN, pending_days=14)


@pytest.mark.parametrize(
    ("at", "months", "lot"),
    [
        (day("2026-11-22"), 12, "2027-11"),
        (day("2026-12-31"), 1, "2027-01"),
        (day("2024-02-29"), 120, "2034-02"),
    ],
)
def test_points_last_to_the_end_of_a_month(at: datetime, months: int, lot: str) -> None:
    assert books.lot_of(replace(YEN, expiry_months=months), at) == lot


@pytest.mark.parametrize(
    ("lot", "last"), [("2028-02", "2028-02-29"), ("2027-02", "2027-02-28"), ("2027-11", "2027-11-30")]
)
def test_the_last_day_is_told(lot: str, last: str) -> None:
    told = answers.balance([Account("u1", 1, {f"lot:{lot}": 5})], YEN, day("2026-11-22"))

    assert [(each.on, each.points) for each in told.expiring] == [(last, 5)]


@pytest.mark.parametrize(
    ("zone", "last"),
    [("UTC", datetime(2027, 12, 1, tzinfo=UTC)), ("Asia/Tokyo", datetime(2027, 11, 30, 15, tzinfo=UTC))],
)
def test_a_month_ends_where_the_program_is(zone: str, last: datetime) -> None:
    purse = Purse(replace(YEN, timezone=zone))
    purse.earn("o1", 1980)
    purse.to(last.replace(microsecond=0) - (last.resolution * 1))
    usable = purse.account.active
    purse.to(last)

    assert (usable, purse.account.active) == (19, 0)
    assert [each.kind for each in purse.entries] == ["accrue", "expire"]
    assert purse.entries[-1].points == -19


def test_months_have_their_own_lots_and_expire_one_by_one() -> None:
    purse = Purse(now=day("2026-10-31"))
    purse.earn("o1", 1000)
    purse.wait(days=1)
    purse.earn("o2", 2000)
    purse.to(day("2027-11-01"))
    first = purse.account.active
    purse.to(day("2027-12-01"))

    assert (first, purse.account.active, purse.account.lifetime) == (20, 0, 30)


def test_a_run_that_missed_months_catches_up_and_one_that_comes_twice_does_nothing() -> None:
    purse = Purse(now=day("2026-10-31"))
    purse.earn("o1", 1000)
    purse.wait(days=1)
    purse.earn("o2", 2000)
    purse.to(day("2030-01-01"))
    purse.to(day("2030-01-01"))

    assert [each.points for each in purse.entries if each.kind == "expire"] == [-10, -20]


def test_whatever_is_earned_renews_all_points_where_expiry_slides() -> None:
    purse = Purse(replace(YEN, expiry="sliding", expiry_months=2), now=day("2026-01-10"))
    purse.earn("o1", 1000)
    purse.to(day("2026-03-10"))
    purse.earn("o2", 500)
    renewed = purse.account.of("lot")
    purse.to(day("2026-05-31"))
    last_day = purse.account.active
    purse.to(day("2026-06-01"))

    assert (renewed, last_day, purse.account.active) == ({"2026-05": 15}, 15, 0)


def test_an_order_heard_of_late_does_not_slide_points_back() -> None:
    purse = Purse(replace(YEN, expiry="sliding", expiry_months=2), now=day("2026-03-10"))
    purse.earn("o1", 1000)
    purse.earn("o0", 500, at=day("2026-01-31"))

    assert purse.account.of("lot") == {"2026-03": 5, "2026-05": 10}


def test_what_is_over_before_it_is_counted_earns_nothing() -> None:
    purse = Purse()

    assert purse.earn("o1", 1980, at=day("2025-10-31")) is None
    assert purse.earn("o2", 1980, at=day("2025-11-01")) is not None


def test_history_earned_when_it_happened() -> None:
    at = day("2026-03-01")

    for imported in (True, False):
        purse = Purse()
        entry = purse.earn("o1", 1980, at=at, imported=imported)
        assert entry is not None
        assert entry.at == (at if imported else purse.now)
        assert entry.lot == "2027-03"


def test_points_wait_as_many_days_as_the_program_says() -> None:
    purse = Purse(WAITING)
    entry = purse.earn("o1", 1980)
    waiting = purse.state
    purse.to(day("2026-12-05", 23))
    last = purse.state
    purse.to(day("2026-12-06", 0))

    assert entry is not None
    assert entry.pending_until == "2026-12-06"
    assert (waiting, last, purse.state) == ((0, 19, 0, 0), (0, 19, 0, 0), (19, 0, 0, 0))
    assert [(each.kind, each.points) for each in purse.entries] == [("accrue", 19), ("mature", 19)]


def test_the_day_they_can_be_used_begins_in_the_programs_zone() -> None:
    purse = Purse(replace(WAITING, timezone="Asia/Tokyo"))
    purse.earn("o1", 1980)
    purse.to(day("2026-12-05", 14))
    before = purse.account.active
    purse.to(day("2026-12-05", 15))

    assert (before, purse.account.active) == (0, 19)


def test_a_delivery_lets_them_be_used_at_once_and_once() -> None:
    purse = Purse(WAITING)
    purse.earn("o1", 1980)
    purse.earn("o2", 1000)
    entry = purse.arrive("o1")

    assert entry is not None
    assert (entry.kind, entry.points, purse.state) == ("confirm", 19, (19, 10, 0, 0))
    assert purse.arrive("o1") is None
    purse.to(day("2026-12-06"))
    assert purse.state == (29, 0, 0, 0)
    assert purse.arrive("o2") is None


def test_an_order_that_is_heard_of_after_its_days_waits_no_more() -> None:
    purse = Purse(WAITING)
    purse.earn("o1", 1980, at=day("2026-11-01"))

    assert purse.state == (19, 0, 0, 0)


def test_points_given_may_wait_too() -> None:
    purse = Purse()
    purse.give(50, pending_until="2026-12-24")
    purse.give(7, pending_until="2026-11-01")

    assert purse.state == (7, 50, 0, 0)
    purse.to(day("2026-12-24"))
    assert purse.state == (57, 0, 0, 0)


def test_what_waited_longer_than_it_lasts_expires_the_day_it_could_be_used() -> None:
    purse = Purse(replace(YEN, pending_days=90, expiry_months=1))
    purse.earn("o1", 1980)
    purse.to(day("2027-03-01"))

    assert [each.kind for each in purse.entries] == ["accrue", "mature", "expire"]
    assert purse.state == (0, 0, 0, 0)


def test_an_order_that_earns_nothing_is_still_nothing() -> None:
    purse = Purse(replace(YEN, earn=(replace(SPEND, minimum=500),)))

    assert purse.earn("o1", basket(0)) is None
    assert purse.account.version == 0


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("give"), st.integers(1, POINTS_PER_ENTRY_MAX)),
        st.tuples(st.just("earn"), st.integers(0, 10**6)),
        st.tuples(st.just("refund"), st.integers(0, 5)),
        st.tuples(st.just("hold"), st.integers(1, 500)),
        st.tuples(st.just("wait"), st.integers(1, 200)),
    ),
    max_size=30,
)


@tried(STEPS, st.sampled_from([YEN, TOKYO, WAITING, replace(WAITING, expiry="sliding", overdraft=300)]))
def test_the_account_is_the_sum_of_its_entries(steps: list[tuple[str, int]], program: Program) -> None:
    purse = Purse(program)
    for number, (what, n) in enumerate(steps):
        _do(purse, what, n, number)

    assert books.rebuilt("u1", reversed(purse.entries)) == purse.account
    assert sum(each.moves.get("shop", 0) for each in purse.entries) == -(
        purse.account.active + purse.account.pending + purse.account.held - purse.account.owed
    )
    assert answers.balance([purse.account], program, purse.now).version == len(purse.entries)


def _do(purse: Purse, what: str, n: int, number: int) -> Any:
    from chalicelib.shared.errors import Refused

    try:
        match what:
            case "give":
                purse.give(n)
            case "earn":
                purse.earn(f"o{number}", n)
            case "refund":
                known = [each.entry_id for each in purse.entries if each.kind == "accrue" and each.basis]
                if known:
                    purse.refund(known[n % len(known)].removeprefix("order:"))
            case "hold":
                purse.reserve(f"r{number}", n)
            case "wait":
                purse.wait(days=n)
    except Refused:
        pass  # nothing is left to refund, or not enough to hold: then nothing changed
