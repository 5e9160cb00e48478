"""Every decision of the ledger, pure: the state and a command in, a decision out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.loyalty.model import POINTS_PER_ENTRY_MAX, Account, Decision, Entry, Program, RulePoints

RULE_SPEND = "spend"
RULE_MANUAL = "manual"
RULE_ACTION = "action"


def lot_of(at: datetime, program: Program) -> str:
    """The last month (`YYYY-MM`) in which points earned at `at` can be used; they expire with its last day."""
    months = at.year * 12 + at.month - 1 + program.expires_after_months
    return f"{months // 12:04d}-{months % 12 + 1:02d}"


def is_expired(lot: str, now: datetime) -> bool:
    """Whether a lot's last month is over."""
    return lot < f"{now.year:04d}-{now.month:02d}"


def points_for_spend(program: Program, amount: int, currency: str) -> int:
    """Points for an order: whole steps of the program's amount only. Another currency than the program's earns none."""
    if currency != program.currency or amount <= 0:
        return 0
    return min(amount // program.per_amount * program.points, POINTS_PER_ENTRY_MAX)


def earn_from_order(
    account: Account,
    program: Program,
    *,
    order_id: str,
    amount: int,
    currency: str,
    placed_at: datetime,
    imported: bool,
    now: datetime,
) -> Decision | None:
    """What an order earns, None when that is nothing (too small, foreign currency, or expired before it is counted).

    `amount` is what the customer paid, in minor units of `currency`. An imported order earned when it was placed.
    """
    lot = lot_of(placed_at, program)
    points = points_for_spend(program, amount, currency)
    if points == 0 or is_expired(lot, now):
        return None
    entry = Entry(
        entry_id=f"order:{order_id}",
        customer_id=account.customer_id,
        points=points,
        rules=(RulePoints(RULE_SPEND, points),),
        reason="order",
        at=placed_at if imported else now,
        lot=lot,
    )
    return accrue(account, entry)


def give(
    account: Account, program: Program, *, points: int, reason: str, idempotency_key: str, now: datetime
) -> Decision:
    """Points given by hand or by a partner, once per key."""
    entry = Entry(
        entry_id=f"key:{idempotency_key}",
        customer_id=account.customer_id,
        points=points,
        rules=(RulePoints(RULE_MANUAL, points),),
        reason=reason,
        at=now,
        lot=lot_of(now, program),
    )
    return accrue(account, entry)


def reward_action(
    account: Account, program: Program, *, action: str, points: int, reason: str, now: datetime
) -> Decision:
    """Points for something the customer did, once per action. No Idempotency-Key can be mistaken for one."""
    entry = Entry(
        entry_id=f"action:{action}",
        customer_id=account.customer_id,
        points=points,
        rules=(RulePoints(RULE_ACTION, points),),
        reason=reason,
        at=now,
        lot=lot_of(now, program),
    )
    return accrue(account, entry)


def accrue(account: Account, entry: Entry) -> Decision:
    """Add an entry's points to an account."""
    assert 0 < entry.points <= POINTS_PER_ENTRY_MAX, "schemas and the spend rule must bound points first"
    assert entry.customer_id == account.customer_id, "an entry moves its own customer's points"

    lots = {**account.lots, entry.lot: account.lots.get(entry.lot, 0) + entry.points}
    after = replace(
        account,
        version=account.version + 1,
        active_points=account.active_points + entry.points,
        lifetime_points=account.lifetime_points + entry.points,
        lots=lots,
    )
    return Decision(entry, after)


def usable(account: Account, now: datetime) -> Account:
    """The account without the lots whose last month is over: nobody can use those points any more.

    Judged when it is asked for, so that a balance is right to the minute without a run that takes them away.
    """
    lots = {lot: points for lot, points in account.lots.items() if not is_expired(lot, now)}
    return replace(account, active_points=sum(lots.values()), lots=lots)


def together(accounts: Sequence[Account]) -> Account:
    """Several accounts of one person as one, under the first one's id."""
    lots: dict[str, int] = {}
    for account in accounts:
        for lot, points in account.lots.items():
            lots[lot] = lots.get(lot, 0) + points
    return Account(
        accounts[0].customer_id,
        sum(account.version for account in accounts),
        sum(account.active_points for account in accounts),
        sum(account.lifetime_points for account in accounts),
        lots,
    )
