"""How points move within one account, pure: every entry's moves add to 0 with the shop's side, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

from chalicelib.loyalty import tiers
from chalicelib.loyalty.earning import day_of
from chalicelib.loyalty.model import (
    EARNED,
    GONE,
    HELD,
    LOT,
    NOTICED,
    OWED,
    PAID,
    PENDING,
    POINTS,
    SHOP,
    TODAY,
    VISIT,
    Account,
    Decision,
    Entry,
    Sums,
)
from chalicelib.loyalty.program import Program

# Of these only the latest are kept in the account, and of caps for a day only the last day; entries keep all.
KEPT = {VISIT: 6, GONE: 3, EARNED: tiers.MONTHS_KEPT, PAID: tiers.MONTHS_KEPT, NOTICED: 2}
OVERDRAWN = "overdrawn"  # in place of a lot: held points that nobody has yet

EXPIRE, EXPIRING, MATURE, RELEASE, TIER = "expire", "expiring", "mature", "release", "tier"


def lot_of(program: Program, at: datetime) -> str:
    """The last month (`YYYY-MM`) in which points earned at `at` can be used; they expire with its last day."""
    return tiers.month_after(month_of(program, at), program.expiry_months)


def month_of(program: Program, at: datetime) -> str:
    """The month (`YYYY-MM`) it is in the program's zone."""
    return f"{day_of(program, at):%Y-%m}"


def add(sums: Mapping[str, int], moves: Mapping[str, int]) -> dict[str, int]:
    """Sums after moves, without zeros and without what an account does not keep. The shop's side is not kept."""
    after = dict(sums)
    for key, n in moves.items():
        if key != SHOP:
            after[key] = after.get(key, 0) + n
    for kind, kept in KEPT.items():
        keys = sorted(key for key in after if key.startswith(f"{kind}:"))
        for key in keys[:-kept]:
            del after[key]
    days = sorted(key for key in after if key.startswith(f"{TODAY}:"))
    for key in days:
        if key.partition("|")[0] != days[-1].partition("|")[0]:
            del after[key]
    return {key: n for key, n in after.items() if n}


def moved(account: Account, moves: Mapping[str, int]) -> Account:
    """The account as it stands after some moves."""
    return replace(account, sums=add(account.sums, moves))


def enter(account: Account, entry: Entry) -> Decision:
    """The account after an entry. Asserts what must hold of all books: nothing below 0 but what is owed."""
    moved = sum(n for key, n in entry.moves.items() if key.partition(":")[0] in POINTS)
    entry = replace(
        entry, number=account.version + 1, moves=_told({**entry.moves, SHOP: -moved}), customer_id=account.customer_id
    )  # fmt: skip
    holds = dict(account.holds)
    after = replace(
        account,
        version=account.version + 1,
        sums=add(account.sums, entry.moves),
        holds=holds,
        tier=entry.tier if entry.tier_changed else account.tier,
    )
    kept = {key.partition("|")[0] for key in after.of(HELD)}
    if entry.hold_until:
        holds[entry.entry_id.partition(":")[2]] = entry.hold_until
    after = replace(after, holds={each: until for each, until in holds.items() if each in kept})
    for key, n in after.sums.items():
        assert n > 0 or key.partition(":")[0] not in (LOT, PENDING, HELD), "no bucket of points is below 0"
    assert after.sums.get(OWED, 0) <= 0, "what is owed is never positive"
    return Decision(entry, after)


def rebuilt(customer_id: str, entries: Iterable[Entry]) -> Account:
    """The account that entries add up to, whatever order they are read in."""
    account = Account(customer_id)
    for entry in sorted(entries, key=lambda each: each.number):
        account = enter(account, entry).account
    return account


def inflow(account: Account, program: Program, points: int, lot: str) -> dict[str, int]:
    """The moves by which points become usable until the end of the month `lot`: what is owed is repaid first."""
    repaid = min(account.owed, points)
    moves = {OWED: repaid, f"{LOT}:{lot}": points - repaid}
    if program.expiry == "sliding":
        for key, n in account.of(LOT).items():
            if key < lot:
                moves = join(moves, {f"{LOT}:{key}": -n, f"{LOT}:{lot}": n})
    return _told(moves)


def outflow(account: Account, points: int) -> tuple[dict[str, int], int]:
    """The moves that take points from what expires first, and how many there were not enough of."""
    moves, left = {}, points
    for lot, n in sorted(account.of(LOT).items()):
        taken = min(n, left)
        moves[f"{LOT}:{lot}"] = -taken
        left -= taken
    return _told(moves), left


def join(*parts: Mapping[str, int]) -> dict[str, int]:
    """Several moves as one."""
    joined: dict[str, int] = {}
    for part in parts:
        for key, n in part.items():
            joined[key] = joined.get(key, 0) + n
    return joined


def settled(account: Account, program: Program, now: datetime) -> Account:
    """The account as it is at `now`: what time alone does to it is done, whether or not a run has written it down."""
    while due := settlement(account, program, now):
        account = due.account
    return account


def settlement(account: Account, program: Program, now: datetime) -> Decision | None:
    """The next thing that time does to an account, None when there is nothing left to do.

    In the order it fell due, so that it does not matter when somebody looks: pending points become usable and lots expire
    when a day begins, holds return within it, tiers end. Each is an entry of its own, named by what it settles and by
    its number, so that a run twice or at once writes it once.
    """
    today = day_of(program, now)
    found = (
        _matured(account, program, today, now),
        _expired(account, today, now),
        _returned(account, program, now),
    )
    due = [each for each in found if each]
    entry = min(due, key=lambda each: each[0])[1] if due else _tier_ended(account, program, today, now)
    return enter(account, entry) if entry else None


def notice(account: Account, program: Program, now: datetime) -> Decision | None:
    """That points of a lot are about to expire, told once for each lot; None when there is nothing to tell.

    Expects a settled account. The entry moves no points.
    """
    today, days = day_of(program, now), timedelta(days=program.expiry_notice_days)
    for lot, n in sorted(account.of(LOT).items()):
        last_day = date.fromisoformat(f"{tiers.month_after(lot, 1)}-01") - timedelta(days=1)
        if days and last_day - days <= today and f"{NOTICED}:{lot}" not in account.sums:
            counted = {f"{NOTICED}:{lot}": 1}
            entry = Entry(
                f"{EXPIRING}:{lot}", EXPIRING, account.customer_id, n, EXPIRING, now, counted, lot=lot
            )
            return enter(account, entry)
    return None


def returned(account: Account, program: Program, held: Mapping[str, int], at: datetime) -> dict[str, int]:
    """The moves by which held points go back to where they came from at `at`: what nobody had yet is no longer owed.

    Where points that came since have repaid that already, they can be used as if they had come now.
    """
    moves: dict[str, int] = {}
    fixed = replace(program, expiry="fixed")
    for key, n in sorted(held.items(), key=lambda each: not each[0].endswith(OVERDRAWN)):
        lot = key.partition("|")[2]
        back = inflow(moved(account, moves), fixed, n, lot_of(program, at) if lot == OVERDRAWN else lot)
        moves = join(moves, {f"{HELD}:{key}": -n}, back)
    return _told(moves)


def held_by(account: Account, redemption_id: str) -> dict[str, int]:
    """What one redemption holds, by the end of the key; what expires first, first."""
    found = {k: n for k, n in account.of(HELD).items() if k.partition("|")[0] == redemption_id}
    return dict(sorted(found.items()))


def _returned(account: Account, program: Program, now: datetime) -> tuple[date, Entry] | None:
    for until, redemption_id in sorted((until, each) for each, until in account.holds.items()):
        if until <= now:
            held = held_by(account, redemption_id)
            entry = Entry(
                f"redemption:{redemption_id}#done", RELEASE, account.customer_id, sum(held.values()), "timeout",
                now, returned(account, program, held, until),
            )  # fmt: skip
            return day_of(program, until), entry
    return None


def _matured(account: Account, program: Program, today: date, now: datetime) -> tuple[date, Entry] | None:
    for key, n in sorted(account.of(PENDING).items()):
        day, _, lot = key.partition("|")
        if day <= today.isoformat():
            moves = join({f"{PENDING}:{key}": -n}, inflow(account, program, n, lot))
            return date.fromisoformat(day), _settling(account, MATURE, key, n, moves, now=now)
    return None


def _expired(account: Account, today: date, now: datetime) -> tuple[date, Entry] | None:
    for lot, n in sorted(account.of(LOT).items()):
        if lot < f"{today:%Y-%m}":
            moves = {f"{LOT}:{lot}": -n, f"{GONE}:{lot}": n}
            over = date.fromisoformat(f"{tiers.month_after(lot, 1)}-01")
            return over, _settling(account, EXPIRE, lot, -n, moves, now=now)
    return None


def _tier_ended(account: Account, program: Program, today: date, now: datetime) -> Entry | None:
    if program.tiers is None or account.tier is None:
        return None
    state = tiers.after_months(program.tiers, account, f"{today:%Y-%m}")
    if state == account.tier:
        return None
    entry = _settling(account, TIER, f"{today:%Y-%m}", 0, {}, now=now)
    return replace(entry, tier=state, tier_changed=True)


def _settling(account: Account, kind: str, key: str, points: int, moves: Sums, *, now: datetime) -> Entry:
    entry_id = f"{kind}:{key}#{account.version + 1}"
    lot = key.rpartition("|")[2] if kind in (MATURE, EXPIRE) else ""
    return Entry(entry_id, kind, account.customer_id, points, kind, now, moves, lot=lot)


def _told(moves: Mapping[str, int]) -> dict[str, int]:
    return {key: n for key, n in moves.items() if n}
