"""Points of one person under several ids: brought to the surviving one when it has too few for a redemption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chalicelib.loyalty import books, ledger, store
from chalicelib.loyalty.model import LOT, Account, Decision, Entry
from chalicelib.loyalty.program import Program
from chalicelib.shared.errors import Busy
from chalicelib.shared.rounds import rounds

TRANSFER = "transfer"


@dataclass(frozen=True)
class Gathered:
    """The person's other accounts after they gave, what they owe more than they still have to give, and, in a dry run,
    what would have arrived.
    """

    others: tuple[Account, ...] = ()
    owed_elsewhere: int = 0
    arriving: tuple[Entry, ...] = ()

    def arrived(self, account: Account) -> Account:
        """The surviving account with what would have arrived."""
        for entry in self.arriving:
            account = books.enter(account, entry).account
        return account


def gather(
    customer_ids: Sequence[str],
    points: int,
    program: Program,
    redemption_id: str,
    *,
    now: datetime,
    dry_run: bool,
) -> Gathered:
    """Bring points of a person's other ids to the surviving one, as many as it lacks; none where all have too few.

    Each id's points move in one transaction of both accounts. Two trips, and one for each id that gives. Raises Busy.
    """
    for _ in rounds():
        standing = store.read_many(customer_ids, consistent=True)
        if f"redemption:{redemption_id}" in store.load(customer_ids[0], f"redemption:{redemption_id}")[1]:
            return Gathered(tuple(standing[1:]))
        settled = [books.settled(each, program, now) for each in standing]
        head, others = settled[0], settled[1:]
        owed, giving = sum(each.owed for each in others), sum(each.active for each in others)
        if points + owed > head.active + giving + max(0, program.overdraft - head.owed):
            return Gathered(tuple(others), owed - giving)
        try:
            if not dry_run:
                settled = [ledger.settle(each, program, now) for each in standing]
            return _bring(settled, points + owed, redemption_id, owed=owed, now=now, dry_run=dry_run)
        except store.AccountMoved:
            continue
    raise Busy("other commands for this customer kept coming first")


def _bring(
    accounts: Sequence[Account], points: int, redemption_id: str, *, owed: int, now: datetime, dry_run: bool
) -> Gathered:
    head, others, arriving = accounts[0], [], []
    for giving in accounts[1:]:
        lacking = min(points - head.active, giving.active)
        if lacking <= 0:
            others.append(giving)
            continue
        leaving, coming = _transfer(giving, head, lacking, redemption_id, now=now)
        if not dry_run:
            store.commit(store.committing(leaving) + store.committing(coming))
        head = coming.account
        others.append(leaving.account)
        arriving.append(coming.entry)
    return Gathered(tuple(others), owed, tuple(arriving) if dry_run else ())


def _transfer(
    giving: Account, head: Account, points: int, redemption_id: str, *, now: datetime
) -> tuple[Decision, Decision]:
    taken, _ = books.outflow(giving, points)
    given = {f"{LOT}:{key.partition(':')[2]}": -n for key, n in taken.items()}
    reason = f"redemption {redemption_id}"
    out_id, into_id = (f"{TRANSFER}:{redemption_id}#{each.version + 1}" for each in (giving, head))
    out = Entry(out_id, TRANSFER, giving.customer_id, -points, reason, now, taken)
    into = Entry(into_id, TRANSFER, head.customer_id, points, reason, now, given)
    return books.enter(giving, out), books.enter(head, into)
