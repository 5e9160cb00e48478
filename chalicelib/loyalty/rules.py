"""Every decision of the ledger about what is earned and taken back, pure: the state and a command in, a decision out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from chalicelib.loyalty import books, tiers
from chalicelib.loyalty.earning import FULL, Basket, capped, day_of, earned, runs
from chalicelib.loyalty.model import (
    BONUS,
    GIVEN,
    LIFETIME,
    PENDING,
    POINTS_PER_ENTRY_MAX,
    STAMP,
    TODAY,
    VISIT,
    Account,
    Basis,
    Decision,
    Entry,
    RulePoints,
    TierState,
)
from chalicelib.loyalty.program import EarnRule, Program, Tiers
from chalicelib.shared.clock import to_text
from chalicelib.shared.errors import InvalidInput

RULE_MANUAL = "manual"
ACCRUE, CONFIRM = "accrue", "confirm"


@dataclass(frozen=True)
class Placed:
    """An order as it earns: its basket, and the day and store it is a visit to, if it is one."""

    order_id: str
    basket: Basket
    store_id: str = ""


def earn_from_order(
    account: Account, program: Program, placed: Placed, *, left: Basket, imported: bool, now: datetime
) -> Decision | None:
    """What an order earns; None when that is nothing at all: too small, or over before it is counted.

    `left` is the basket without what was given back before we heard of the order. An imported order earned when it was
    placed. Points wait as the program says, and count for tiers in the month the order was placed.
    """
    at = placed.basket.at
    lot = books.lot_of(program, at)
    if lot < books.month_of(program, now):
        return None
    level = tiers.standing(program.tiers, account.tier)
    percent = level.earn_percent if level else FULL
    found = [under_caps(account, program, each, now) for each in earned(program, left, percent)]
    visited, counting = _visited(account, program, placed) if left.lines else ("", [])
    stamps, bonuses = _stamped(account, counting)
    rules = tuple(each for each in (*found, *bonuses) if each.points)
    points = sum(each.points for each in rules)
    waits = day_of(program, at) + timedelta(days=program.pending_days)
    is_pending = points > 0 and program.pending_days > 0 and waits > day_of(program, now)
    moves = books.join(
        _arriving(account, program, points, lot, waits.isoformat() if is_pending else ""),
        stamps,
        {f"{VISIT}:{visited}": 1} if visited else {},
        counted(program, rules, now),
        _qualifying(program, at, points, left.total if left.currency == program.currency else 0),
    )
    if not any(moves.values()):
        return None
    entry = Entry(
        f"order:{placed.order_id}", ACCRUE, account.customer_id, points, "order", at if imported else now, moves,
        rules, lot=lot, pending_until=waits.isoformat() if is_pending else "",
        basis=Basis(placed.basket.total, program.version, percent, to_text(placed.basket.at), visited),
    )  # fmt: skip
    return books.enter(account, _risen(account, program, entry, books.month_of(program, at)))


def visit(account: Account, program: Program, *, day: str, store_id: str, now: datetime) -> Decision | None:
    """A visit without a purchase: it counts for stamps, once a day and store; None when it counts for nothing."""
    key = visit_key(day, store_id)
    counting = _stamp_rules(program, "visits", day) if key not in account.of(VISIT) else []
    if not counting:
        return None
    stamps, rules = _stamped(account, counting)
    points = sum(each.points for each in rules)
    lot = books.lot_of(program, now)
    moves = books.join({f"{VISIT}:{key}": 1}, stamps, _arriving(account, program, points, lot, ""))
    entry = Entry(
        f"visit:{key}", ACCRUE, account.customer_id, points, "visit", now, moves, tuple(rules), lot=lot
    )
    return books.enter(account, entry)


def give(
    account: Account,
    program: Program,
    *,
    entry_id: str,
    points: int,
    reason: str,
    rule: str = RULE_MANUAL,
    pending_until: str = "",
    now: datetime,
) -> Decision:
    """Points given by hand, by a partner or for something done, once per `entry_id`; usable from `pending_until` on.

    They do not count for tiers. Assumes that schemas and caps have bounded the points. Raises InvalidInput for points that
    would expire before they could be used.
    """
    assert 0 <= points <= POINTS_PER_ENTRY_MAX, "schemas must bound points first"
    lot = books.lot_of(program, now)
    waits = pending_until if pending_until > day_of(program, now).isoformat() else ""
    if waits[:7] > lot:
        raise InvalidInput.of("pending_until", f"these points expire with {lot}, before they could be used")
    rules = (RulePoints(rule, points),)
    moves = books.join(_arriving(account, program, points, lot, waits), counted(program, rules, now))
    entry = Entry(
        entry_id, ACCRUE, account.customer_id, points, reason, now, moves, rules, lot=lot, pending_until=waits
    )
    return books.enter(account, entry)


def confirm_order(
    account: Account, program: Program, order_id: str, entries: Sequence[Entry], *, now: datetime
) -> Decision | None:
    """What of an order still waits becomes usable; None when nothing does."""
    accrual = accrual_of(entries)
    waiting = still_pending(account, program, entries, now) if accrual else 0
    if not accrual or not waiting:
        return None
    moves = books.join(
        {f"{PENDING}:{accrual.pending_until}|{accrual.lot}": -waiting},
        books.inflow(account, program, waiting, accrual.lot),
    )
    entry = Entry(
        f"order:{order_id}#confirm",
        CONFIRM,
        account.customer_id,
        waiting,
        "delivered",
        now,
        moves,
        lot=accrual.lot,
    )
    return books.enter(account, entry)


def accrual_of(entries: Sequence[Entry]) -> Entry | None:
    """The entry by which an order earned, among all entries of that order."""
    return next((each for each in entries if each.kind == ACCRUE), None)


def still_pending(account: Account, program: Program, entries: Sequence[Entry], now: datetime) -> int:
    """How many points of an order wait yet. Expects a settled account."""
    accrual = accrual_of(entries)
    if accrual is None or accrual.pending_until <= day_of(program, now).isoformat():
        return 0
    key = f"{PENDING}:{accrual.pending_until}|{accrual.lot}"
    left = sum(each.moves.get(key, 0) for each in entries)
    return min(left, account.sums.get(key, 0))


def under_caps(account: Account, program: Program, given: RulePoints, now: datetime) -> RulePoints:
    """Points of one rule under its caps for a day (in the program's zone, when they are given) and for ever."""
    rule = next((each for each in program.earn if each.name == given.rule), None)
    if rule is None:
        return given
    points = capped(given.points, rule.cap.per_event)
    if rule.cap.per_day is not None:
        points = min(points, max(0, rule.cap.per_day - account.sums.get(_today(program, rule.name, now), 0)))
    if rule.cap.lifetime is not None:
        points = min(points, max(0, rule.cap.lifetime - account.sums.get(f"{GIVEN}:{rule.name}", 0)))
    return RulePoints(given.rule, points)


def counted(program: Program, given: Sequence[RulePoints], now: datetime) -> dict[str, int]:
    """What rules with caps have given, for the caps to come; what is taken back frees nothing for the same day."""
    moves: dict[str, int] = {}
    points = {each.rule: each.points for each in given}
    for rule in program.earn:
        if points.get(rule.name, 0) > 0 and rule.cap.per_day is not None:
            moves[_today(program, rule.name, now)] = points[rule.name]
        if points.get(rule.name) and rule.cap.lifetime is not None:
            moves[f"{GIVEN}:{rule.name}"] = points[rule.name]
    return moves


def with_tier(
    account: Account,
    program: Program,
    entry: Entry,
    after: Callable[[Tiers, Account, str], TierState | None],
    month: str,
) -> Entry:
    """An entry with the tier that stands after it; `after` is how that follows: tiers.after_earning or after_refund."""
    if program.tiers is None:
        return entry
    state = after(program.tiers, books.moved(account, entry.moves), month)
    return replace(entry, tier=state, tier_changed=state != account.tier)


def visit_key(day: str, store_id: str) -> str:
    """A day and a store in a few characters; a customer visits too few stores in a day for two to be mistaken."""
    return f"{day}|{hashlib.sha256(store_id.encode()).hexdigest()[:6]}"


def unstamped(account: Account, program: Program, visit: str) -> tuple[dict[str, int], list[RulePoints]]:
    """The moves that take back a purchase, and its visit if it was the only one that day; and the bonuses that go.

    A bonus that the stamps left no longer reach is taken whoever's stamp is gone: its share of all bonuses given.
    """
    day, _, _ = visit.partition("|")
    counted = _stamp_rules(program, "purchases", day)
    moves: dict[str, int] = {f"{VISIT}:{visit}": -1}
    if account.of(VISIT).get(visit, 1) == 1:
        counted += _stamp_rules(program, "visits", day)
    taken = []
    for rule in counted:
        name, before = rule.name, account.sums.get(f"{STAMP}:{rule.name}", 0)
        if not before:
            continue
        had, has = before // rule.every, (before - 1) // rule.every
        bonus = account.sums.get(f"{BONUS}:{name}", 0)
        gone = bonus - bonus * has // had if had > has else 0
        moves = books.join(moves, {f"{STAMP}:{name}": -1, f"{BONUS}:{name}": -gone})
        taken.append(RulePoints(name, gone))
    return moves, taken


def _visited(account: Account, program: Program, placed: Placed) -> tuple[str, list[EarnRule]]:
    """The visit an order is, and the stamp rules that count it: a visit once a day and store, a purchase each time.

    Where the program has no card at all, nobody asks for visits and none is kept.
    """
    if not any(rule.kind == "stamps" for rule in program.earn):
        return "", []
    day = day_of(program, placed.basket.at).isoformat()
    key = visit_key(day, placed.store_id)
    counting = _stamp_rules(program, "purchases", day)
    if key not in account.of(VISIT):
        counting += _stamp_rules(program, "visits", day)
    return key, counting


def _stamp_rules(program: Program, counts: str, day: str) -> list[EarnRule]:
    on = date.fromisoformat(day)
    return [
        rule for rule in program.earn if rule.kind == "stamps" and rule.counts == counts and runs(rule, on)
    ]


def _stamped(account: Account, counting: Sequence[EarnRule]) -> tuple[dict[str, int], list[RulePoints]]:
    """The moves of one more stamp on each card, and the bonus of each card that is full with it."""
    moves, bonuses = {}, []
    for rule in counting:
        moves[f"{STAMP}:{rule.name}"] = 1
        if (account.sums.get(f"{STAMP}:{rule.name}", 0) + 1) % rule.every == 0:
            moves[f"{BONUS}:{rule.name}"] = rule.points
            bonuses.append(RulePoints(rule.name, rule.points))
    return moves, bonuses


def _arriving(account: Account, program: Program, points: int, lot: str, waits: str) -> dict[str, int]:
    if not points:
        return {}
    arriving = {f"{PENDING}:{waits}|{lot}": points} if waits else books.inflow(account, program, points, lot)
    return books.join(arriving, {LIFETIME: points})


def _today(program: Program, rule: str, now: datetime) -> str:
    return f"{TODAY}:{day_of(program, now).isoformat()}|{rule}"


def _qualifying(program: Program, at: datetime, points: int, spent: int) -> dict[str, int]:
    month = books.month_of(program, at)
    return tiers.counting(program.tiers, month, points=points, spend=spent)


def _risen(account: Account, program: Program, entry: Entry, month: str) -> Entry:
    risen = with_tier(account, program, entry, tiers.after_earning, month)
    if program.tiers is None:
        return risen
    past = tiers.past(program.tiers, books.moved(account, entry.moves), risen.tier, month)
    return replace(risen, moves=books.join(entry.moves, past))
