"""The ledger's decisions, without AWS."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.loyalty import rules
from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX, Account, Entry, Program, RulePoints

NOW = datetime(2026, 11, 22, tzinfo=UTC)
YEN = Program(currency="JPY", per_amount=100, points=1, expires_after_months=12)


@pytest.mark.parametrize(
    ("amount", "points"), [(0, 0), (99, 0), (100, 1), (199, 1), (1980, 19), (10**12, POINTS_PER_ENTRY_MAX)]
)
def test_only_whole_steps_of_the_amount_earn(amount: int, points: int) -> None:
    assert rules.points_for_spend(YEN, amount, "JPY") == points


def test_another_currency_earns_nothing() -> None:
    assert rules.points_for_spend(YEN, 5000, "USD") == 0


@pytest.mark.parametrize(
    ("at", "months", "lot"),
    [
        (datetime(2026, 11, 22, tzinfo=UTC), 12, "2027-11"),
        (datetime(2026, 12, 31, tzinfo=UTC), 1, "2027-01"),
        (datetime(2024, 2, 29, tzinfo=UTC), 120, "2034-02"),
    ],
)
def test_points_last_to_the_end_of_a_month(at: datetime, months: int, lot: str) -> None:
    assert rules.lot_of(at, Program(expires_after_months=months)) == lot


def test_an_order_whose_points_are_over_before_they_are_counted_earns_nothing() -> None:
    placed_at = datetime(2025, 10, 31, tzinfo=UTC)  # usable to the end of October 2026

    assert _earn(placed_at=placed_at) is None
    assert _earn(placed_at=datetime(2025, 11, 1, tzinfo=UTC)) is not None


def test_an_order_names_its_rule_and_its_cause() -> None:
    decision = _earn(amount=1980)

    assert decision is not None
    assert decision.entry.entry_id == "order:o1"
    assert decision.entry.rules == (RulePoints("spend", 19),)
    assert decision.account == Account("u1", 1, 19, 19, {"2027-11": 19})


def test_history_earned_when_it_happened() -> None:
    placed_at = datetime(2026, 3, 1, tzinfo=UTC)

    for imported, at in ((True, placed_at), (False, NOW)):
        decision = _earn(placed_at=placed_at, imported=imported)

        assert decision is not None
        assert decision.entry.at == at


@given(st.lists(st.tuples(st.integers(1, POINTS_PER_ENTRY_MAX), st.integers(0, 40)), max_size=30))
def test_the_account_is_the_sum_of_its_entries(movements: list[tuple[int, int]]) -> None:
    account = Account("u1")
    for number, (points, month) in enumerate(movements):
        lot = f"{2027 + month // 12}-{month % 12 + 1:02d}"
        entry = Entry(f"key:{number}", "u1", points, (), "test", NOW, lot)
        account = rules.accrue(account, entry).account

    total = sum(points for points, _ in movements)
    assert account.active_points == account.lifetime_points == sum(account.lots.values()) == total
    assert account.version == len(movements)


def _earn(amount: int = 1980, placed_at: datetime = NOW, imported: bool = False):  # type: ignore[no-untyped-def]
    return rules.earn_from_order(
        Account("u1"),
        YEN,
        order_id="o1",
        amount=amount,
        currency="JPY",
        placed_at=placed_at,
        imported=imported,
        now=NOW,
    )


def test_points_whose_last_month_is_over_are_not_to_be_used() -> None:
    account = Account("u1", 3, 60, 60, {"2026-10": 10, "2026-11": 20, "2027-01": 30})

    now = rules.usable(account, NOW)
    later = rules.usable(account, datetime(2026, 12, 1, tzinfo=UTC))

    assert (now.active_points, now.lots) == (50, {"2026-11": 20, "2027-01": 30})
    assert (later.active_points, later.lifetime_points) == (30, 60)
