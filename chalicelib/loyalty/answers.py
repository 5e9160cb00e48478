"""What the ledger answers: balances, accruals, redemptions, refunds, entries."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, datetime

from chalicelib.coupons.schemas import IssuedCoupon
from chalicelib.loyalty import books, refunding, tiers
from chalicelib.loyalty.earning import day_of
from chalicelib.loyalty.model import LOT, PENDING, POINTS, SHOP, Account, Decision, Entry, RulePoints
from chalicelib.loyalty.program import Program
from chalicelib.loyalty.schemas import (
    AccrualAnswer,
    BalanceAnswer,
    DatedPoints,
    EntryAnswer,
    NextTier,
    RedemptionAnswer,
    RefundAnswer,
    RulePointsAnswer,
    TakenAnswer,
    TierAnswer,
)


def balance(accounts: Sequence[Account], program: Program, now: datetime) -> BalanceAnswer:
    """What one person has under all their ids, as of `now`; tiers are the surviving id's, by what all ids earned."""
    standing = [books.settled(account, program, now) for account in accounts]
    lots, waiting = _together(standing, LOT), _together(standing, PENDING)
    days = _added((key.partition("|")[0], n) for key, n in waiting.items())
    return BalanceAnswer(
        active_points=sum(lots.values()),
        pending_points=sum(waiting.values()),
        reserved_points=sum(each.held for each in standing),
        negative_points=sum(each.owed for each in standing),
        lifetime_points=sum(each.lifetime for each in standing),
        tier=_tier(standing, program, now),
        expiring=[DatedPoints(points=n, on=last_day(lot)) for lot, n in sorted(lots.items())],
        pending=[DatedPoints(points=n, on=day) for day, n in sorted(days.items())],
        version=sum(each.version for each in standing),
    )


def accrual(decision: Decision, program: Program, now: datetime) -> AccrualAnswer:
    """What an accrual did."""
    entry = decision.entry
    return AccrualAnswer(
        entry_id=entry.entry_id,
        points=entry.points,
        status="pending" if entry.pending_until else "active",
        rules=rules_of(entry.rules),
        balance=balance([decision.account], program, now),
    )


def redemption(
    decision: Decision,
    program: Program,
    now: datetime,
    *,
    coupon: IssuedCoupon | None = None,
    beside: Sequence[Account] = (),
) -> RedemptionAnswer:
    """What a redemption's step did, and the coupon that a reward is; `beside` are the person's other accounts."""
    entry = decision.entry
    redemption_id = entry.entry_id.removeprefix("redemption:").partition("#")[0]
    statuses = {"reserve": "reserved", "redeem": "confirmed", "release": "released"}
    return RedemptionAnswer(
        redemption_id=redemption_id,
        status=statuses[entry.kind],  # type: ignore[arg-type]
        points=abs(entry.points),
        expires_at=entry.hold_until,
        coupon=coupon,
        balance=balance([decision.account, *beside], program, now),
    )


def refund(
    decision: Decision, program: Program, now: datetime, *, beside: Sequence[Account] = ()
) -> RefundAnswer:
    """What a refund took, and where from; `beside` are the person's other accounts."""
    entry = decision.entry
    return RefundAnswer(
        entry_id=entry.entry_id,
        points=-entry.points,
        taken=TakenAnswer(**vars(refunding.taken_from(entry))),
        balance=balance([decision.account, *beside], program, now),
    )


def entry(one: Entry) -> EntryAnswer:
    """One entry as its owner may see it."""
    return EntryAnswer(
        entry_id=one.entry_id,
        customer_id=one.customer_id,
        kind=one.kind,
        points=one.points,
        reason=one.reason,
        at=one.at,
        rules=rules_of(one.rules),
        moves={k: n for k, n in one.moves.items() if k.partition(":")[0] in (*POINTS, SHOP)},
        number=one.number,
    )


def rules_of(rules: Iterable[RulePoints]) -> list[RulePointsAnswer]:
    """Which rule gave how many points."""
    return [RulePointsAnswer(rule=each.rule, points=each.points) for each in rules]


def last_day(month: str) -> str:
    """The last day of a month `YYYY-MM`."""
    year, number = map(int, month.split("-"))
    return date(year, number, monthrange(year, number)[1]).isoformat()


def _tier(accounts: Sequence[Account], program: Program, now: datetime) -> TierAnswer | None:
    if program.tiers is None:
        return None
    terms = program.tiers
    one = Account(
        accounts[0].customer_id, sums=_added(pair for each in accounts for pair in each.sums.items())
    )
    levels = [(tiers.standing(terms, each.tier), each.tier) for each in accounts]
    level, state = max(levels, key=lambda each: terms.levels.index(each[0]) if each[0] else -1)
    counted = tiers.qualifying(terms, one, f"{day_of(program, now):%Y-%m}")
    above = [each for each in terms.levels if level is None or each.threshold > level.threshold]
    missing = max(0, above[0].threshold - counted) if above else 0
    by_points = terms.metric == "points"
    return TierAnswer(
        name=level.name if level else None,
        until=last_day(tiers.month_after(state.until, terms.grace_months)) if level and state else None,
        benefits=list(level.benefits) if level else [],
        next=NextTier(
            name=above[0].name,
            missing_points=missing if by_points else None,
            missing_amount=None if by_points else missing,
        )
        if above
        else None,
    )


def _together(accounts: Iterable[Account], kind: str) -> dict[str, int]:
    return _added(pair for account in accounts for pair in account.of(kind).items())


def _added(pairs: Iterable[tuple[str, int]]) -> dict[str, int]:
    added: dict[str, int] = {}
    for key, n in pairs:
        added[key] = added.get(key, 0) + n
    return added
