"""What an order earns when it becomes another one, pure: what it holds too much goes, and what it lacks is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.loyalty import books, refunding, rules, tiers
from chalicelib.loyalty.earning import Basket, capped, day_of, earned
from chalicelib.loyalty.model import LIFETIME, PENDING, VISIT, Account, Decision, Entry, RulePoints
from chalicelib.loyalty.program import Program
from chalicelib.shared.clock import from_text

CHANGE = "change"


def change_order(
    account: Account,
    programs: tuple[Program, Program],
    order: tuple[Basket, Sequence[Entry]],
    *,
    entry_id: str,
    now: datetime,
) -> Decision | None:
    """Make an order hold what it earns as it is now, less what was given back of it; None where it never earned.

    `programs` are the one in force and the one the order earned by, which also counts now, with the tier, the lot and
    the month of then. Points go where a refund takes them, and more of them wait as those before. Caps count as for
    points given now. Expects a settled account.
    """
    (program, then), (basket, entries) = programs, order
    accrual = rules.accrual_of(entries)
    if accrual is None or accrual.basis is None:
        return None
    placed_at = from_text(accrual.basis.placed_at)
    left = refunding.left_of(replace(basket, at=placed_at), entries)
    is_over = accrual.lot < books.month_of(program, now)
    differing = [
        each
        for each in _differing(account, then, left, accrual, entries, now=now)
        if each.points < 0 or not is_over
    ]
    stamps, bonuses = _without_stamp(account, then, left, accrual, entries)
    differing += [RulePoints(each.rule, -each.points) for each in bonuses if each.points]
    points = sum(each.points for each in differing)
    moves, waits = _moved(account, program, accrual, entries, points, now=now)
    month = books.month_of(then, placed_at)
    spent = tiers.month_key(month, "spend")
    more = (
        left.total - sum(each.moves.get(spent, 0) for each in entries)
        if left.currency == then.currency
        else 0
    )
    moves = books.join(
        moves,
        stamps,
        {LIFETIME: points},
        tiers.counting(then.tiers, month, points=points, spend=more),
        rules.counted(then, differing, now),
    )
    entry = Entry(
        entry_id, CHANGE, account.customer_id, points, "order changed", now, moves, tuple(differing),
        lot=accrual.lot, pending_until=waits,
    )  # fmt: skip
    if points < 0 or more < 0:
        entry = rules.with_tier(account, program, entry, tiers.after_refund, books.month_of(program, now))
    else:
        entry = rules.with_tier(account, program, entry, tiers.after_earning, month)
    return books.enter(account, entry)


def _differing(
    account: Account, then: Program, left: Basket, accrual: Entry, entries: Sequence[Entry], *, now: datetime
) -> list[RulePoints]:
    """By spending rule, what an order lacks (above 0) or holds too much (below)."""
    assert accrual.basis is not None, "an order's entry says what it was reckoned from"
    held = refunding.held(then, entries)
    due = {each.rule: each.points for each in earned(then, left, accrual.basis.percent)}
    per_day = {rule.name: rule.cap.per_day for rule in then.earn}
    found = []
    for rule in dict.fromkeys((*held, *due)):
        lacking = RulePoints(rule, capped(due.get(rule, 0), per_day.get(rule)) - held.get(rule, 0))
        found.append(rules.under_caps(account, then, lacking, now) if lacking.points > 0 else lacking)
    return [each for each in found if each.points]


def _without_stamp(
    account: Account, then: Program, left: Basket, accrual: Entry, entries: Sequence[Entry]
) -> tuple[dict[str, int], list[RulePoints]]:
    """The stamp that goes when nothing is left of the order, unless it went before."""
    assert accrual.basis is not None, "an order's entry says what it was reckoned from"
    visit = accrual.basis.visit
    if left.lines or not sum(each.moves.get(f"{VISIT}:{visit}", 0) for each in entries):
        return {}, []
    return rules.unstamped(account, then, visit)


def _moved(
    account: Account,
    program: Program,
    accrual: Entry,
    entries: Sequence[Entry],
    points: int,
    *,
    now: datetime,
) -> tuple[dict[str, int], str]:
    """The moves of points that come or go, and until when those that come wait."""
    if points <= 0:
        waiting = rules.still_pending(account, program, entries, now)
        return refunding.waterfall(account, program, -points, waiting, accrual), ""
    was_confirmed = any(each.kind == rules.CONFIRM for each in entries)
    if was_confirmed or accrual.pending_until <= day_of(program, now).isoformat():
        return books.inflow(account, program, points, accrual.lot), ""
    return {f"{PENDING}:{accrual.pending_until}|{accrual.lot}": points}, accrual.pending_until
