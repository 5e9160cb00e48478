"""What is taken back when an order is, pure: points go where they came from, and what was spent is owed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from chalicelib.loyalty import books, rules, tiers
from chalicelib.loyalty.earning import Basket, earned, remaining
from chalicelib.loyalty.model import (
    GIVEN,
    GONE,
    LIFETIME,
    LOT,
    OWED,
    PENDING,
    Account,
    Decision,
    Entry,
    Refunded,
    RulePoints,
)
from chalicelib.loyalty.program import Program
from chalicelib.shared.clock import from_text
from chalicelib.shared.errors import FieldError, InvalidInput

REFUND = "refund"


@dataclass(frozen=True)
class Taken:
    """Where the points of one refund came from."""

    pending: int = 0
    lots: int = 0
    active: int = 0
    negative: int = 0
    expired: int = 0


def refund_order(
    account: Account,
    programs: tuple[Program, Program],
    order: tuple[Basket, Sequence[Entry]],
    refunded: Refunded,
    *,
    entry_id: str,
    reason: str,
    now: datetime,
) -> Decision:
    """Take back what an order no longer earns. Expects a settled account.

    `programs` are the one in force and the one the order earned by; `order` its basket and every entry of it. The
    points of what is left are reckoned anew with the program and tier of then, never above what each rule gave; the
    difference goes. A whole refund takes the stamp too, and a bonus that falls with it. What
    was given back before the order earned is remembered, and the order earns that much less.
    Raises InvalidInput for more than is left.
    """
    (program, program_then), (basket, entries) = programs, order
    before = left_of(basket, entries)
    after = left_of(basket, entries, refunded, check=True)
    accrual = rules.accrual_of(entries)
    if accrual is None or accrual.basis is None:
        entry = Entry(entry_id, REFUND, account.customer_id, 0, reason, now, {}, refunded=refunded)
        return books.enter(account, entry)
    gone, counts = _no_longer_earned(account, program_then, accrual, entries, (before, after))
    due = sum(each.points for each in gone)
    taken = waterfall(account, program, due, rules.still_pending(account, program, entries, now), accrual)
    month = books.month_of(program_then, from_text(accrual.basis.placed_at))
    spent = before.total - after.total if before.currency == program_then.currency else 0
    no_longer = tiers.counting(program_then.tiers, month, points=-due, spend=-spent)
    moves = books.join(counts, taken, {LIFETIME: -due}, no_longer)
    entry = Entry(
        entry_id, REFUND, account.customer_id, -due, reason, now, moves,
        tuple(RulePoints(each.rule, -each.points) for each in gone), lot=accrual.lot,
        pending_until=accrual.pending_until, refunded=refunded,
    )  # fmt: skip
    entry = rules.with_tier(account, program, entry, tiers.after_refund, books.month_of(program, now))
    return books.enter(account, entry)


def left_of(
    basket: Basket, entries: Sequence[Entry], more: Refunded | None = None, *, check: bool = False
) -> Basket:
    """What is left of an order after its refunds, and after one `more`; raises InvalidInput where that is too much."""
    given = [each.refunded for each in entries if each.refunded]
    lines: dict[str, int] = {}
    for each in given:
        lines = books.join(lines, each.lines)
    amount = sum(each.amount for each in given)
    left = _rest(remaining(basket, lines, amount)) if given else basket
    if any(each.whole for each in given):
        left = replace(basket, total=0, lines=())
    if more is None:
        return left
    if check:
        _check(basket, left, more)
    if more.whole:
        return replace(left, total=0, lines=())
    return _rest(remaining(basket, books.join(lines, more.lines), amount + more.amount))


def held(program: Program, entries: Sequence[Entry]) -> dict[str, int]:
    """By spending rule, what an order holds after all its entries."""
    stamped = {rule.name for rule in program.earn if rule.kind == "stamps"}
    points: dict[str, int] = {}
    for entry in entries:
        points = books.join(
            points, {each.rule: each.points for each in entry.rules if each.rule not in stamped}
        )
    return points


def waterfall(
    account: Account, program: Program, points: int, pending: int, accrual: Entry
) -> dict[str, int]:
    """The moves that take points: what still waits of the order, its lot, what expired of it, any lot, then a debt.

    Where expiry slides, its points may have expired with a later month than their own.
    """
    lots, gone = account.of(LOT), account.of(GONE)
    later = sorted(lot for lot in gone if lot > accrual.lot) if program.expiry == "sliding" else []
    moves: dict[str, int] = {}
    left = points
    for key, held in (
        (f"{PENDING}:{accrual.pending_until}|{accrual.lot}", pending),
        (f"{LOT}:{accrual.lot}", lots.get(accrual.lot, 0)),
        *((f"{GONE}:{lot}", gone.get(lot, 0)) for lot in (accrual.lot, *later)),
        *((f"{LOT}:{lot}", n) for lot, n in sorted(lots.items()) if lot != accrual.lot),
    ):
        taken = min(left, held)
        moves = books.join(moves, {key: -taken} if taken else {})
        left -= taken
    return books.join(moves, {OWED: -left} if left else {})


def taken_from(entry: Entry) -> Taken:
    """Where a refund's points came from, as its answer tells it."""

    def of(kind: str) -> dict[str, int]:
        return {k.partition(":")[2]: -n for k, n in entry.moves.items() if k.startswith(f"{kind}:")}

    lots = of(LOT)
    own = lots.pop(entry.lot, 0)
    return Taken(
        sum(of(PENDING).values()), own, sum(lots.values()), -entry.moves.get(OWED, 0), sum(of(GONE).values())
    )


def _no_longer_earned(
    account: Account,
    program: Program,
    accrual: Entry,
    entries: Sequence[Entry],
    baskets: tuple[Basket, Basket],
) -> tuple[list[RulePoints], dict[str, int]]:
    """The points that go by rule, and what goes besides: stamps, what counted against caps."""
    assert accrual.basis is not None, "an order's entry says what it was reckoned from"
    before, after = baskets
    having = held(program, entries)
    was, now = (_reckoned(program, basket, accrual.basis.percent, having) for basket in baskets)
    gone = [
        RulePoints(rule, n - _still_due(n, was.get(rule, 0), now.get(rule, 0), baskets))
        for rule, n in having.items()
    ]
    capped = {rule.name for rule in program.earn if rule.cap.lifetime is not None}
    moves = {f"{GIVEN}:{each.rule}": -each.points for each in gone if each.rule in capped}
    if not after.lines and before.lines and accrual.basis.visit:
        stamps, bonuses = rules.unstamped(account, program, accrual.basis.visit)
        gone += bonuses
        moves = books.join(moves, stamps)
    return [each for each in gone if each.points], moves


def _reckoned(program: Program, basket: Basket, percent: int, held: Mapping[str, int]) -> dict[str, int]:
    found = {each.rule: each.points for each in earned(program, basket, percent)}
    if program.stacking == "best":
        # Another rule may be the best one of what is left; what it gives is kept, under the name it was given by.
        return dict.fromkeys(held, sum(found.values()))
    return found


def _still_due(held: int, was: int, now: int, baskets: tuple[Basket, Basket]) -> int:
    """What a rule still gives of the points it gave: what it reckons now, where it still reckons as it did then.

    A rule that no longer does (an item changed its category since) keeps the share that is left.
    """
    before, after = baskets
    if not after.lines:
        return 0
    if was >= held:
        return min(held, now)
    if was:
        return held * min(now, was) // was
    return held * after.total // before.total if before.total else held


def _rest(left: Basket) -> Basket:
    """What is left of a basket, which is nothing once all lines or all of its price went."""
    return left if left.total and left.lines else replace(left, total=0, lines=())


def _check(basket: Basket, left: Basket, more: Refunded) -> None:
    ordered = {line.line_id for line in basket.lines}
    still = {line.line_id: line.quantity for line in left.lines}
    problems = []
    for line_id, quantity in more.lines.items():
        if line_id not in ordered:
            problems.append(FieldError("lines", f"the order has no line {line_id}"))
        elif quantity > still.get(line_id, 0):
            message = f"of line {line_id} {still.get(line_id, 0)} are left to refund"
            problems.append(FieldError("lines", message))
    if more.amount > left.total:
        problems.append(FieldError("amount", f"{left.total} {basket.currency} are left to refund"))
    if more.whole and not left.lines:
        problems.append(FieldError("order_id", "nothing is left to refund"))
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", fields=problems)
